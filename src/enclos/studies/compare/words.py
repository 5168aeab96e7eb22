"""Options of a comparison in words that the settings of a result can carry."""

from __future__ import annotations

from enclos.studies.compare.model import Match, Stratify, Variant


def adjusted_by(variant: Variant) -> str:
    """The adjustment."""
    asked = variant.adjustment
    if isinstance(asked, Match):
        most = "exactly" if asked.fixed else "up to"
        scale = asked.scale.value.replace("_", " ")
        return f"matching 1 to {most} {asked.ratio} within {asked.caliper:g} {scale}"
    if isinstance(asked, Stratify):
        return f"{asked.n_strata} strata of the score of {asked.base.value}"
    most = "" if asked.max_weight is None else f" at most {asked.max_weight:g}"
    return f"weighting {asked.estimand.value}{most}"
