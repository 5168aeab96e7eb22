"""What a study file may say of pathways, and what it is told when it says something else."""

from __future__ import annotations

import pytest

from enclos.lexicon.refusals import Refusal
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup
from enclos.studies.pathways.model import Keep, Pathways, Steps, Stratum

HEAD = """
study: s
cohorts:
  gout: {concepts: [1], domain: condition}
  a: {concepts: [2], domain: drug, end: event_end}
  b: {concepts: [3], domain: drug, end: event_end}
analyses:
  - pathways: """


def asked(options: str) -> object:
    return study_from_yaml(HEAD + options).analyses[0]


def test_an_analysis_has_the_peers_steps_when_none_are_given() -> None:
    assert asked("{target: gout, treatments: [a, b]}") == Pathways(
        ("gout",), ("a", "b"), None, Steps(0, 30, 30, 30, Keep.FIRST, 5)
    )


def test_every_option_is_read() -> None:
    options = """{target: gout, treatments: [a, b], follow_up_days: 365, min_era_duration: 7, era_collapse: 3,
    combination_window: 14, min_post_combination: 10, filter_treatments: changes, max_path_length: 3,
    age_groups: [[0, 64], [65, 150]], strata: [age_group, sex, index_year]}"""
    assert asked(options) == Pathways(
        ("gout",),
        ("a", "b"),
        365,
        Steps(7, 3, 14, 10, Keep.CHANGES, 3),
        (AgeGroup(0, 64), AgeGroup(65, 150)),
        (Stratum.AGE_GROUP, Stratum.SEX, Stratum.INDEX_YEAR),
    )


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("{target: nobody, treatments: a}", "target[0]: there is no cohort of that name"),
        ("{target: gout, treatments: [a, a]}", "treatments: a value is given twice"),
        ("{target: gout, treatments: a, strata: age_group}", "age_group needs age_groups"),
        ("{target: gout, treatments: a, age_groups: [[0, 9]]}", "strata does not name age_group"),
        ("{target: gout, treatments: a, strata: age_group, age_groups: [[0, 9], [9, 20]]}", "an age is in two groups"),
        ("{target: gout, treatments: a, max_path_length: 21}", "max_path_length"),
        ("{target: gout, treatments: a, filter_treatments: last}", "filter_treatments"),
    ],
)
def test_a_fault_names_its_place(options: str, what: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(options)
    assert what in str(refused.value)
    assert "line 8" in str(refused.value)


@pytest.mark.parametrize(
    "wrong",
    [{"targets": ()}, {"treatments": ("a", "a")}, {"follow_up_days": 0}, {"strata": (Stratum.AGE_GROUP,)}],
)
def test_nonsense_is_no_pathways(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Pathways(**{"targets": ("gout",), "treatments": ("a",), **wrong})  # type: ignore[arg-type]
