"""Events of one table: three scans a bucket answer all that is asked of it.

One scan makes a row per person, concept and month, from which persons are counted; one groups records by several
sets of columns at once; one counts what is wrong. An event counts as often as observation periods hold its day.

Source: OHDSI Achilles 1.8, analyses 200–1032, 1300–1332, 1800–2132, as definitions.
"""

from __future__ import annotations

from collections.abc import Iterator

from enclos.warehouse.profile.catalogue import DOMAINS, OLDER_NAMES, Domain, Grouping
from enclos.warehouse.profile.plans.partial import COUNTS, VALUES, Source, add_counts, add_values
from enclos.warehouse.profile.plans.people import PERIODS, PERSONS, decile

_MONTHS, _FIRSTS, _GROUPS = "profile_months", "profile_firsts", "profile_groups"
VISIT, VISIT_DETAIL, DEATH, OBSERVATION = 200, 1300, 500, 800
LAST_EVENTS = {511: 400, 512: 700, 513: 200, 514: 600, 515: 800}
"""Days from death to the last event, by the base of the event's domain."""


def plan_column(domain: Domain, source: Source, name: str) -> str:
    """The column under its present or its older name, NULL when the table has neither."""
    older = OLDER_NAMES.get((domain.table, name), name)
    return source.column(name if source.has(name) else older)


def _times_observed(first_day: str, last_day: str) -> str:
    """How many observation periods hold the days from the first to the last."""
    held = f"{first_day} >= {{0}}.{{1}} AND {last_day} <= {{0}}.{{2}}"
    return (
        f"coalesce(CAST({held.format('o', 'first_on', 'last_on')} AS INTEGER), 0) + CASE WHEN o.more IS NULL THEN 0"
        f" ELSE len(list_filter(o.more, lambda s: coalesce({held.format('s', 'a', 'b')}, false))) END"
    )


def _placed(domain: Domain, source: Source, *columns: str, last_day: str = "") -> str:
    """Events with the day, the concept and the number of periods that hold them."""
    day = f'CAST(t."{domain.start}" AS DATE)'
    listed = "".join(f", {column}" for column in columns)
    return (
        f"SELECT t.person_id, {day} AS day, {source.column(domain.concept)} AS concept_id,"
        f" {_times_observed(day, last_day or day)} AS times{listed}"
        f" FROM {source.relation} AS t LEFT JOIN {PERIODS} AS o ON t.person_id = o.person_id"
    )


def plan_months(domain: Domain, source: Source) -> tuple[str, ...]:
    """A row per person, concept and month; and a row per person and concept, of events inside observation."""
    months = (
        "SELECT person_id, concept_id, year(day) * 100 + month(day) AS month, sum(times) AS n,"
        " count(*) FILTER (WHERE times = 0) AS n_outside, max(day) FILTER (WHERE times > 0) AS last_on"
        f" FROM ({_placed(domain, source)}) GROUP BY ALL"
    )
    firsts = (
        f"SELECT person_id, concept_id, sum(n) AS n, min(month) // 100 AS year FROM {_MONTHS} WHERE n > 0 GROUP BY ALL"
    )
    marks = (
        f"SELECT person_id, {domain.base}, bool_or(n > 0), max(last_on)"
        f" FROM {_MONTHS} WHERE person_id IS NOT NULL GROUP BY person_id"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {_MONTHS} AS {months}",
        f"CREATE OR REPLACE TEMP TABLE {_FIRSTS} AS {firsts}",
        f"INSERT INTO profile_marks {marks}",
    )


def count_months(domain: Domain) -> Iterator[str]:
    """All that the two tables of ``plan_months`` answer."""
    base, inside = domain.base, f"{_MONTHS} WHERE n > 0"
    yield add_counts(base, ("concept_id",), "count(*)", _FIRSTS)
    yield add_counts(base + 1, ("concept_id",), "sum(n)", _FIRSTS)
    if base == DEATH:
        yield from _count_deaths()
        return
    yield add_counts(base + 2, ("concept_id", "month"), "count(*)", inside)
    yield add_counts(base + 20, ("month",), "sum(n)", inside)
    person = f"{PERSONS} AS p ON t.person_id = p.person_id"
    years = f"(SELECT DISTINCT person_id, concept_id, month // 100 AS year FROM {inside}) AS t JOIN {person}"
    strata = ("t.concept_id", "t.year", "p.gender_concept_id", decile("t.year"))
    yield add_counts(base + 4, strata, "count(*)", years)
    if domain.asks(3):
        each = f"(SELECT count(concept_id) AS n_concepts FROM {_FIRSTS} GROUP BY person_id)"
        yield add_values(base + 3, (), "n_concepts", each)
    joined = f"{_FIRSTS} AS t JOIN {person}"
    yield add_values(base + 6, ("t.concept_id", "p.gender_concept_id"), "(t.year - p.year_of_birth)", joined)
    if domain.asks(91):
        yield add_counts(base + 91, ("concept_id", "n"), "count(*)", _FIRSTS)
    if base in {VISIT, VISIT_DETAIL}:
        yield add_counts(base + 21, ("month // 100",), "count(DISTINCT person_id)", inside)
        # The peer's visits by year (212) ask for no observation, its visit details (1312) do.
        asked = _MONTHS if base == VISIT else inside
        any_year = f"(SELECT DISTINCT person_id, month // 100 AS year FROM {asked}) AS t JOIN {person}"
        yield add_counts(base + 12, ("t.year", "p.gender_concept_id", decile("t.year")), "count(*)", any_year)


def _count_deaths() -> Iterator[str]:
    inside = f"{_MONTHS} WHERE n > 0"
    yield add_counts(DEATH + 2, ("month",), "count(DISTINCT person_id)", inside)
    person = f"{PERSONS} AS p ON t.person_id = p.person_id"
    years = f"(SELECT DISTINCT person_id, month // 100 AS year FROM {inside}) AS t JOIN {person}"
    yield add_counts(DEATH + 4, ("t.year", "p.gender_concept_id", decile("t.year")), "count(*)", years)
    first = f"(SELECT person_id, min(year) AS year FROM {_FIRSTS} GROUP BY person_id) AS t JOIN {person}"
    yield add_values(DEATH + 6, ("p.gender_concept_id",), "(t.year - p.year_of_birth)", first)


def plan_outside_persons() -> str:
    """Persons with a record outside observation, and persons with a record. Out: one row: outside, persons."""
    return f"SELECT count(DISTINCT person_id) FILTER (WHERE n_outside > 0), count(DISTINCT person_id) FROM {_MONTHS}"


_LENGTHS = {200: 13, 1300: 13, 900: 7, 1000: 7}
"""Whose length is asked: the offset by the domain's base."""


def plan_lengths(domain: Domain, source: Source) -> str | None:
    """How long visits and eras last; None for events of a day."""
    if domain.base not in _LENGTHS:
        return None
    start, end = f'CAST(t."{domain.start}" AS DATE)', f'CAST(t."{domain.end}" AS DATE)'
    # A visit must also end inside the period (213).
    last_day = f"coalesce({end}, {start})" if domain.base == VISIT else ""
    placed = _placed(domain, source, f"date_diff('day', {start}, {end}) AS n_days", last_day=last_day)
    observed = f"(SELECT * FROM ({placed}) WHERE times > 0)"
    return add_values(domain.base + _LENGTHS[domain.base], ("concept_id",), "n_days", observed, "sum(times)")


_RANGED = "value_as_number IS NOT NULL AND range_low IS NOT NULL AND range_high IS NOT NULL"
_MADE = {
    "_range_low": f"CASE WHEN {_RANGED} THEN range_low END",
    "_range_high": f"CASE WHEN {_RANGED} THEN range_high END",
    "_place": (
        f"CASE WHEN {_RANGED} AND unit_concept_id IS NOT NULL THEN CASE WHEN value_as_number < range_low THEN"
        " 'Below Range Low' WHEN value_as_number <= range_high THEN 'Within Range'"
        " WHEN value_as_number > range_high THEN 'Above Range High' ELSE 'Other' END END"
    ),
    "_has_value": "(value_as_number IS NOT NULL OR coalesce(value_as_concept_id, 0) <> 0)",
}
"""Columns that are made from others, and the columns that they need."""


def plan_groups(domain: Domain, source: Source) -> tuple[str, ...]:
    """Group records by every asked set of columns in one scan, then hand the groups out to their analyses."""
    asked = domain.groupings
    if not asked:
        return ()
    names = list(dict.fromkeys(name for grouping in asked for name in grouping.columns))
    made = [f"{_MADE.get(name) or plan_column(domain, source, name)} AS k{index}" for index, name in enumerate(names)]
    keys = ", ".join(f"k{index}" for index in range(len(names)))
    sets = ", ".join(f"({', '.join(f'k{names.index(name)}' for name in grouping.columns)})" for grouping in asked)
    grouped = (
        f"SELECT {keys}, GROUPING({keys}) AS level, sum(times) AS n_inside, count(*) AS n_records"
        f" FROM ({_placed(domain, source, *made)}) GROUP BY GROUPING SETS ({sets})"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {_GROUPS} AS {grouped}",
        *(_hand_out(domain, grouping, names) for grouping in asked),
    )


def _hand_out(domain: Domain, grouping: Grouping, names: list[str]) -> str:
    level = sum(1 << (len(names) - 1 - index) for index, name in enumerate(names) if name not in grouping.columns)
    columns = [f"k{names.index(name)}" for name in grouping.columns]
    n = "n_inside" if grouping.inside else "n_records"
    where = [f"level = {level}", f"{n} > 0"]
    analysis = domain.base + grouping.offset
    if grouping.known:
        where += [f"{columns[0]} IS NOT NULL", f"{columns[0]} <> 0"]
    if grouping.as_value:
        where += [f"{column} IS NOT NULL" for column in columns]
    elif "_place" in grouping.columns:
        where.append(f"{columns[-1]} IS NOT NULL")
    strata = columns[:-1] if grouping.as_value else columns
    listed = "".join(f", CAST({column} AS VARCHAR)" for column in strata)
    into = "".join(f", s{number}" for number in range(1, len(strata) + 1))
    if grouping.as_value:
        return (
            f"INSERT INTO {VALUES} (analysis_id{into}, value, n) SELECT {analysis}{listed},"
            f" CAST({columns[-1]} AS DOUBLE), {n} FROM {_GROUPS} WHERE {' AND '.join(where)}"
        )
    return (
        f"INSERT INTO {COUNTS} (analysis_id{into}, n) SELECT {analysis}{listed}, {n}"
        f" FROM {_GROUPS} WHERE {' AND '.join(where)}"
    )


def plan_totals(domain: Domain, source: Source) -> str:
    """Records of a table as a whole.

    Out: one row: all, inside, outside, of nobody, ending early, without value, without number.
    """
    backwards = "false"
    if domain.end:
        backwards = f't."{domain.end}" < t."{domain.start}"'
    no_number = f"{source.column('value_as_number')} IS NULL"
    # An observation's value may be text; a measurement's may not.
    no_value = f"{no_number} AND {source.column('value_as_string')} IS NULL AND value_as_concept_id IS NULL"
    valued = domain.base == OBSERVATION
    columns = (
        f"{backwards} AS backwards",
        f"{no_value if valued else 'false'} AS no_value",
        f"{no_number if source.has('value_as_number') else 'false'} AS no_number",
    )
    return (
        "SELECT count(*), sum(times), count(*) FILTER (WHERE times = 0),"
        f" count(t.person_id) FILTER (WHERE p.person_id IS NULL), count(t.person_id) FILTER (WHERE backwards),"
        " count(t.person_id) FILTER (WHERE no_value), count(t.person_id) FILTER (WHERE no_number)"
        f" FROM ({_placed(domain, source, *columns)}) AS t"
        f" LEFT JOIN (SELECT DISTINCT person_id FROM {PERSONS}) AS p ON t.person_id = p.person_id"
    )


def plan_last_events(death: Source) -> tuple[str, ...]:
    """Days from death to the last event of each kind inside observation (511–515)."""
    return tuple(
        add_values(
            analysis,
            (),
            "date_diff('day', CAST(d.death_date AS DATE), m.last_on)",
            f"{death.relation} AS d JOIN (SELECT * FROM profile_marks WHERE base = {base} AND inside) AS m"
            " ON d.person_id = m.person_id",
        )
        for analysis, base in LAST_EVENTS.items()
    )


def plan_sets() -> str:
    """In which tables persons are. Out: bits of any record, bits of records inside observation, persons."""
    marks = " ".join(f"WHEN {domain.base} THEN {1 << number}" for number, domain in enumerate(DOMAINS))
    bit = f"CASE base {marks} END"
    persons = (
        f"SELECT bit_or({bit}) AS any_bits, bit_or(CASE WHEN inside THEN {bit} ELSE 0 END) AS inside_bits"
        " FROM profile_marks GROUP BY person_id"
    )
    return f"SELECT any_bits, inside_bits, count(*) FROM ({persons}) GROUP BY ALL"
