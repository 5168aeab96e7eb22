"""Random histories: phenotype diagnostics are those of the slow oracle, in any number of buckets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.studies.derived.model import First, Near
from enclos.studies.diagnose.model import Diagnosis
from enclos.studies.model import ConceptCohort, DayWindow, DerivedCohort, Study
from enclos.studies.steps import run_study
from factories.examples import drawn
from factories.random_histories import COHORTS, CONCEPTS, PEOPLE, SECOND
from factories.studies import oracle_cohort, rows_table, tables_of
from factories.told import told
from fakes.cdm import cdm_of_rows
from oracle.characterise import Key, Told
from oracle.derived import is_near
from oracle.diagnose import code_use, excluded, record_stages, started
from oracle.histories import History, Stretch, spells

NEAR = Near("first_outcome", "second_outcome", DayWindow(None, 0), False)
DERIVED = (DerivedCohort("near", NEAR), DerivedCohort("made", First("near")))
ASKED = ("made", "first_outcome")
Codes = dict[tuple[str, str], tuple[int, frozenset[int]]]


RELATED = st.frozensets(st.tuples(st.sampled_from(CONCEPTS), st.sampled_from(CONCEPTS)), max_size=4)


@given(PEOPLE, COHORTS, st.integers(1, 3), RELATED)
@settings(max_examples=drawn(60), deadline=None)
def test_diagnostics_are_those_of_the_slow_oracle(
    people: tuple[History, ...], cohort: ConceptCohort, n_buckets: int, related: frozenset[tuple[int, int]]
) -> None:
    study = Study("diagnosed", (*DERIVED, cohort, SECOND), (Diagnosis(ASKED),))
    relationships = rows_table("concept_relationship", [(one, other, "", None) for one, other in sorted(related)])
    tables = {**tables_of(people, CONCEPTS), "concept_relationship": relationships}
    result = run_study(study, cdm_of_rows(tables, n_buckets))
    own = {each.person_id: spells(each, oracle_cohort(cohort)) for each in people}
    others = {each.person_id: spells(each, oracle_cohort(SECOND)) for each in people}
    near = {
        person: [each for each in found if not is_near(each[0], others[person], (None, 0))]
        for person, found in own.items()
    }
    made = {person: sorted(found)[:1] for person, found in near.items()}
    entries = {"made": made, "first_outcome": own}

    of_records = [record_stages(person, oracle_cohort(cohort)) for person in people]
    chain = {
        reason: (sum(n), sum(map(bool, n))) for reason in of_records[0] if (n := [of[reason] for of in of_records])
    }
    if cohort.limit.value == "first":
        chain["Restricted to first entry"] = counts_of(own)
    first_outcome = excluded(chain)
    reason = "Require 0 intersections with cohort second_outcome. Intersection window: -Inf to 0 days relative to "
    more = excluded({"": counts_of(own), reason + "cohort_start_date": counts_of(near), "first": counts_of(made)})[1:]
    whole = [*first_outcome, *more]
    whole[-1] = ("Restricted to first entry", *whole[-1][1:])
    for name, expected in (("first_outcome", first_outcome), ("made", whole)):
        assert attrition(told(result, "summarise_cohort_attrition"), name) == expected

    concepts = oracle_cohort(cohort).concepts
    for name in ASKED:
        for result_type, timing in (("code_use", "overall"), ("cohort_code_use", "any"), ("cohort_code_use", "entry")):
            options = {} if timing == "overall" else {"timing": timing}
            group = name if timing == "overall" else f"{name} &&& {name}"
            expected_use = use(code_use(people, concepts, entries[name], timing))
            assert codes(told(result, result_type, **options), group) == expected_use
        orphans = {other for one, other in related if one in concepts} - set(concepts)
        expected_use = use(code_use(people, orphans, entries[name], "overall"))
        assert codes(told(result, "orphan_code_use"), name) == expected_use

    trend = told(result, "summarise_trend")
    for name in ASKED:
        expected_trend = {
            f"{year}-01-01 to {year}-12-31": (sum(of.values()), frozenset(of))
            for year, of in started(entries[name]).items()
        }
        found = {
            key[5]: (at.estimates["count"], at.persons)
            for key, at in trend.items()
            if key[0] == name and key[3] == "Number of records"
        }
        assert found == expected_trend

    overlap = told(result, "summarise_cohort_overlap")[
        "made &&& first_outcome", "overall", "overall", "In both cohorts", "Subjects", "overall"
    ]
    assert overlap.persons == frozenset(person for person, found in made.items() if found)


def counts_of(entries: Mapping[int, list[Stretch]]) -> tuple[int, int]:
    return sum(map(len, entries.values())), sum(map(bool, entries.values()))


def attrition(places: Mapping[Key, Told], cohort: str) -> list[tuple[str, int, int, int, int]]:
    rows: dict[int, tuple[str, dict[str, Any]]] = {}
    for (name, _, reason, variable, _, number), at in places.items():
        if name == cohort:
            rows.setdefault(int(number), (reason, {}))[1][variable] = at.estimates["count"]
    names = ("number_records", "number_subjects", "excluded_records", "excluded_subjects")
    return [(reason, *(counts[name] for name in names)) for _, (reason, counts) in sorted(rows.items())]


def use(found: Mapping[int, Mapping[int, int]]) -> Codes:
    rows = {(f"concept {concept}", str(concept)): of for concept, of in found.items()}
    codes: Codes = {key: (sum(of.values()), frozenset(of)) for key, of in rows.items()}
    if codes:
        persons = frozenset().union(*(persons for _, persons in codes.values()))
        codes["overall", ""] = (sum(n for n, _ in codes.values()), persons)
    return codes


def codes(places: Mapping[Key, Told], group: str) -> Codes:
    found: Codes = {}
    for (name, _, _, variable, level, _), at in places.items():
        if name == group:
            assert at.estimates["person_count"] == len(at.persons)
            assert at.persons <= at.among
            found[variable, level] = (at.estimates["record_count"], at.persons)
    return found
