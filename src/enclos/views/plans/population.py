"""The persons whom a permit lets in."""

from __future__ import annotations

from decimal import Decimal

from enclos.contracts.omop import START_DATES
from enclos.contracts.view import (
    CONCEPT_COLUMNS,
    PERSON_SOURCE_TABLE,
    FromSource,
    InCohort,
    Population,
    RandomSample,
    Residents,
    ViewTerms,
    WholeBase,
    WithConcept,
    WithControls,
)
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.views.plans.members import OPTED_OUT
from enclos.views.plans.phrases import day, read, spread
from enclos.views.ports import Snapshot

COHORT_PERSONS = "permit_cohort_persons"
"""The persons of a cohort definition, while a permit with such a population is opened: person_id."""

_MILLIONTHS = 1_000_000


def plan_candidates(terms: ViewTerms, snapshot: Snapshot) -> str:
    """The persons whom a permit lets in.

    Out: one row per person: bucket, person_id.
    Refuses: VIEW_POPULATION when the snapshot does not hold what tells who belongs.
    """
    if isinstance(terms.population, WithControls):
        return _with_controls(terms.population, terms, snapshot)
    return _observed(terms.population, terms, snapshot)


def plan_roster(terms: ViewTerms, snapshot: Snapshot, bucket: int) -> str:
    """The persons of a bucket in the order of their numbers, and whom a permit is likely to let in.

    What is likely is cheap to say and hangs on the snapshot alone; a perimeter keeps only where it is wrong.
    Out: one row per person: person_id, is_likely.
    """
    cheap = isinstance(terms.population, WholeBase | FromSource | RandomSample | Residents)
    likely = _member(terms.population, terms, snapshot) if cheap else "false"
    persons = read(snapshot, "person", "person")
    return (
        f"SELECT person_id, coalesce({likely}, false) AS is_likely FROM {persons} WHERE bucket = {bucket} "
        "ORDER BY person_id"
    )


def _observed(population: Population, terms: ViewTerms, snapshot: Snapshot) -> str:
    """The persons of a population who were observed in the period and did not object."""
    start, end = day(terms.period.start_on), day(terms.period.end_on)
    return (
        f"SELECT person.bucket, person.person_id FROM {read(snapshot, 'person', 'person')} "
        f"WHERE person.person_id IN (SELECT person_id FROM {snapshot.relation('observation_period')} "
        f"WHERE observation_period_start_date < {end} AND observation_period_end_date >= {start}) "
        f"AND {_member(population, terms, snapshot)} "
        f"AND person.person_id NOT IN (SELECT person_id FROM {OPTED_OUT})"
    )


def _with_controls(population: WithControls, terms: ViewTerms, snapshot: Snapshot) -> str:
    """Cases and their controls; both are drawn from those who are observed and did not object."""
    drawn = spread(f"concat({population.seed}, ':', person_id)")
    places = (
        f"LEFT JOIN {read(snapshot, 'location', 'place')} USING (location_id)"
        if "location" in snapshot.tables
        else "LEFT JOIN (SELECT NULL AS county) AS place ON false"
    )
    return (
        f"WITH cases AS MATERIALIZED ({_observed(population.cases, terms, snapshot)}), "
        "known AS MATERIALIZED (SELECT everybody.*, concat(coalesce(year_of_birth, 0), '|', "
        "coalesce(gender_concept_id, 0), '|', coalesce(county, '')) AS alike, "
        "everybody.person_id IN (SELECT person_id FROM cases) AS is_case "
        f"FROM ({_observed(WholeBase(), terms, snapshot)}) AS everybody "
        f"JOIN {read(snapshot, 'person', 'person')} USING (person_id) {places}), "
        f"wanted AS (SELECT alike, count(*) * {population.per_case} AS n FROM known WHERE is_case GROUP BY alike), "
        f"ranked AS (SELECT *, row_number() OVER (PARTITION BY alike ORDER BY {drawn}, person_id) AS turn "
        "FROM known WHERE NOT is_case) "
        "SELECT bucket, person_id FROM cases UNION ALL "
        "SELECT bucket, person_id FROM ranked JOIN wanted USING (alike) WHERE turn <= n"
    )


def _member(population: Population, terms: ViewTerms, snapshot: Snapshot) -> str:
    """Whether ``person`` belongs to the population."""
    match population:
        case FromSource(source):
            _needs(snapshot, PERSON_SOURCE_TABLE, "which source a person came from")
            came = f"SELECT person_id FROM {snapshot.relation(PERSON_SOURCE_TABLE)} WHERE source = '{source}'"
            return f"person.person_id IN ({came})"
        case RandomSample(percent, seed):
            drawn = spread(f"concat({seed}, ':', person.person_id)")
            return f"{drawn} % {_MILLIONTHS} < {int(percent * _MILLIONTHS / Decimal(100))}"
        case Residents(departments):
            _needs(snapshot, "location", "where persons live")
            listed = ", ".join(f"'{code}'" for code in departments)
            homes = f"SELECT location_id FROM {snapshot.relation('location')} WHERE county IN ({listed})"
            return f"person.location_id IN ({homes})"
        case WithConcept():
            return _has_concept(population, terms, snapshot)
        case InCohort():
            return f"person.person_id IN (SELECT person_id FROM {COHORT_PERSONS})"
    return "true"


def _has_concept(population: WithConcept, terms: ViewTerms, snapshot: Snapshot) -> str:
    table, concept = CONCEPT_COLUMNS[population.domain]
    _needs(snapshot, table, f"what a {population.domain} is")
    wanted = f"SELECT unnest({list(population.concepts)}::BIGINT[])"
    if population.descendants:
        _needs(snapshot, "concept_ancestor", "which concepts descend from one")
        wanted += (
            f" UNION SELECT descendant_concept_id FROM {snapshot.relation('concept_ancestor')} "
            f"WHERE ancestor_concept_id IN ({', '.join(map(str, population.concepts))})"
        )
    start = START_DATES[table]
    return (
        f"person.person_id IN (SELECT person_id FROM {snapshot.relation(table)} WHERE {concept} IN ({wanted}) "
        f"AND {start} >= {day(terms.period.start_on)} AND {start} < {day(terms.period.end_on)})"
    )


def _needs(snapshot: Snapshot, table: str, what: str) -> None:
    if table not in snapshot.tables:
        raise _untold(what)


def _untold(what: str) -> Refusal:
    return refusal(
        Code.VIEW_POPULATION,
        f"This snapshot does not say {what}.",
        "Use another population, or build a snapshot that says it.",
    )
