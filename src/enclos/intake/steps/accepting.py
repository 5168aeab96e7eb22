"""Accept a delivery whole, or refuse it whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pyarrow as pa

from enclos.contracts.delivered.document import (
    Delivery,
    Kind,
    parse_delivery,
)
from enclos.contracts.sql import SqlEngine
from enclos.contracts.vault import VAULT_DDL
from enclos.intake import plans, rules
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


_FLUXES = "enclos_fluxes"
_ARRIVING = "enclos_arriving"


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
        raise refusal(Code.DELIVERY_UNDECLARED, *folder.why_undeclared())
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


def read_received(engine: SqlEngine) -> list[tuple[DeliveryAccount, datetime]]:
    """The accounts of all accepted deliveries with the instant (UTC) of each, the newest first; changes nothing."""
    rows = engine.rows("SELECT account, received_at FROM vault.deliveries ORDER BY ordinal DESC")
    return [(account_from_json(text, already=True), at.replace(tzinfo=UTC)) for text, at in rows]


def _texts(engine: SqlEngine, sql: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in engine.rows(sql))


def _prepare(engine: SqlEngine) -> None:
    """Make the vault's tables where they are missing."""
    for statement in VAULT_DDL:
        engine.execute(statement)


def _check_fluxes(engine: SqlEngine, staging: Staging, delivery: Delivery, landed: tuple[LandedFile, ...]) -> None:
    """Refuse a flux of claims, or a yearly table of stays, that has come before under another delivery."""
    found = [
        plans.plan_fluxes(_of_flux(file, delivery.kind), staging.scan(file.path), delivery.kind)
        for file in landed
        if file.n_landed
    ]
    selects = [select for select in found if select] or ["SELECT '' AS table_name, '' AS flux WHERE false"]
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {_FLUXES} AS {' UNION ALL '.join(selects)}")
    rows = engine.rows(
        f"SELECT DISTINCT new.table_name FROM {_FLUXES} AS new JOIN vault.fluxes AS old "
        "ON new.table_name = old.table_name AND new.flux = old.flux WHERE old.source = ? ORDER BY ALL",
        [delivery.source],
    )
    if rows:
        raise rules.refusal_of(
            [Fault(Code.FLUX_TWICE, f"{row[0]} brings a flux that was landed before") for row in rows]
        )


def _of_flux(file: LandedFile, kind: Kind) -> str:
    """The table that a flux belongs to: archived claims (ER_PRS_F_2012) hold fluxes of ER_PRS_F."""
    return file.table.family if kind is Kind.SNDS_DCIR else file.table.name


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
    with engine.transaction():
        _insert(engine, "vault.landed", _landed_rows(delivery, landed, ordinal, key_subject))
        engine.execute(
            f"INSERT INTO vault.rejects SELECT '{delivery.delivery_id}', table_name, delivered_path, line_number, "
            f"reason, column_name FROM {INCOMING_REJECTS}"
        )
        engine.execute(
            f"INSERT INTO vault.fluxes SELECT DISTINCT '{delivery.source}', table_name, flux, "
            f"'{delivery.delivery_id}' FROM {_FLUXES}"
        )
        _insert(engine, "vault.deliveries", _delivery_row(delivery, account, ordinal, received_at))
    return account


def _landed_rows(delivery: Delivery, landed: tuple[LandedFile, ...], ordinal: int, key_subject: str) -> pa.Table:
    n_files = len(landed)
    return pa.table(
        {
            "delivery_id": [delivery.delivery_id] * n_files,
            "ordinal": [ordinal] * n_files,
            "source": [delivery.source] * n_files,
            "kind": [delivery.kind.value] * n_files,
            "table_name": [file.table.name for file in landed],
            "family": [file.table.family for file in landed],
            "path": [f"{delivery.delivery_id}/{file.path}" for file in landed],
            "key_subject": [key_subject] * n_files,
            "columns": [list(file.columns) for file in landed],
            "delivered_path": [file.file.path for file in landed],
            "content_sha256": [file.content_sha256 for file in landed],
            "n_delivered": [file.file.n_rows for file in landed],
            "n_landed": [file.n_landed for file in landed],
            "n_rejected": [file.n_rejected for file in landed],
        }
    )


def _delivery_row(delivery: Delivery, account: DeliveryAccount, ordinal: int, received_at: datetime) -> pa.Table:
    start, end = delivery.period or (None, None)
    return pa.table(
        {
            "delivery_id": [delivery.delivery_id],
            "ordinal": [ordinal],
            "source": [delivery.source],
            "kind": [delivery.kind.value],
            "period_start": pa.array([start], pa.date32()),
            "period_end": pa.array([end], pa.date32()),
            "received_at": pa.array([received_at.replace(tzinfo=None)], pa.timestamp("us")),
            "account": [json.dumps(account.as_json())],
        }
    )


def _insert(engine: SqlEngine, table: str, rows: pa.Table) -> None:
    engine.register(_ARRIVING, rows)
    engine.execute(f"INSERT INTO {table} BY NAME SELECT * FROM {_ARRIVING}")
    engine.unregister(_ARRIVING)
