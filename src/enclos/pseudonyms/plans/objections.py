"""From objections to the person numbers that no view shows."""

from __future__ import annotations

from enclos.pseudonyms.secret_functions.identities import LEVEL_ONE_FUNCTION

ARRIVING = "enclos_objecting"
"""(receipt, source, pseudonym, pseudonym_rank): objections, or withdrawals, that arrive."""

_SAME = (
    "o.source = a.source AND o.pseudonym = a.pseudonym AND o.pseudonym_rank IS NOT DISTINCT FROM a.pseudonym_rank "
    "AND o.withdrawn_at IS NULL"
)


def plan_known() -> str:
    """The receipts under which arriving objections stand already, in the order they arrive; empty for new ones."""
    return f"SELECT a.place, o.receipt FROM {ARRIVING} AS a LEFT JOIN vault.objections AS o ON {_SAME} ORDER BY a.place"


def plan_record() -> str:
    """Keep what is new of the arriving objections."""
    return (
        "INSERT INTO vault.objections SELECT a.receipt, a.source, a.pseudonym, a.pseudonym_rank, ?, NULL "
        f"FROM {ARRIVING} AS a ANTI JOIN vault.objections AS o ON {_SAME}"
    )


def plan_withdraw(receipts: str) -> str:
    """End objections: the day stays, the pseudonym goes."""
    return (
        "UPDATE vault.objections SET withdrawn_at = ?, pseudonym = NULL, pseudonym_rank = NULL "
        f"WHERE withdrawn_at IS NULL AND receipt IN (SELECT receipt FROM {receipts})"
    )


def plan_objecting(patients: str) -> str:
    """Every number under which a person who objects may stand in the warehouse, ascending.

    In: patients — as ``plan_holders`` takes them
    """
    return plan_holders(patients, "vault.objections WHERE withdrawn_at IS NULL")


def plan_holders(patients: str, pseudonyms: str) -> str:
    """Every number under which a holder of these pseudonyms may stand in the warehouse, ascending.

    A pseudonym is a source's key of a person; an SNDS pseudonym is one with its rank, and all its persons without.
    A number that a person had before it moved counts until a build knows the new one.

    In: patients — (_source, id, resource) of FHIR patients, who may bear their level-one pseudonym as an identifier;
        pseudonyms — a relation with source, pseudonym, pseudonym_rank, and a condition on it where there is one
    """
    identifiers = (
        f"SELECT p._source AS source, p.id AS source_person_key, json_extract_string(i.value, '$.value') AS pseudonym "
        f"FROM {patients} AS p, json_each(json_extract(p.resource, '$.identifier')) AS i "
        f"WHERE json_extract_string(i.value, '$.system') = 'urn:enclos:{LEVEL_ONE_FUNCTION}'"
    )
    return (
        f"WITH standing AS (SELECT source, pseudonym, pseudonym_rank FROM {pseudonyms}), "
        f"identifiers AS ({identifiers}), "
        "numbers AS (SELECT source, source_person_key, person_id FROM vault.person_map "
        "UNION SELECT source, source_person_key, person_id FROM vault.former_numbers) "
        "SELECT n.person_id FROM numbers AS n JOIN standing AS o ON o.source = n.source AND o.pseudonym_rank IS NULL "
        "AND n.source_person_key = o.pseudonym "
        "UNION SELECT n.person_id FROM numbers AS n JOIN standing AS o ON o.source = n.source "
        "AND n.source_person_key = o.pseudonym || '/' || CAST(o.pseudonym_rank AS VARCHAR) "
        "UNION SELECT n.person_id FROM numbers AS n JOIN standing AS o ON o.source = n.source "
        "AND o.pseudonym_rank IS NULL "
        "AND regexp_replace(n.source_person_key, '/[0-9]+$', '') = o.pseudonym "
        "UNION SELECT n.person_id FROM identifiers AS i JOIN standing AS o ON o.source = i.source "
        "AND o.pseudonym = i.pseudonym JOIN numbers AS n ON n.source = i.source "
        "AND n.source_person_key = i.source_person_key ORDER BY person_id"
    )
