"""What scripts read of a case series: one object per ratio, with the names that the design fixes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from enclos.release.rules.designs import WORDS
from enclos.studies.model import ConceptCohort, Domain, Limit, OpenEnd, Study
from enclos.studies.sccs.model import Cases, Sccs, Thresholds
from enclos.studies.sccs.observation import Ending
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
    again = replace(BLEED, name="again")
    return summary(run_study(Study("s", (DRUG, BLEED, again), (asked,)), cdm_of_rows(tables_of(found), n_buckets=2)))


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


def test_how_observation_was_found_to_end_is_told_in_words_that_may_leave() -> None:
    asked = Sccs(("drug",), ("bleed",), cases=Cases(first_outcome_only=True), weigh_observation=True)
    (model,) = (each for each in shown(asked) if each["variable"] == "model")
    assert model["observation_model"] in {each.value for each in Ending}
    assert {each.value for each in Ending} <= WORDS
    (plain,) = (each for each in shown(replace(asked, weigh_observation=False)) if each["variable"] == "model")
    assert "observation_model" not in plain


def test_a_ratio_that_is_not_shown_is_not_there() -> None:
    # All outcomes but four fall into one month: the rate is not stable.
    assert not any("rate_ratio" in each for each in shown(Sccs(("drug",), ("bleed",))))


def test_controls_calibrate_what_is_shown_and_withhold_what_they_do_not_hold() -> None:
    """The outcome itself as its control: the calibrated ratio is none."""
    limits = Thresholds(time_stability=20.0, ease=None)
    asked = Sccs(("drug",), ("bleed",), thresholds=limits, negative_controls=("again",))
    rows = shown(asked)
    (exposed,) = (each for each in rows if each["variable"] == "exposed" and each["analysis"] == "sccs")
    ratio, lower = (float(str(exposed[name])) for name in ("rate_ratio", "lower"))
    assert exposed["calibrated_rate_ratio"] == pytest.approx(1, abs=0.02)
    assert exposed["e_value"] == pytest.approx(ratio + math.sqrt(ratio * (ratio - 1)), rel=1e-6)
    assert exposed["e_value_limit"] == pytest.approx(lower + math.sqrt(lower * (lower - 1)), rel=1e-6)
    (control,) = (each for each in rows if each["analysis"] == "sccs_controls" and "rate_ratio" in each)
    assert (control["outcome_cohort_name"], control["rate_ratio"]) == ("again", exposed["rate_ratio"])
    judged = {each["variable"]: each for each in rows if each["analysis"] == "sccs_diagnostics"}
    assert (judged["ease"]["verdict"], judged["mdrr"]["verdict"]) == ("not evaluated", "pass")
    assert judged["mdrr"]["most"] == 10.0
    blinded = shown(replace(asked, thresholds=replace(limits, ease=0.25)))
    for each in blinded:
        if each["analysis"] == "sccs" and each["variable"] == "exposed":
            assert not {"rate_ratio", "n_events", "person_days", "e_value", "calibrated_rate_ratio"} & set(each)
    # What fails for one window says nothing of the others.
    (end,) = (each for each in blinded if each["variable"] == "end_of_observation")
    assert "person_days" in end
