"""Who is related to whom: the permit's numbers of persons that a bucket names, whatever bucket they are of.

Source: OMOP CDM 5.4, FACT_RELATIONSHIP; a person is a fact of domain 56.
"""

from __future__ import annotations

from enclos.contracts.view import RELATIONS
from enclos.views.plans.phrases import read
from enclos.views.ports import Snapshot

PERSON_DOMAIN = 56
RELATED = ("fact_id_1", "fact_id_2")
RELATIVES = "permit_relatives"
"""The temporary table (number, shown) of the persons whom a bucket's relations name and who are in."""


def plan_related(snapshot: Snapshot) -> str:
    """Every person whom a relation of two persons names: bucket, person_id."""
    named = " UNION ".join(
        f"SELECT {fact} FROM {snapshot.relation(RELATIONS)} "
        f"WHERE domain_concept_id_1 = {PERSON_DOMAIN} AND domain_concept_id_2 = {PERSON_DOMAIN}"
        for fact in RELATED
    )
    return (
        f"SELECT p.bucket, p.person_id FROM {read(snapshot, 'person', 'p')} "
        f"WHERE p.person_id IN ({named}) ORDER BY p.bucket, p.person_id"
    )


def plan_relatives(snapshot: Snapshot, bucket: int, incoming: str) -> str:
    """Those of the rows (number, shown) of a table whom the relations of a bucket name."""
    named = " UNION ".join(
        f"SELECT {fact} FROM {snapshot.relation(RELATIONS)} WHERE bucket = {bucket}" for fact in RELATED
    )
    return f"CREATE OR REPLACE TEMP TABLE {RELATIVES} AS SELECT number, shown FROM {incoming} WHERE number IN ({named})"
