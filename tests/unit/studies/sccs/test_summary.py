"""What scripts read of a case series: one object per ratio, with the names that the design fixes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from enclos.studies.model import ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.sccs.model import Sccs
from enclos.studies.steps import run_study
from enclos.studies.summary import Value, summary
from factories.studies import tables_of
from factories.study_tables import people
from fakes.cdm import cdm_of_rows
from oracle.histories import Record

DRUG, BLEED = (
    ConceptCohort(name, (concept,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    for name, concept in (("drug", 1), ("bleed", 2))
)
PERSONS = "person | sex | born | observed | events\n" + "\n".join(
    f"{n} | F | 1950-01-01 | 2019-01-01..2019-12-31 | 2019-0{1 + n % 6}-05..2019-0{1 + n % 6}-25" for n in range(1, 13)
)


def shown(asked: Sccs) -> list[dict[str, Value]]:
    """Each of twelve persons is exposed for three weeks; every third bleeds meanwhile, the others in September."""
    found = []
    for each in people(PERSONS):
        (drug,) = each.records
        bled = drug.start_on if each.person_id % 3 == 0 else drug.start_on.replace(month=9)
        found.append(replace(each, records=(drug, Record(2, bled, bled))))
    return summary(run_study(Study("s", (DRUG, BLEED), (asked,)), cdm_of_rows(tables_of(found), n_buckets=2)))


def test_a_ratio_has_its_ends() -> None:
    (exposed,) = (
        each for each in shown(Sccs(("drug",), ("bleed",), show_failed=True)) if each["variable"] == "exposed"
    )
    assert {name: exposed[name] for name in ("analysis", "outcome_cohort_name", "level", "n_events")} == {
        "analysis": "sccs",
        "outcome_cohort_name": "bleed",
        "level": "drug",
        "n_events": 4,
    }
    # Four of twelve in 21 of 365 days, without those before an exposure and at the end, in which nobody bleeds.
    assert exposed["rate_ratio"] == pytest.approx(4 / 21 / (8 / (365 - 21 - 60)), rel=0.02)
    assert exposed["lower"] < exposed["rate_ratio"] < exposed["upper"]  # type: ignore[operator]


def test_a_ratio_that_is_not_shown_is_not_there() -> None:
    # All outcomes but four fall into one month: the rate is not stable.
    assert not any("rate_ratio" in each for each in shown(Sccs(("drug",), ("bleed",))))
