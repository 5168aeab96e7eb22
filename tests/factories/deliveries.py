"""One-line builders of deliveries and of a vault to land them in."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from enclos.contracts.delivered.document import Kind
from enclos.intake.model import DeliveryAccount
from enclos.intake.steps import accept_delivery
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.stores.delivered import DeliveredFolder
from enclos.stores.engine import Engine, open_engine
from enclos.stores.landing import LandingZone
from enclos.stores.vault import attach_vault
from fakes.keys import KeysInMemory

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

NINE = {
    "FLX_DIS_DTD": "2019-02-01",
    "FLX_TRT_DTD": "2019-01-20",
    "FLX_EMT_TYP": "1",
    "FLX_EMT_NUM": "2",
    "FLX_EMT_ORD": "3",
    "ORG_CLE_NUM": "01C751000",
    "DCT_ORD_NUM": "1",
    "PRS_ORD_NUM": "1",
    "REM_TYP_AFF": "0",
}


@dataclass
class VaultBench:
    """A vault on disk with its engine; close it by leaving the context."""

    folder: Path
    keys: KeysInMemory
    engine: Engine
    landing: LandingZone

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()

    def accept(self, folder: Path) -> DeliveryAccount:
        return accept_delivery(DeliveredFolder(folder), self.engine, self.landing, received_at=NOON)

    def landed(self, kind: Kind, family: str, columns: Sequence[str], hidden: Sequence[str] = ()) -> list[tuple]:
        wanted = ", ".join(f'"{name}"' for name in (*columns, *hidden))
        relation = self.landing.relation(kind.value, family, columns)
        return self.engine.rows(f"SELECT {wanted} FROM {relation} ORDER BY _delivery, _line")


def open_vault(folder: Path, keys: KeysInMemory | None = None, *, threads: int = 2) -> VaultBench:
    """A vault in a folder; give the keys of an earlier one to open it again."""
    keys = keys or KeysInMemory(KeyRole.VAULT, KeyRole.CROSSING, KeyRole.PSEUDONYM)
    folder.mkdir(parents=True, exist_ok=True)
    engine = open_engine(folder / "tmp", memory_limit_mb=1024, threads=threads)
    attach_vault(engine, folder / "vault" / "vault.duckdb", keys.secret(KeyName(KeyRole.VAULT)))
    return VaultBench(folder, keys, engine, LandingZone(engine, folder / "vault" / "landed", keys))


def csv_text(rows: Sequence[Mapping[str, object]], separator: str = ";") -> str:
    """A CSV with the columns of the first row."""
    header = list(rows[0])
    lines = [separator.join(header)]
    lines += [separator.join("" if row.get(c) is None else str(row.get(c)) for c in header) for row in rows]
    return "\n".join(lines) + "\n"


def write_delivery(
    folder: Path,
    kind: str,
    source: str,
    files: Mapping[str, str | bytes],
    *,
    tables: Mapping[str, str] | None = None,
    period: tuple[str, str] | None = None,
    separator: str = ";",
    encoding: str = "utf-8",
    **changes: Any,
) -> Path:
    """Write the files and a true delivery.json; ``changes`` override fields of every file entry.

    Files are named by their table unless ``tables`` says another; names that end in .gz are compressed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for path, content in files.items():
        raw = content.encode(encoding) if isinstance(content, str) else content
        n_lines = sum(1 for line in raw.split(b"\n") if line.strip(b"\r"))
        is_csv = ".csv" in path
        stored = gzip.compress(raw) if path.endswith(".gz") else raw
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(stored)
        entry = {
            "path": path,
            "table": (tables or {}).get(path, Path(path).name.split(".")[0]),
            "sha256": hashlib.sha256(stored).hexdigest(),
            "n_rows": max(n_lines - is_csv, 0),
            "encoding": encoding,
            "separator": separator if is_csv else "",
        }
        entries.append({**entry, **changes})
    document: dict[str, Any] = {"source": source, "kind": kind, "files": entries}
    if period:
        document["period"] = {"start": period[0], "end": period[1]}
    (folder / "delivery.json").write_text(json.dumps(document), encoding="utf-8")
    return folder
