"""A characterisation in a study file, and every way in which it can be wrong."""

import pytest

from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.characterise.model import Characterisation, Entries, Intersection, LargeScale, Shown
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup, DayWindow, Domain, Stratum
from enclos.studies.steps import columns_read

HEAD = """\
study: small
cohorts:
  drug: {concepts: [1], domain: drug, gap_era: 30}
  bleed: {concepts: [2], domain: condition}
analyses:
"""
FULL = """\
  - characterise:
      cohort: [drug, bleed]
      age_groups: [[0, 17], [18, 150]]
      strata: [sex, age_group]
      intersect:
        - {cohort: bleed, window: [null, -1]}
        - {cohort: [bleed, drug], window: [0, null], show: days, label: later}
      large_scale: {windows: [[null, -1], [0, 0]], event_in_window: condition, episode_in_window: [drug],
                    minimum_frequency: 0.01}
      overlap: true
      timing: first
      standardised_differences: true
"""


def test_every_option_arrives() -> None:
    study = study_from_yaml(HEAD + FULL)
    assert study.cohorts[0].gap_era_days == 30
    assert study.analyses == (
        Characterisation(
            ("drug", "bleed"),
            (AgeGroup(0, 17), AgeGroup(18, 150)),
            (Stratum.SEX, Stratum.AGE_GROUP),
            (
                Intersection(("bleed",), DayWindow(None, -1)),
                Intersection(("bleed", "drug"), DayWindow(0, None), Shown.DAYS, "later"),
            ),
            LargeScale((DayWindow(None, -1), DayWindow(0, 0)), (Domain.CONDITION,), (Domain.DRUG,), 0.01),
            overlap=True,
            timing=Entries.FIRST,
            differences=True,
        ),
    )
    assert columns_read(study)["concept"] == ("concept_id", "concept_name")


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("cohort: nobody", "characterise.cohort[0]: there is no cohort of that name"),
        ("cohort: [bleed, bleed]", "characterise.cohort: a value is given twice"),
        ("cohort: bleed, age_groups: [[0, 17], [17, 20]]", "characterise.age_groups: an age is in two groups"),
        ("cohort: bleed, age_groups: [[17, 0]]", "age_groups[0]: an age group is [lowest, highest]"),
        ("cohort: bleed, strata: age_group", "characterise.strata: age_group needs age_groups"),
        ("cohort: bleed, overlap: true", "characterise.overlap: comparing cohorts needs two of them"),
        ("cohort: bleed, timing: all", "characterise.timing: comparing cohorts needs two of them"),
        ("cohort: bleed, intersect: [{cohort: nobody, window: [0, 0]}]", "intersect[0].cohort[0]: there is no cohort"),
        ("cohort: bleed, intersect: [{cohort: drug, window: [1, 0]}]", "intersect[0].window: a window is [first day"),
        (
            "cohort: bleed, intersect: [{cohort: drug, window: [0, 0]}, {cohort: drug, window: [0, 0]}]",
            "intersect[1]: two intersections have one name",
        ),
        ("cohort: bleed, large_scale: {windows: [[0, 0]]}", "large_scale: there is event_in_window or episode"),
        (
            "cohort: bleed, large_scale: {windows: [[1, 0]], event_in_window: drug}",
            "large_scale.windows[0]: a window is [first day, last day]",
        ),
    ],
)
def test_what_is_wrong_is_named(options: str, fault: str) -> None:
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(f"{HEAD}  - characterise: {{{options}}}\n")
    assert fault in str(refused.value)


def test_gap_eras_belong_to_drugs() -> None:
    text = HEAD.replace("domain: condition", "domain: condition, gap_era: 30") + FULL
    with pytest.raises(NotAsPromised, match=r"cohorts.bleed.gap_era: only a cohort of drugs has this option"):
        study_from_yaml(text)
