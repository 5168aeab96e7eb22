"""Diagnostics are read from the study, or refused with their line."""

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.diagnose.model import DECADES, Diagnosis
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup, Interval, Stratum
from enclos.studies.steps import columns_read

HEAD = """\
study: diagnosed
cohorts:
  a: {concepts: [1], domain: drug}
  b: {concepts: [2], domain: condition}
analyses:
"""


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ("{cohort: a}", Diagnosis(("a",), DECADES)),
        (
            "{cohort: [a, b], age_groups: [[0, 17], [18, 150]], strata: [sex, age_group], interval: months}",
            Diagnosis(
                ("a", "b"),
                (AgeGroup(0, 17), AgeGroup(18, 150)),
                (Stratum.SEX, Stratum.AGE_GROUP),
                Interval.MONTHS,
            ),
        ),
    ],
)
def test_diagnostics_are_read(options: str, asked: Diagnosis) -> None:
    study = study_from_yaml(f"{HEAD}  - diagnose: {options}\n")
    assert study.analyses == (asked,)
    assert columns_read(study)["concept"] == ("concept_id", "concept_name")


@pytest.mark.parametrize(
    ("options", "code", "fault"),
    [
        ("{cohort: z}", Code.STUDY_UNKNOWN_NAME, "line 6, analyses[0].diagnose.cohort[0]: there is no cohort"),
        ("{cohort: [a, a]}", Code.STUDY_INVALID, "analyses[0].diagnose.cohort: a value is given twice"),
        ("{cohort: a, interval: overall}", Code.STUDY_INVALID, "analyses[0].diagnose.interval"),
        (
            "{cohort: a, age_groups: [[0, 20], [18, 30]]}",
            Code.STUDY_INVALID,
            "analyses[0].diagnose.age_groups: an age is in two groups",
        ),
        (
            "{cohort: a, orphans: true}",
            Code.STUDY_UNKNOWN_NAME,
            "analyses[0].diagnose.orphans: there is no such option",
        ),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(options: str, code: Code, fault: str) -> None:
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(f"{HEAD}  - diagnose: {options}\n")
    assert refused.value.code is code
    assert fault in str(refused.value)


def test_a_diagnosis_cannot_be_nonsense() -> None:
    for nonsense in ({"cohorts": ()}, {"cohorts": ("a", "a")}, {"cohorts": ("a",), "interval": Interval.OVERALL}):
        with pytest.raises(ValueError, match=r"cohort|interval"):
            Diagnosis(**nonsense)  # type: ignore[arg-type]
