"""A source's earlier pseudonyms replaced by its present ones in the vault's tables, all at once."""

from __future__ import annotations

TRANSLATION = "enclos_translation"
"""(old, new): pseudonyms of one source, each once on either side."""

_KEYED = ("links", "indirect_patients", "indirect_candidates", "indirect_links", "clusters", "former_numbers")
"""Tables that name source persons by source and source_person_key, but for the person map."""


def plan_present_before(source: str) -> str:
    """Source persons who came under both pseudonyms, with the number and counter of each: the older one stays."""
    of_source = f"source = '{source}'"
    return (
        "SELECT t.new AS source_person_key, least(a.counter, b.counter) AS counter, "
        "arg_min(x.person_id, x.counter) AS person_id FROM "
        f"{TRANSLATION} AS t JOIN vault.person_map AS a ON a.{of_source} AND a.source_person_key = t.old "
        f"JOIN vault.person_map AS b ON b.{of_source} AND b.source_person_key = t.new "
        f"JOIN vault.person_map AS x ON x.{of_source} AND x.source_person_key IN (t.old, t.new) GROUP BY ALL"
    )


def plan_translate(source: str, revision: int, both: str) -> tuple[str, ...]:
    """The statements of one transaction; run twice, they change nothing more.

    In: revision — a new one of the person map, under which all of the source cross again; both — a table of
        ``plan_present_before``
    """
    of = f"source = '{source}'"
    moved = f"FROM {TRANSLATION} AS t WHERE {{table}}.{of} AND {{table}}.source_person_key = t.old"
    keep_former = (  # who had two numbers has the older one; the other counts for objections until the next build
        f"INSERT INTO vault.former_numbers SELECT m.source, b.source_person_key, m.person_id FROM {both} AS b "
        f"JOIN {TRANSLATION} AS t ON t.new = b.source_person_key JOIN vault.person_map AS m "
        f"ON m.{of} AND m.source_person_key IN (t.old, t.new) AND m.counter <> b.counter"
    )
    drop_old = (
        f"DELETE FROM vault.person_map WHERE {of} AND source_person_key IN "
        f"(SELECT t.old FROM {TRANSLATION} AS t JOIN {both} AS b ON b.source_person_key = t.new)"
    )
    take_older = (
        f"UPDATE vault.person_map SET counter = b.counter, person_id = b.person_id FROM {both} AS b "
        f"WHERE person_map.{of} AND person_map.source_person_key = b.source_person_key"
    )
    object_anew = (
        f"UPDATE vault.objections SET pseudonym = t.new FROM {TRANSLATION} AS t "
        f"WHERE objections.{of} AND objections.pseudonym = t.old"
    )
    object_once = (  # an objection under both pseudonyms is one objection
        "UPDATE vault.objections SET withdrawn_at = recorded_at, pseudonym = NULL, pseudonym_rank = NULL "
        "WHERE rowid IN (SELECT rowid FROM vault.objections WHERE withdrawn_at IS NULL QUALIFY row_number() OVER "
        "(PARTITION BY source, pseudonym, pseudonym_rank ORDER BY recorded_at, receipt) > 1)"
    )
    keyed = [f"UPDATE vault.{table} SET source_person_key = t.new {moved.format(table=table)}" for table in _KEYED]
    mapped = f"UPDATE vault.person_map SET source_person_key = t.new {moved.format(table='person_map')}"
    cross_again = f"UPDATE vault.person_map SET revision = {revision} WHERE {of}"
    once = [_each_once(table) for table in _KEYED]
    return (keep_former, drop_old, take_older, mapped, cross_again, *keyed, *once, object_anew, object_once)


def _each_once(table: str) -> str:
    return (
        f"DELETE FROM vault.{table} WHERE rowid IN (SELECT rowid FROM vault.{table} AS x "
        "QUALIFY row_number() OVER (PARTITION BY x ORDER BY rowid) > 1)"
    )
