"""Deliveries: declare one, take them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from enclos.app.enclosure import Enclosure
from enclos.app.progress import Report, paced, silent
from enclos.contracts.delivered.document import is_archive
from enclos.intake.steps import accept_delivery, make_delivery_manifest, read_received
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import acts_of
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.stores.delivered import DeliveredFolder, folder_of_archive
from enclos.stores.landing import LandingZone

LOOKED_BACK = 5_000
"""Entries of the ledger that are read for what was not taken: a page does not wait for years of them."""
_RULES = {code.id: code.rule for code in Code}


def make_delivery(
    folder: Path, *, kind: str, source: str, dates: str | None = None, decimal: str | None = None
) -> dict[str, Any]:
    """Write delivery.json beside the files of a folder that has none.

    In: folder — or one zip, which gets a folder of its name beside it; dates, decimal — how the files write them,
    where it is not 2019-01-31 and 1.5

    Refuses: what intake refuses of the files or the kind.
    """
    if is_archive(folder.name) and folder.is_file():
        folder = folder_of_archive(folder)
    delivered = DeliveredFolder(folder)
    delivery = make_delivery_manifest(delivered, kind=kind, source=source, dates=dates, decimal=decimal)
    delivered.write_manifest(delivery.canonical())
    files = [{"path": file.path, "table": file.table, "n_rows": file.n_rows} for file in delivery.files]
    return {"folder": str(folder), "source": source, "kind": kind, "files": files}


def ingest_deliveries(enclosure: Enclosure, folders: Sequence[Path], *, report: Report = silent) -> dict[str, Any]:
    """Verify and land deliveries, each whole or not at all; one that was landed before changes nothing.

    Out: per delivery and in sum: delivered = landed + rejected.
    Refuses: the first delivery that is not as promised; those before it stay landed.
    """
    accounts, bounds = [], enclosure.settings.deliveries
    with enclosure.vault_engine() as engine:
        landing = LandingZone(engine, enclosure.paths.vault / "landed", enclosure.keys)
        sizes = [_declared_rows(folder) for folder in folders]
        pace = paced(report, "ingest", sum(sizes))
        for n_done, folder in enumerate(folders):
            pace(sum(sizes[:n_done]) / max(1, sum(sizes)))
            with enclosure.ledger.intent(Action.INGEST, enclosure.operator) as ticket:
                delivered = DeliveredFolder(folder, largest_gb=bounds.largest_gb, most_files=bounds.most_files)
                account = accept_delivery(delivered, engine, landing, received_at=datetime.now(UTC))
                ticket.facts.update(
                    {
                        "delivery": account.delivery_id,
                        "already": account.already,
                        "n_delivered": account.n_delivered,
                        "n_landed": account.n_landed,
                        "n_rejected": account.n_rejected,
                    }
                )
            accounts.append(account)
        pace(1.0)
    return {
        "deliveries": [
            {"folder": folder.name, **account.as_json()} for folder, account in zip(folders, accounts, strict=True)
        ],
        "n_new": sum(not account.already for account in accounts),
        "n_delivered": sum(account.n_delivered for account in accounts),
        "n_landed": sum(account.n_landed for account in accounts),
        "n_rejected": sum(account.n_rejected for account in accounts),
    }


def list_deliveries(enclosure: Enclosure) -> dict[str, Any]:
    """The deliveries that landed, the newest first, and those of the last entries of the ledger that were not taken.

    Out: deliveries (each its account, with received_at), in sum delivered = landed + rejected; refused: at, outcome,
        code and its rule, entry; looked_back: how many entries of the ledger were read for them
    Refuses: ENCLOSURE_BUSY while the vault is written.
    """
    with enclosure.vault_to_look() as engine:
        received = read_received(engine) if engine else []
    accounts = [{**account.as_json(), "received_at": at.isoformat()} for account, at in received]
    size = enclosure.ledger.size()
    entries = enclosure.marks.recent.between(max(0, size - LOOKED_BACK), size)
    refused = [
        {
            "at": act.at.isoformat(),
            "outcome": act.outcome.value,
            "code": act.code,
            "rule": _RULES.get(act.code or "", ""),
            "entry": act.index,
        }
        for act in acts_of((index, entry) for index, entry in entries if entry.action is Action.INGEST)
        if act.outcome is not None and act.outcome is not Outcome.DONE
    ]
    return {
        "deliveries": accounts,
        "refused": sorted(refused, key=lambda row: str(row["at"]), reverse=True),
        "looked_back": LOOKED_BACK,
        **{f"n_{name}": sum(account[name] for account in accounts) for name in ("delivered", "landed", "rejected")},
    }


def _declared_rows(folder: Path) -> int:
    """How many rows a delivery says it has; what is wrong with its document is refused later."""
    try:
        files = (DeliveredFolder(folder).manifest() or {})["files"]
        return sum(int(file["n_rows"]) for file in files)
    except (Refusal, KeyError, TypeError, ValueError):
        return 0
