"""What an analysis tells of a department is what it tells of all where nobody else is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from enclos.contracts.result import OVERALL, StudyResult
from enclos.studies.characterise.model import Characterisation
from enclos.studies.diagnose.model import Diagnosis
from enclos.studies.model import (
    AgeGroup,
    CohortAnalysis,
    ConceptCohort,
    Domain,
    Incidence,
    Limit,
    OpenEnd,
    Population,
    Stratum,
    Study,
)
from enclos.studies.pathways.model import Pathways, Steps
from enclos.studies.pathways.model import Stratum as PathStratum
from enclos.studies.standard.model import Standard
from enclos.studies.steps import run_study
from enclos.studies.steps.vocabulary import columns_read
from enclos.studies.survival.model import FollowUp, Shown, Survival
from enclos.studies.utilisation.model import Restart, Utilisation
from factories.random_histories import SECOND, TREATED
from factories.studies import tables_of
from factories.study_tables import EVENTS, people
from fakes.cdm import cdm_of_rows
from oracle.histories import History

DRUG = ConceptCohort("drug", (4, 5), False, Domain.DRUG, Limit.ALL, OpenEnd.EVENT_END, None, 7)
HOME = (Stratum.DEPARTMENT,)
ANALYSES: Sequence[CohortAnalysis] = (
    Characterisation(("drug", "second_outcome"), (), HOME, overlap=True, differences=True),
    Diagnosis(("drug",), strata=HOME),
    Utilisation(("drug",), ("drug",), strata=HOME, covered_days=5, restart=Restart(("second_outcome",), (30,))),
    Survival(
        ("drug",),
        ("second_outcome",),
        follow_up=FollowUp(n_days=300),
        shown=Shown(event_gap_days=30, estimate_gap_days=30, restricted_mean_days=300),
        strata=(HOME, (Stratum.SEX, Stratum.DEPARTMENT)),
    ),
    Pathways(("second_outcome",), ("drug",), steps=Steps(), strata=(PathStratum.DEPARTMENT,)),
)
Key = tuple[str | None, ...]


def rows(found: StudyResult, strata_name: str, level: str | None = None) -> dict[Key, str | None]:
    """The numbers of one stratum by all else that names them."""
    types = {each.result_id: each.result_type for each in found.settings}
    names = ("group_level", "variable_name", "variable_level", "additional_level", "estimate_name")
    return {
        (types[row["result_id"]], *(row[name] for name in names)): row["estimate_value"]
        for row in found.table.to_pylist()
        if row["strata_name"] == strata_name
        and level in {None, row["strata_level"]}
        # all together are followed to the end of follow-up, a stratum to its own last day, as in CohortSurvival
        and not row["estimate_name"].startswith("restricted_mean")
    }


def told(treated: Sequence[History], analysis: CohortAnalysis, n_buckets: int = 1) -> StudyResult:
    cdm = cdm_of_rows(tables_of(list(treated)), n_buckets)
    return run_study(Study("spec", (DRUG, SECOND), (analysis,)), cdm)


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda each: type(each).__name__)
@settings(max_examples=6, deadline=None, phases=[Phase.generate])
@given(TREATED, st.integers(1, 3))
def test_a_department_is_told_as_if_it_were_all(
    analysis: CohortAnalysis, treated: tuple[History, ...], n_buckets: int
) -> None:
    whole = told(treated, analysis, n_buckets)
    for department in {each.department for each in treated}:
        level = "None" if department is None else str(department)
        own = rows(told([each for each in treated if each.department == department], analysis), OVERALL)
        apart = rows(whole, "department", level)
        shared = {key: value for key, value in apart.items() if key in own}
        assert shared == {key: own[key] for key in shared}
        sizes = [key for key in apart if key[-1] == "count" and str(key[2]).lower() == "number subjects"]
        assert all(key in own for key in sizes)


def test_standardised_rates_of_a_department_are_those_of_its_persons() -> None:
    standard = Standard("own", (((0, 39), 3), ((40, 150), 1)))
    population = Population((AgeGroup(0, 39), AgeGroup(40, 150)), strata=(HOME,))
    lines = ["person | sex | born | observed | events"]
    for number in range(1, 41):
        born, event = ("2000-01-01", "1950-01-01")[number % 2], "2019-07-02" if number % 3 == 0 else ""
        lines.append(f"{number} | F | {born} | 2019-01-01..2020-12-31 | {event}")
    histories = [replace(each, department=75 if each.person_id % 5 < 3 else 13) for each in people("\n".join(lines))]
    study = Study("spec", (EVENTS,), (Incidence(("events",), population, standard=standard),))
    whole = run_study(study, cdm_of_rows(tables_of(histories), 3))
    for department in (13, 75):
        own = [each for each in histories if each.department == department]
        alone = rows(run_study(study, cdm_of_rows(tables_of(own))), OVERALL)
        apart = rows(whole, "department", str(department))
        rates = {key: value for key, value in apart.items() if key[0] == "incidence_standardised"}
        assert len(rates) == 6
        assert rates == {key: alone[key] for key in rates}


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda each: type(each).__name__)
def test_where_persons_live_is_read_only_where_it_is_asked_for(analysis: CohortAnalysis) -> None:
    by_home = columns_read(Study("spec", (DRUG, SECOND), (analysis,)))
    without = columns_read(Study("spec", (DRUG, SECOND), (replace(analysis, strata=()),)))
    assert "county" in by_home["location"]
    assert "location" not in without
