"""Let landed deliveries cross the wall."""

from __future__ import annotations

from enclos.contracts.delivered.document import Kind
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.lexicon.keys import BlockCipher
from enclos.pseudonyms import rules
from enclos.pseudonyms.model import CrossingAccount, LandedDelivery, Unit, UnitNote, unit_note_from_json
from enclos.pseudonyms.plans import numbering, persons
from enclos.pseudonyms.ports import CrossingWriter, Landed, Progress
from enclos.pseudonyms.steps.kinds import CROSSINGS
from enclos.pseudonyms.steps.tables import OpenUnit


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody hears."""


def cross(
    engine: SqlEngine,
    landed: Landed,
    crossing: CrossingWriter,
    cipher: BlockCipher,
    *,
    n_buckets: int,
    progress: Progress = silent,
) -> CrossingAccount:
    """Write every landed delivery in pseudonyms; units that would cross the same again are kept.

    Deliveries cross in units that are written apart and count all at once, when the last one is there; a crossing that
    was stopped goes on with the units it lacks.

    In: n_buckets — a row's bucket is person_id % n_buckets
    Out: the account of all units; for each source and table landed = crossed + left behind
    Refuses: CROSSING_UNBALANCED, PSEUDONYM_COLLISION
    """
    for statement in VAULT_DDL:
        engine.execute(statement)
    revision = int(engine.scalar("SELECT coalesce(max(revision), 0) FROM vault.numberings"))
    notes = {name: unit_note_from_json(name, note) for name, note in crossing.notes().items()}
    deliveries = landed_deliveries(engine)
    units = rules.units_of(deliveries, [note.deliveries for note in notes.values()])
    bringer = rules.vocabulary_bringer(units)
    wanted = {rules.unit_id(unit, n_buckets, brings_vocabulary=unit == bringer): unit for unit in units}
    kept = {
        note.unit: note
        for note in notes.values()
        if note.unit in wanted and not _names_somebody_new(engine, landed, wanted[note.unit], note.revision)
    }
    n_written = 0
    for identifier, unit in wanted.items():
        if identifier not in kept:
            crossing.keep({note.name: note.as_json() for note in kept.values()}, complete=False)
            brings = unit == bringer
            kept[identifier] = _cross_unit(
                engine, landed, crossing, cipher, unit, identifier, revision, n_buckets, brings_vocabulary=brings
            )
            n_written += 1
        progress("units crossed", len(kept), len(wanted))
    ordered = [kept[identifier] for identifier in wanted]
    crossing.keep({note.name: note.as_json() for note in ordered}, complete=True)
    tables = rules.sum_tables(table for note in ordered for table in note.tables)
    return CrossingAccount(tables, n_written, len(ordered) - n_written)


def _names_somebody_new(engine: SqlEngine, landed: Landed, unit: Unit, revision: int) -> bool:
    """Whether a row of the unit may have another person, or one at last, since it crossed.

    A pseudonym that was numbered or moved since concerns all rows that bear it, whatever their rank: a second
    beneficiary under one pseudonym makes twins of rows that needed no rank before.
    """
    changed = numbering.plan_changed(unit.source, revision)
    if not engine.scalar(f"SELECT count(*) FROM ({changed})"):
        return False
    if unit.kind not in (Kind.SNDS_DCIR.value, Kind.SNDS_PMSI.value):
        return True
    named = engine.rows(
        "SELECT DISTINCT family, name FROM (SELECT family, unnest(columns) AS name FROM vault.landed "
        "WHERE list_contains(?, ordinal)) WHERE list_contains(?, name) ORDER BY ALL",
        [list(unit.ordinals), list(numbering.PSEUDONYM_COLUMNS)],
    )
    for family, column in named:
        rows = landed.relation(unit.kind, str(family), (str(column),), source=unit.source, deliveries=unit.ordinals)
        if engine.rows(f'SELECT 1 FROM {rows} AS r SEMI JOIN ({changed}) AS c ON c.psa = r."{column}" LIMIT 1'):
            return True
    return False


def landed_deliveries(engine: SqlEngine) -> tuple[LandedDelivery, ...]:
    """Every delivery that may cross, in the order of acceptance."""
    rows = engine.rows(
        "SELECT ordinal, delivery_id, source, kind, sum(n_landed) FROM vault.landed WHERE kind <> 'link' "
        "GROUP BY ALL ORDER BY ordinal"
    )
    return tuple(LandedDelivery(int(o), str(i), str(s), str(k), int(n)) for o, i, s, k, n in rows)


def _cross_unit(
    engine: SqlEngine,
    landed: Landed,
    crossing: CrossingWriter,
    cipher: BlockCipher,
    unit: Unit,
    identifier: str,
    revision: int,
    n_buckets: int,
    *,
    brings_vocabulary: bool,
) -> UnitNote:
    name = rules.unit_name(identifier, revision)
    ids = [delivery.delivery_id for delivery in unit.deliveries]
    counted = engine.rows(
        "SELECT family, sum(n_landed) FROM vault.landed WHERE list_contains(?, delivery_id) "
        "GROUP BY family HAVING sum(n_landed) > 0 ORDER BY family",
        [ids],
    )
    n_landed = {str(family): int(n) for family, n in counted}
    crossing.begin(name)
    try:
        opened = OpenUnit(
            engine, landed, crossing, cipher, unit, name, n_buckets, n_landed, brings_vocabulary=brings_vocabulary
        )
        tables = CROSSINGS[Kind(unit.kind)](opened) if n_landed else []
    finally:
        for statement in persons.plan_forget():
            engine.execute(statement)
    crossing.publish(name)
    return UnitNote(name, identifier, tuple(ids), revision, tuple(tables))
