"""Counters for clusters of source persons: what is known stays, what is new follows, what merged takes the smaller."""

from __future__ import annotations

KNOWN = "enclos_known"
CHOSEN = "enclos_chosen"
NUMBERED = "enclos_numbered"
NEW_NUMBERS = "enclos_new_numbers"


def plan_known() -> str:
    """Each cluster with the counters that its source persons have, and how many of them have each."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {KNOWN} AS SELECT c.cluster, m.counter, count(*) AS n_keys "
        "FROM vault.clusters AS c JOIN vault.person_map AS m ON m.source = c.source "
        "AND m.source_person_key = c.source_person_key GROUP BY c.cluster, m.counter"
    )


def plan_chosen() -> str:
    """Each cluster's smallest counter; where a person was split, the part with most source persons keeps it."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {CHOSEN} AS SELECT cluster, counter FROM ("
        "SELECT cluster, min(counter) AS counter, arg_min(n_keys, counter) AS n_keys "
        f"FROM {KNOWN} GROUP BY cluster) "
        "QUALIFY row_number() OVER (PARTITION BY counter ORDER BY n_keys DESC, cluster) = 1"
    )


def plan_numbered(next_counter: int) -> str:
    """Every cluster with its counter; new ones count on, in the order of their clusters."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {NUMBERED} AS SELECT a.cluster, coalesce(c.counter, {next_counter} - 1 + "
        "row_number() OVER (PARTITION BY c.counter IS NULL ORDER BY a.cluster)) AS counter, "
        "c.counter IS NULL AS is_new FROM (SELECT DISTINCT cluster FROM vault.clusters) AS a "
        f"LEFT JOIN {CHOSEN} AS c ON c.cluster = a.cluster"
    )


def plan_new_counters() -> str:
    """The counters that have no person number yet, ascending."""
    return f"SELECT counter FROM {NUMBERED} WHERE is_new ORDER BY counter"


def plan_collisions() -> str:
    """How many new person numbers are there twice, or belong to somebody already."""
    return (
        f"SELECT (SELECT count(*) - count(DISTINCT person_id) FROM {NEW_NUMBERS}) + "
        f"(SELECT count(*) FROM {NEW_NUMBERS} AS n SEMI JOIN vault.person_map AS m ON m.person_id = n.person_id)"
    )


_NUMBERS = (
    f"(SELECT counter, person_id FROM {NEW_NUMBERS} UNION SELECT DISTINCT counter, person_id FROM vault.person_map)"
)


def plan_add_keys(revision: int) -> str:
    """Give every new source person its number."""
    return (
        "INSERT INTO vault.person_map SELECT c.source, c.source_person_key, n.counter, p.person_id, "
        f"{revision} FROM vault.clusters AS c JOIN {NUMBERED} AS n ON n.cluster = c.cluster "
        f"JOIN {_NUMBERS} AS p ON p.counter = n.counter ANTI JOIN vault.person_map AS m "
        "ON m.source = c.source AND m.source_person_key = c.source_person_key"
    )


def plan_moved() -> str:
    """Source persons whose cluster has another counter than they have."""
    return (
        "SELECT m.source, m.source_person_key, n.counter, p.person_id FROM vault.person_map AS m "
        "JOIN vault.clusters AS c ON m.source = c.source AND m.source_person_key = c.source_person_key "
        f"JOIN {NUMBERED} AS n ON n.cluster = c.cluster JOIN {_NUMBERS} AS p ON p.counter = n.counter "
        "WHERE m.counter <> n.counter"
    )


def plan_keep_former(moved: str) -> str:
    """Keep the number that moved source persons had: the warehouse shows them under it until the next build."""
    return (
        "INSERT INTO vault.former_numbers SELECT m.source, m.source_person_key, m.person_id FROM vault.person_map AS m "
        f"SEMI JOIN {moved} AS v ON v.source = m.source AND v.source_person_key = m.source_person_key"
    )


def plan_move_keys(revision: int, moved: str) -> str:
    """Give moved source persons their new number."""
    return (
        f"UPDATE vault.person_map SET counter = v.counter, person_id = v.person_id, revision = {revision} "
        f"FROM {moved} AS v WHERE person_map.source = v.source AND person_map.source_person_key = v.source_person_key"
    )


PSEUDONYM_COLUMNS = ("BEN_NIR_PSA", "NIR_ANO_17", "NIR_ANO_MAM")
"""Where claims and stays name a person."""


def plan_changed(source: str, revision: int) -> str:
    """The source's pseudonyms (without rank) that were numbered or moved after a revision."""
    rank = "string_split(source_person_key, '/')[-1]"
    pseudonym = f"left(source_person_key, CAST(length(source_person_key) - length({rank}) - 1 AS BIGINT))"
    return (
        f"SELECT DISTINCT {pseudonym} AS psa FROM vault.person_map WHERE source = '{source}' AND revision > {revision}"
    )


def plan_given_up() -> str:
    """How many known counters no cluster has any more."""
    return (
        f"SELECT count(*) FROM (SELECT DISTINCT counter FROM {KNOWN}) AS k "
        f"ANTI JOIN {NUMBERED} AS n ON n.counter = k.counter"
    )


def plan_forget() -> tuple[str, ...]:
    """Drop every intermediate table."""
    return tuple(f"DROP TABLE IF EXISTS {name}" for name in (KNOWN, CHOSEN, NUMBERED, NEW_NUMBERS, "enclos_moved"))
