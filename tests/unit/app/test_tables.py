"""Codes of a job's rows are concepts of the vocabulary."""

from __future__ import annotations

import pyarrow as pa
import pytest

from enclos.app.tables import check_codes
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.engine import open_engine
from enclos.studies.tables.document import form_from_yaml
from factories.cdm import MemorySnapshot

FORM = "table: job\nkeys: [{column: gender_concept_id, kind: concept}]\nmeasures: [person_count]\n"


def test_codes_of_a_job_are_concepts_of_the_vocabulary_or_unknown() -> None:
    declared = form_from_yaml(FORM)
    with open_engine(threads=1) as engine:
        snapshot = MemorySnapshot(engine, {"concept": [{"concept_id": 8507}, {"concept_id": 8532}]}, {})
        for codes in ([8507, 8532, None], [0], []):
            check_codes(pa.table({"gender_concept_id": pa.array(codes, pa.int64())}), declared, engine, snapshot)
        with pytest.raises(Refusal) as caught:
            check_codes(pa.table({"gender_concept_id": [8507, 612345678]}), declared, engine, snapshot)
        assert caught.value.code is Code.RELEASE_UNTYPED
        assert "612345678" not in str(caught.value)
