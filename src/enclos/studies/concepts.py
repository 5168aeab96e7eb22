"""Concepts that a study names have to be in the vocabulary: others could only give empty results."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.plans.cohorts import plan_known_concepts
from enclos.studies.ports import CdmBucket


def check_known(wanted: Mapping[int, str], bucket: CdmBucket) -> None:
    """Refuse concepts that the vocabulary does not have.

    In: wanted — where the study names each concept
    Refuses: STUDY_CONCEPT_UNKNOWN.
    """
    if not wanted:
        return
    known = set(bucket.query(plan_known_concepts(sorted(wanted)))["concept_id"].to_pylist())
    if missing := sorted(wanted.keys() - known):
        told = ", ".join(f"{concept} ({wanted[concept]})" for concept in missing)
        raise refusal(
            Code.STUDY_CONCEPT_UNKNOWN,
            f"The study names concepts that the vocabulary does not have: {told}.",
            "Correct the concept ids, or deliver a vocabulary that has them.",
        )
