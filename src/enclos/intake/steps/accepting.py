"""Accept a delivery whole, or refuse it whole."""

from __future__ import annotations

import json
from datetime import datetime

from enclos.contracts.delivered.document import (
    MANIFEST,
    Delivery,
    Kind,
    parse_delivery,
)
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.intake import rules
from enclos.intake.model import (
    DeliveryAccount,
    Fault,
    LandedFile,
    account_from_json,
)
from enclos.intake.ports import DeliveryFolder, LandingWriter, Progress, Staging
from enclos.intake.steps.admitting import admit_files
from enclos.intake.steps.landing import INCOMING_REJECTS, land_files
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody hears."""


def accept_delivery(
    folder: DeliveryFolder,
    engine: SqlEngine,
    landing: LandingWriter,
    *,
    received_at: datetime,
    progress: Progress = silent,
) -> DeliveryAccount:
    """Land a delivery whole, or refuse it whole; the same delivery again changes nothing and says so.

    In: folder — with delivery.json; engine — with the vault attached; received_at — UTC
    Out: the account; delivered = landed + rejected for every table
    Refuses: every DLV code; all faults of one kind of check at once
    """
    _prepare(engine)
    landing.sweep(
        _texts(engine, "SELECT delivery_id FROM vault.deliveries"),
        _texts(engine, "SELECT DISTINCT key_subject FROM vault.landed"),
    )
    document = folder.manifest()
    if document is None:
        raise refusal(
            Code.DELIVERY_UNDECLARED, f"The folder has no {MANIFEST}.", "Write one with `enclos delivery make`."
        )
    delivery = parse_delivery(document)
    known = engine.rows("SELECT account FROM vault.deliveries WHERE delivery_id = ?", [delivery.delivery_id])
    if known:
        return account_from_json(known[0][0], already=True)
    admitted = admit_files(folder, engine, delivery, progress)
    ordinal = int(engine.scalar("SELECT coalesce(max(ordinal), 0) + 1 FROM vault.deliveries"))
    staging = landing.begin(delivery.delivery_id, own_key=delivery.kind is Kind.LINK)
    try:
        landed = land_files(folder, engine, staging, delivery, admitted, ordinal, progress)
        _check_fluxes(engine, staging, delivery, landed)
        staging.publish()
        return _record(engine, delivery, landed, ordinal, received_at, staging.key_subject)
    except BaseException:
        if delivery.delivery_id not in _texts(engine, "SELECT delivery_id FROM vault.deliveries"):
            staging.discard()
        raise
    finally:
        engine.execute(f"DROP TABLE IF EXISTS {INCOMING_REJECTS}")


def read_accounts(engine: SqlEngine) -> list[DeliveryAccount]:
    """The accounts of all accepted deliveries, in the order of their acceptance."""
    _prepare(engine)
    rows = engine.rows("SELECT account FROM vault.deliveries ORDER BY ordinal")
    return [account_from_json(row[0], already=True) for row in rows]


def _texts(engine: SqlEngine, sql: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in engine.rows(sql))


def _prepare(engine: SqlEngine) -> None:
    """Make the vault's tables where they are missing."""
    for statement in VAULT_DDL:
        engine.execute(statement)


def _check_fluxes(engine: SqlEngine, staging: Staging, delivery: Delivery, landed: tuple[LandedFile, ...]) -> None:
    """Refuse a flux of claims, or a yearly table of stays, that has come before under another delivery."""
    engine.execute("CREATE OR REPLACE TEMP TABLE enclos_fluxes (table_name VARCHAR, flux VARCHAR)")
    for file in landed:
        if not file.n_landed:
            continue
        if delivery.kind is Kind.SNDS_DCIR:
            months = f"SELECT DISTINCT strftime(FLX_DIS_DTD, '%Y-%m-%d') FROM {staging.scan(file.path)}"
            engine.execute(f"INSERT INTO enclos_fluxes SELECT ?, * FROM ({months})", [file.table.name])
        elif delivery.kind is Kind.SNDS_PMSI:
            engine.execute("INSERT INTO enclos_fluxes VALUES (?, ?)", [file.table.name, file.table.name])
    rows = engine.rows(
        "SELECT DISTINCT new.table_name FROM enclos_fluxes AS new JOIN vault.fluxes AS old "
        "ON new.table_name = old.table_name AND new.flux = old.flux WHERE old.source = ? ORDER BY ALL",
        [delivery.source],
    )
    if rows:
        raise rules.refusal_of(
            [Fault(Code.FLUX_TWICE, f"{row[0]} brings a flux that was landed before") for row in rows]
        )


def _record(
    engine: SqlEngine,
    delivery: Delivery,
    landed: tuple[LandedFile, ...],
    ordinal: int,
    received_at: datetime,
    key_subject: str,
) -> DeliveryAccount:
    counted = engine.rows(f"SELECT table_name, reason, count(*) FROM {INCOMING_REJECTS} GROUP BY ALL")
    reasons: dict[str, dict[str, int]] = {}
    for table_name, reason, n in counted:
        reasons.setdefault(str(table_name), {})[str(reason)] = int(n)
    account = DeliveryAccount(
        delivery.delivery_id,
        delivery.source,
        delivery.kind,
        delivery.period,
        rules.table_accounts(landed, reasons),
    )
    start, end = delivery.period or (None, None)
    engine.execute("BEGIN TRANSACTION")
    try:
        for file in landed:
            engine.execute(
                "INSERT INTO vault.landed VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    delivery.delivery_id,
                    ordinal,
                    delivery.source,
                    delivery.kind.value,
                    file.table.name,
                    file.table.family,
                    f"{delivery.delivery_id}/{file.path}",
                    key_subject,
                    list(file.columns),
                    file.file.path,
                    file.content_sha256,
                    file.file.n_rows,
                    file.n_landed,
                    file.n_rejected,
                ],
            )
        engine.execute(
            "INSERT INTO vault.rejects SELECT ?, table_name, delivered_path, line_number, reason, column_name "
            f"FROM {INCOMING_REJECTS}",
            [delivery.delivery_id],
        )
        engine.execute(
            "INSERT INTO vault.fluxes SELECT DISTINCT ?, table_name, flux, ? FROM enclos_fluxes",
            [delivery.source, delivery.delivery_id],
        )
        engine.execute(
            "INSERT INTO vault.deliveries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                delivery.delivery_id,
                ordinal,
                delivery.source,
                delivery.kind.value,
                start,
                end,
                received_at.replace(tzinfo=None),
                json.dumps(account.as_json()),
            ],
        )
        engine.execute("COMMIT")
    except BaseException:
        engine.execute("ROLLBACK")
        raise
    return account
