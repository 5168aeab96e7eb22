"""A utilisation in a study file, and every way in which it can be wrong."""

import pytest

from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.document import study_from_yaml
from enclos.studies.model import AgeGroup, DayWindow, Domain, Stratum
from enclos.studies.steps import columns_read
from enclos.studies.utilisation.model import Adherence, Indications, Restart, Treatments, Until, Utilisation

HEAD = """\
study: small
cohorts:
  drug: {concepts: [1], domain: drug, gap_era: 30}
  other: {concepts: [3], domain: drug}
  bleed: {concepts: [2], domain: condition}
  third: {concepts: [4], domain: drug}
  drug_by_box: {concepts: [1], domain: drug, duration: one-box-30}
analyses:
"""
FULL = """\
  - utilisation:
      cohort: [drug, bleed]
      exposures: [drug, other]
      gap_era: 7
      ingredient: 9
      until: observation_end
      incident: false
      indication: {cohort: bleed, windows: [[-30, 0], [null, 0]], unknown: [condition]}
      treatment: {cohort: [other, bleed], windows: [[0, 30]], exclusive: true}
      dose_coverage: 9
      covered_days: 180
      adherence: {days: 180, threshold: 0.75}
      restart: {switch: third, days: [30, null], incident: false, first_only: false}
      strata: [sex, age_group]
      age_groups: [[0, 17], [18, 150]]
"""


def test_every_option_arrives() -> None:
    study = study_from_yaml(HEAD + FULL)
    assert study.analyses == (
        Utilisation(
            ("drug", "bleed"),
            ("drug", "other"),
            7,
            9,
            Until.OBSERVATION_END,
            incident=False,
            indications=Indications(("bleed",), (DayWindow(-30, 0), DayWindow(None, 0)), (Domain.CONDITION,)),
            covered_days=180,
            restart=Restart(("third",), (30, None), incident=False, first_only=False),
            strata=(Stratum.SEX, Stratum.AGE_GROUP),
            age_groups=(AgeGroup(0, 17), AgeGroup(18, 150)),
            treatments=Treatments(("other", "bleed"), (DayWindow(0, 30),), exclusive=True),
            dose_coverage=(9,),
            adherence=Adherence(180, 0.75),
        ),
    )
    columns = columns_read(study)
    assert "amount_value" in columns["drug_strength"]
    assert {"quantity", "route_concept_id"} <= set(columns["drug_exposure"])
    assert columns["concept"] == ("concept_id", "concept_name")


def test_exposures_are_those_of_the_cohorts_unless_said_otherwise() -> None:
    (analysis,) = study_from_yaml(f"{HEAD}  - utilisation: {{cohort: [drug, other]}}\n").analyses
    assert analysis == Utilisation(("drug", "other"), ("drug", "other"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("cohort: nobody", "utilisation.cohort[0]: there is no cohort of that name"),
        ("cohort: [drug, drug]", "utilisation.cohort: a value is given twice"),
        ("cohort: bleed", "utilisation.cohort[0]: exposures are cohorts made of concepts of drugs"),
        ("cohort: drug, exposures: bleed", "utilisation.exposures[0]: exposures are cohorts made of concepts of drugs"),
        ("cohort: drug, exposures: nobody", "utilisation.exposures[0]: there is no cohort of that name"),
        ("cohort: drug, indication: {cohort: nobody, windows: [[0, 0]]}", "indication.cohort[0]: there is no cohort"),
        (
            "cohort: drug, indication: {cohort: bleed, windows: [[1, 0]]}",
            "indication.windows[0]: a window is [first day, last day]",
        ),
        ("cohort: drug, treatment: {cohort: nobody, windows: [[0, 0]]}", "treatment.cohort[0]: there is no cohort"),
        ("cohort: drug, treatment: {cohort: other, windows: [[1, 0]]}", "treatment.windows[0]: a window is"),
        ("cohort: drug, dose_coverage: [9, 9]", "utilisation.dose_coverage: a value is given twice"),
        ("cohort: drug, strata: age_group", "utilisation.strata: age_group needs age_groups"),
        ("cohort: drug, restart: {switch: nobody}", "restart.switch[0]: there is no cohort of that name"),
        ("cohort: drug, restart: {switch: other, days: [30, 30]}", "restart.days: a value is given twice"),
        ("cohort: drug, restart: {switch: [other, drug]}", "restart.switch[1]: a switch is to another drug than"),
        ("cohort: drug, restart: {switch: drug_by_box}", "restart.switch[0]: a switch is to another drug than"),
        ("cohort: drug, adherence: {threshold: 0}", "adherence.threshold"),
        ("cohort: drug, adherence: {threshold: 80}", "adherence.threshold"),
        ("cohort: drug, adherence: {days: 0}", "adherence.days"),
    ],
)
def test_what_is_wrong_is_named(options: str, fault: str) -> None:
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(f"{HEAD}  - utilisation: {{{options}}}\n")
    assert fault in str(refused.value)
