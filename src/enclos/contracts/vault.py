"""The vault's tables: what intake, linkage and pseudonyms leave each other. Identities live only here.

Landed rows themselves are encrypted Parquet; these tables say which, and hold what decisions were made.
"""

from __future__ import annotations

import re

VAULT_DDL: tuple[str, ...] = (
    # one row per accepted delivery; account is the JSON that was shown to its sender
    """CREATE TABLE IF NOT EXISTS vault.deliveries (
        delivery_id VARCHAR NOT NULL, ordinal INTEGER NOT NULL, source VARCHAR NOT NULL, kind VARCHAR NOT NULL,
        period_start DATE, period_end DATE, received_at TIMESTAMP NOT NULL, account VARCHAR NOT NULL)""",
    # one row per landed file; path is relative to the landing zone, NULL once destroyed; key_subject names
    # the key that seals it, empty for the vault's own
    """CREATE TABLE IF NOT EXISTS vault.landed (
        delivery_id VARCHAR NOT NULL, ordinal INTEGER NOT NULL, source VARCHAR NOT NULL, kind VARCHAR NOT NULL,
        table_name VARCHAR NOT NULL, family VARCHAR NOT NULL, path VARCHAR, key_subject VARCHAR NOT NULL,
        columns VARCHAR[] NOT NULL,
        delivered_path VARCHAR NOT NULL, content_sha256 VARCHAR NOT NULL,
        n_delivered BIGINT NOT NULL, n_landed BIGINT NOT NULL, n_rejected BIGINT NOT NULL)""",
    # one row per rejected line; the line itself is sealed beside the landed rows
    """CREATE TABLE IF NOT EXISTS vault.rejects (
        delivery_id VARCHAR NOT NULL, table_name VARCHAR NOT NULL, delivered_path VARCHAR NOT NULL,
        line_number BIGINT NOT NULL, reason VARCHAR NOT NULL, column_name VARCHAR)""",
    # which flux of a claims table, or which yearly table, has come and with what delivery
    """CREATE TABLE IF NOT EXISTS vault.fluxes (
        source VARCHAR NOT NULL, table_name VARCHAR NOT NULL, flux VARCHAR NOT NULL, delivery_id VARCHAR NOT NULL)""",
    # what the direct circuit found: a hospital's patient is the holder of an SNDS pseudonym ('PSA/rank')
    """CREATE TABLE IF NOT EXISTS vault.links (
        source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, snds_source VARCHAR NOT NULL,
        snds_person_key VARCHAR NOT NULL)""",
    # one row per link delivery that was validated; its temporary ids are gone once destroyed is true
    """CREATE TABLE IF NOT EXISTS vault.link_rounds (
        delivery_id VARCHAR NOT NULL, linked_at TIMESTAMP NOT NULL, destroyed BOOLEAN NOT NULL)""",
    # the latest report of each hospital's circuit, as it was shown
    """CREATE TABLE IF NOT EXISTS vault.link_reports (
        source VARCHAR NOT NULL, linked_at TIMESTAMP NOT NULL, report VARCHAR NOT NULL)""",
    # one row per method of indirect linkage whose comparison was done: on what (a digest of the deliveries and the
    # seed), and the model that was learnt; no stay and no code
    """CREATE TABLE IF NOT EXISTS vault.indirect_rounds (
        method VARCHAR NOT NULL, inputs VARCHAR NOT NULL, compared_at TIMESTAMP NOT NULL, stays VARCHAR NOT NULL,
        model VARCHAR NOT NULL)""",
    # every hospital patient whose stays were compared
    """CREATE TABLE IF NOT EXISTS vault.indirect_patients (
        method VARCHAR NOT NULL, source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, n_stays BIGINT NOT NULL,
        n_several BIGINT NOT NULL)""",
    # the two SNDS persons whose stays are most like a patient's, each by one of its pseudonyms
    """CREATE TABLE IF NOT EXISTS vault.indirect_candidates (
        method VARCHAR NOT NULL, source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, place INTEGER NOT NULL,
        snds_source VARCHAR NOT NULL, snds_person_key VARCHAR NOT NULL, weight DOUBLE NOT NULL,
        n_stays BIGINT NOT NULL)""",
    # what the threshold in force makes of them: one row per patient, without a pseudonym where nobody was found
    """CREATE TABLE IF NOT EXISTS vault.indirect_links (
        source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, method VARCHAR NOT NULL, threshold DOUBLE NOT NULL,
        outcome VARCHAR NOT NULL, snds_source VARCHAR, snds_person_key VARCHAR, weight DOUBLE, n_stays BIGINT)""",
    # who is one person: source persons of one cluster are the same
    """CREATE TABLE IF NOT EXISTS vault.clusters (
        source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, cluster BIGINT NOT NULL)""",
    # the number of every source person; counter is dense, person_id its keyed image
    """CREATE TABLE IF NOT EXISTS vault.person_map (
        source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, counter BIGINT NOT NULL, person_id BIGINT NOT NULL,
        revision BIGINT NOT NULL)""",
    # one row per change of the person map
    """CREATE TABLE IF NOT EXISTS vault.numberings (
        revision BIGINT NOT NULL, n_new BIGINT NOT NULL, n_moved BIGINT NOT NULL, next_counter BIGINT NOT NULL)""",
    # which number a source person had before it moved; emptied once a build stands that knows the new number
    """CREATE TABLE IF NOT EXISTS vault.former_numbers (
        source VARCHAR NOT NULL, source_person_key VARCHAR NOT NULL, person_id BIGINT NOT NULL)""",
    # one row per objection, under the pseudonym of the circuit that brought it; without it once withdrawn
    """CREATE TABLE IF NOT EXISTS vault.objections (
        receipt VARCHAR NOT NULL, source VARCHAR NOT NULL, pseudonym VARCHAR, pseudonym_rank BIGINT,
        recorded_at TIMESTAMP NOT NULL, withdrawn_at TIMESTAMP)""",
)
"""Run at the start of every step of the vault wing; nothing happens when the tables are there."""

VAULT_TABLES = frozenset(re.findall(r"vault\.(\w+) \(", " ".join(VAULT_DDL)))
"""Their names."""


def snds_person_key(psa: str, rank: str) -> str:
    """SQL text of the key of an SNDS pseudonym: BEN_NIR_PSA and its rank, which keeps twins apart."""
    return f"({psa} || '/' || CAST({rank} AS VARCHAR))"
