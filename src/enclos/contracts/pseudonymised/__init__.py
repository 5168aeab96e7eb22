"""What crosses the wall: records of persons without any identity.

The vault wing writes these tables, the research wing reads them; neither knows anything else of the other.
Each row carries ``person_id`` (a keyed number below 2**43), ``bucket`` (``person_id % n_buckets``) and ``source``
(the delivery's source id). Stay and visit keys are keyed hashes, meaningless outside. No NIR, no source
pseudonym, no patient id, no name, no exact row key of a delivery is a column here: a test holds the list.

Columns keep their official (French) names where the source is the SNDS; hospital records, whose formats differ,
come in one shape (``h_*``); an OMOP delivery keeps OMOP's names (``omop_*``), identities replaced.
"""

from __future__ import annotations

from enclos.contracts.columns import TableContract
from enclos.contracts.durations import ATC_DDD
from enclos.contracts.omop import VOCABULARY_TABLES, omop_tables
from enclos.contracts.pseudonymised.care import CARE
from enclos.contracts.pseudonymised.fields import FIELDS
from enclos.contracts.pseudonymised.hospital import HOSPITAL
from enclos.contracts.pseudonymised.omop import OMOP
from enclos.contracts.pseudonymised.references import REFERENCES
from enclos.contracts.pseudonymised.stays import STAYS

PSEUDONYMISED: dict[str, TableContract] = {
    table.name: table for table in (*REFERENCES, *CARE, *STAYS, *FIELDS, *HOSPITAL, *OMOP)
}
"""Every table that may cross, by name. Tables that hold no person have no bucket."""

VOCABULARY: dict[str, TableContract] = {name: omop_tables()[name] for name in VOCABULARY_TABLES} | {
    ATC_DDD.name: ATC_DDD
}
"""Vocabulary tables cross as they are: they hold no person."""

__all__ = ["PSEUDONYMISED", "VOCABULARY"]
