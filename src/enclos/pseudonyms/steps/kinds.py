"""How each kind of delivery crosses."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.delivered import pmsi
from enclos.contracts.delivered.document import Kind
from enclos.contracts.delivered.tables import WITHOUT_EVENTS
from enclos.contracts.omop import (
    VOCABULARY_TABLES,
    omop_tables,
    primary_keys,
    table_of_domain_concept_sql,
    table_of_domain_sql,
)
from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import CrossedTable, LeftBehind
from enclos.pseudonyms.plans import claims, fields, kin, omop, persons, plain, references, shape, stays
from enclos.pseudonyms.plans import vocabulary as vocabularies
from enclos.pseudonyms.steps.resources import cross_resources
from enclos.pseudonyms.steps.tables import KindCrossing, OpenUnit, balanced, never_crosses, not_mapped


def cross_claims(unit: OpenUnit) -> list[CrossedTable]:
    """Prestations with their establishment, then what hangs on them; what tells of no clinical event is counted."""
    engine = unit.engine
    _hold_snds_persons(unit)
    prestations = unit.rows("ER_PRS_F", claims.PRESTATION_COLUMNS)
    establishments = unit.rows("ER_ETE_F", claims.ESTABLISHMENT_COLUMNS)
    unit.hold_keys(claims.EXECUTANTS, prestations, ("_source", "PFS_EXE_NUM"), "executant", "executant_key")
    first = establishments
    if engine.scalar(claims.plan_key_repeats(establishments)):
        first = claims.first_of_key(establishments)
    repeats = bool(engine.scalar(claims.plan_key_repeats(prestations)))
    engine.execute(claims.plan_care(prestations, first, repeats=repeats))
    accounts = [unit.cross("ER_PRS_F", "prs", claims.judged_prestations())]
    for family, (into, columns) in claims.AFFINED_COLUMNS.items():
        if unit.n_landed.get(family):
            judged = claims.judged_affined(family, unit.rows(family, columns))
            accounts.append(unit.cross(family, into, judged))
    if unit.n_landed.get("ER_ETE_F"):
        joined = engine.rows(claims.plan_joined_establishments(establishments))[0]
        accounts.append(_joined(unit, "ER_ETE_F", "prs", LeftBehind.NO_PRESTATION, *joined))
    return accounts + [
        never_crosses(unit, family, LeftBehind.NO_EVENT) for family in WITHOUT_EVENTS if unit.n_landed.get(family)
    ]


def cross_stays(unit: OpenUnit) -> list[CrossedTable]:
    """Stays with their person, then what hangs on each stay; field by field."""
    _hold_snds_persons(unit)
    accounts = _cross_medicine(unit)
    for header in fields.HEADERS:
        accounts += _cross_field(unit, header)
    for family, line in fields.LINES.items():
        if unit.n_landed.get(family):
            rows = stays.with_year(unit.rows(family, (*line.field.stay_keys, *line.reads)))
            accounts.append(unit.cross(family, line.into, fields.judged_line(family, line, rows)))
    known = {account.table for account in accounts}
    for family in unit.n_landed:
        if family in pmsi.NEVER_CHAINED:
            accounts.append(never_crosses(unit, family, LeftBehind.NEVER_CHAINED))
        elif family not in known:
            accounts.append(not_mapped(unit, family))
    for statement in fields.plan_forget():
        unit.engine.execute(statement)
    return accounts


def _cross_medicine(unit: OpenUnit) -> list[CrossedTable]:
    chaining = stays.with_year(unit.rows("T_MCOaaC", stays.CHAINING_COLUMNS))
    unit.hold_keys(stays.STAY_KEYS, chaining, ("_source", "year", "ETA_NUM", "RSA_NUM"), "stay", "stay_key")
    unit.engine.execute(stays.plan_chained(chaining))
    accounts = []
    for family, (into, columns) in stays.STAY_TABLES.items():
        if unit.n_landed.get(family):
            rows = stays.with_year(unit.rows(family, columns))
            accounts.append(unit.cross(family, into, stays.judged_stay_rows(family, rows)))
    if unit.n_landed.get("T_MCOaaC"):
        all_stays = stays.with_year(unit.rows("T_MCOaaB", ("ETA_NUM", "RSA_NUM")))
        joined = unit.engine.rows(stays.plan_joined_stays(all_stays))[0]
        accounts.append(_joined(unit, "T_MCOaaC", "mco_b", LeftBehind.NO_STAY, *joined))
        accounts += cross_mothers(unit)
    return accounts


def _cross_field(unit: OpenUnit, header: fields.Header) -> list[CrossedTable]:
    keys = header.field.stay_keys
    chaining = stays.with_year(unit.rows(header.field.chaining, header.chaining_columns))
    unit.hold_keys(header.keys_of, chaining, ("_source", "year", *keys), header.label, "stay_key")
    unit.engine.execute(fields.plan_chained(header, chaining))
    if header.family == header.field.chaining:
        if not unit.n_landed.get(header.family):
            return []
        return [unit.cross(header.family, header.into, fields.judged_chaining(header))]
    accounts = []
    rows = stays.with_year(unit.rows(header.family, (*keys, *header.own_columns)))
    if header is fields.HAD:
        groups = stays.with_year(unit.rows(fields.GROUPS, (*keys, *header.sequence, "GHT_NUM")))
        if unit.n_landed.get(fields.GROUPS):
            joined = unit.engine.rows(fields.plan_joined_groups(header, rows, groups))[0]
            accounts.append(_joined(unit, fields.GROUPS, header.into, LeftBehind.NO_STAY, *joined))
        rows = fields.with_groups(header, rows, groups)
    if unit.n_landed.get(header.family):
        accounts.append(unit.cross(header.family, header.into, fields.judged_header(header, rows)))
    if unit.n_landed.get(header.field.chaining):
        joined = unit.engine.rows(fields.plan_joined_chaining(header, rows))[0]
        accounts.append(_joined(unit, header.field.chaining, header.into, LeftBehind.NO_STAY, *joined))
    return accounts


def cross_mothers(unit: OpenUnit) -> list[CrossedTable]:
    """The mother of each child whose stay names her; the stay itself is accounted for with the others."""
    judged = kin.judged_mothers(unit.rows("T_MCOaaC", kin.CHAINING_COLUMNS))
    n_named = int(unit.engine.scalar(shape.plan_count(judged)))
    if not n_named:
        return []
    rows = shape.plan_crossing(PSEUDONYMISED["kin"], judged, unit.n_buckets)
    n_crossed = unit.crossing.write(unit.name, "kin", "T_MCOaaC", rows, by_bucket=True)
    left = {str(reason): int(n) for reason, n in unit.engine.rows(shape.plan_left_behind(judged))}
    return [balanced(CrossedTable(unit.unit.source, "T_MCOaaC", "kin", n_named, n_crossed, left))]


def cross_references(unit: OpenUnit) -> list[CrossedTable]:
    """Beneficiaries, what they are entitled to, death certificates."""
    _hold_snds_persons(unit)
    pseudonyms = ("BEN_NIR_PSA", "BEN_RNG_GEM", "BEN_IDT_ANO")
    both = " UNION ALL ".join(f"FROM {unit.rows(family, pseudonyms)}" for family in ("IR_BEN_R", "IR_BEN_R_ARC"))
    unit.engine.execute(persons.plan_snds_holders(f"({both})"))
    return [
        unit.cross(family, into, references.JUDGES[family](unit.rows(family, columns), unit.rows))
        for family, (into, columns) in references.REFERENCE_TABLES.items()
        if unit.n_landed.get(family)
    ]


def cross_plain(unit: OpenUnit) -> list[CrossedTable]:
    """A hospital's CSV files."""
    unit.engine.execute(persons.plan_patients(unit.unit.source))
    visits = plain.visits_of(unit.rows("SEJOUR", ("sejour_id", "entree", "sortie")))
    unit.hold_keys(plain.VISIT_HASHES, visits, ("_source", "visit"), "visit", "visit_key")
    unit.engine.execute(plain.plan_visit_keys(visits))
    return [
        unit.cross(table.table, table.into, plain.judged_plain(table, unit.rows(table.table, table.columns)))
        for table in plain.PLAIN_TABLES
        if unit.n_landed.get(table.table)
    ]


def cross_omop(unit: OpenUnit) -> list[CrossedTable]:
    """An OMOP delivery; its vocabulary crosses only where no vocabulary was delivered."""
    unit.engine.execute(persons.plan_patients(unit.unit.source))
    named = [unit.rows(family, ("provider_id",)) for family in unit.n_landed if omop.names_provider(family)]
    if named:
        professionals = " UNION ".join(f"SELECT _source, provider_id FROM {rows}" for rows in named)
        unit.hold_keys(omop.PROVIDERS, f"({professionals})", ("_source", "provider_id"), "provider", "provider_key")
    accounts = []
    for family in unit.n_landed:
        if family in VOCABULARY_TABLES:
            accounts.append(_vocabulary(unit, family) if unit.brings_vocabulary else _superseded(unit, family))
            continue
        into = omop.crossing_table(family)
        if into is None:
            accounts.append(never_crosses(unit, family, omop.NOT_MAPPED[family]))
        elif family == "fact_relationship":
            rows = unit.rows(family, omop_tables()[family].names)
            persons_, others = omop.of_two_persons(rows), omop.of_rows(rows)
            accounts.append(unit.cross_parts(family, into, omop.judged_relationships(persons_)))
            if unit.engine.scalar(shape.plan_count(others)):
                sides = [table_of_domain_concept_sql(f"domain_concept_id_{side}") for side in (1, 2)]
                judged = omop.judged_fact_links(others, _named_rows(unit, others, sides))
                accounts.append(unit.cross_parts(family, "omop_fact_link", judged))
        elif family == "cost":
            rows = unit.rows(family, omop.columns_read(family))
            judged = omop.judged_costs(rows, _named_rows(unit, rows, [table_of_domain_sql("cost_domain_id")]))
            accounts.append(unit.cross(family, into, judged))
        elif family == "episode_event":
            rows = unit.rows(family, omop_tables()[family].names)
            judged = omop.judged_episode_events(rows, _named_rows(unit, rows, ["'episode'"]))
            accounts.append(unit.cross(family, into, judged))
        else:
            judged = omop.judged_omop(family, unit.rows(family, omop.columns_read(family)))
            accounts.append(unit.cross(family, into, judged))
    return accounts


def _named_rows(unit: OpenUnit, rows: str, places: Sequence[str]) -> str:
    """Whose the rows are that delivered rows name.

    In: places — the tables that they are in, as SQL over the delivered rows
    """
    asked = " UNION ".join(f"SELECT {place} AS place FROM {rows}" for place in places)
    found = [str(place) for (place,) in unit.engine.rows(f"SELECT place FROM ({asked}) ORDER BY place") if place]
    return omop.named_rows({table: unit.rows(table, (primary_keys()[table], "person_id")) for table in found})


def cross_vocabulary(unit: OpenUnit) -> list[CrossedTable]:
    """Vocabulary deliveries."""
    return [_vocabulary(unit, family) for family in unit.n_landed]


CROSSINGS: dict[Kind, KindCrossing] = {
    Kind.SNDS_DCIR: cross_claims,
    Kind.SNDS_PMSI: cross_stays,
    Kind.SNDS_REF: cross_references,
    Kind.FHIR_BULK: cross_resources,
    Kind.HOSPITAL_CSV: cross_plain,
    Kind.OMOP: cross_omop,
    Kind.VOCABULARY: cross_vocabulary,
}
"""Every kind but links, which never cross."""


def _hold_snds_persons(unit: OpenUnit) -> None:
    unit.engine.execute(persons.plan_snds_ranked(unit.unit.source))
    unit.engine.execute(persons.plan_snds_alone())


def _joined(
    unit: OpenUnit, family: str, into: str, lonely: LeftBehind, n_joined: int, n_lonely: int, n_repeated: int
) -> CrossedTable:
    """The account of a table whose rows cross as columns of another table's rows."""
    counts = {lonely.value: int(n_lonely), LeftBehind.DUPLICATE_KEY.value: int(n_repeated)}
    left = {reason: n for reason, n in counts.items() if n}
    return balanced(CrossedTable(unit.unit.source, family, into, unit.n_landed[family], int(n_joined), left))


def _vocabulary(unit: OpenUnit, family: str) -> CrossedTable:
    several = len(unit.unit.deliveries) > 1
    rows = unit.rows(family, vocabularies.columns_read(family))
    return unit.cross(family, family, vocabularies.judged_vocabulary(family, rows, several=several))


def _superseded(unit: OpenUnit, family: str) -> CrossedTable:
    n = unit.n_landed[family]
    return CrossedTable(unit.unit.source, family, family, n, 0, {LeftBehind.SUPERSEDED.value: n})
