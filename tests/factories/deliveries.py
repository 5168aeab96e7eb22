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
from enclos.linkage.model import DEFAULT_THRESHOLD, IndirectReport, LinkReport, Method
from enclos.linkage.steps import group_persons, link, link_indirectly
from enclos.pseudonyms.model import CrossingAccount, NumberingReport
from enclos.pseudonyms.steps import cross, number_persons
from enclos.stores.crossing import CrossingZone
from enclos.stores.delivered import DeliveredFolder
from enclos.stores.engine import Engine, open_engine
from enclos.stores.landing import LandingZone
from enclos.stores.stay_scorer import EphemeralBlinding, SplinkStays
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

    def link(self) -> LinkReport:
        return link(self.engine, self.landing, self.landing, linked_at=NOON)

    def link_indirectly(
        self, method: Method = Method.DETERMINISTIC, threshold: float | None = None, **changes: Any
    ) -> IndirectReport:
        """Compare stays, or decide anew."""
        given: dict[str, Any] = {"blinding": EphemeralBlinding(), "scorer": SplinkStays(self.folder / "tmp"), **changes}
        report, _ = link_indirectly(
            self.engine,
            self.landing,
            method=method,
            threshold=DEFAULT_THRESHOLD[method] if threshold is None else threshold,
            seed=7,
            linked_at=NOON,
            **given,
        )
        return report

    def number(self) -> NumberingReport:
        """Group and number persons."""
        group_persons(self.engine, self.landing)
        return number_persons(self.engine, self.keys.blocks(KeyName(KeyRole.PSEUDONYM)))

    def persons(self) -> dict[tuple[str, str], int]:
        """The number of every source person."""
        rows = self.engine.rows("SELECT source, source_person_key, person_id FROM vault.person_map")
        return {(source, key): person for source, key, person in rows}

    def cross(self, n_buckets: int = 4) -> CrossingAccount:
        """Number persons and let everything cross."""
        self.number()
        records = self.keys.blocks(KeyName(KeyRole.RECORD))
        return cross(self.engine, self.landing, self.crossing, records, n_buckets=n_buckets)

    @property
    def crossing(self) -> CrossingZone:
        return CrossingZone(self.engine, self.folder / "crossing", self.keys)

    def crossed(self, table: str, *columns: str) -> list[tuple]:
        """Rows of a table that crossed, sorted."""
        relation = self.crossing.relation(table, None)
        wanted = ", ".join(f'"{name}"' for name in columns) or "*"
        return [] if relation is None else self.engine.rows(f"SELECT {wanted} FROM {relation} ORDER BY ALL")

    def landed(self, kind: Kind, family: str, columns: Sequence[str], hidden: Sequence[str] = ()) -> list[tuple]:
        wanted = ", ".join(f'"{name}"' for name in (*columns, *hidden))
        relation = self.landing.relation(kind.value, family, columns)
        return self.engine.rows(f"SELECT {wanted} FROM {relation} ORDER BY _delivery, _line")


def open_vault(folder: Path, keys: KeysInMemory | None = None, *, threads: int = 1) -> VaultBench:
    """A vault in a folder; give the keys of an earlier one to open it again.

    In: threads — over few lines, two wait for each other longer than they work
    """
    keys = keys or KeysInMemory(KeyRole.VAULT, KeyRole.CROSSING, KeyRole.PSEUDONYM, KeyRole.RECORD)
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


def write_snds(
    folder: Path, persons: Mapping[str, Sequence[str]], name: str = "ref", births: Mapping[str, str] | None = None
) -> Path:
    """A delivery of IR_BEN_R: who holds which pseudonyms ('PSA/rank'); births by holder as 'year-month'."""
    rows = [
        {
            "BEN_NIR_PSA": pseudonym.split("/")[0],
            "BEN_RNG_GEM": pseudonym.split("/")[1],
            "BEN_IDT_ANO": holder,
            "BEN_SEX_COD": 1,
            "BEN_NAI_ANN": (births or {}).get(holder, "1950-03")[:4],
            "BEN_NAI_MOI": (births or {}).get(holder, "1950-03")[5:],
        }
        for holder, pseudonyms in persons.items()
        for pseudonym in pseudonyms
    ]
    return write_delivery(folder / name, "snds-ref", "snds", {"IR_BEN_R.csv": csv_text(rows)})


def write_patients(folder: Path, hospital: str, patients: Sequence[str]) -> Path:
    """A hospital-csv delivery of patients."""
    rows = [{"patient_id": patient, "sex": "F", "birth_date": "1950-01-01"} for patient in patients]
    return write_delivery(folder / hospital, "hospital-csv", hospital, {"PATIENT.csv": csv_text(rows)})


def write_own_stays(folder: Path, hospital: str, stays: Sequence[Mapping[str, object]], name: str = "own") -> Path:
    """A hospital-csv delivery of patients and their stays.

    Each stay: patient, and of sex, birth, finess, entry, exit, principal, acts what differs from the first stay below.
    """
    told = [{**A_STAY, "patient": f"p{n}", **stay} for n, stay in enumerate(stays, 1)]
    patients = {s["patient"]: {"patient_id": s["patient"], "sex": s["sex"], "birth_date": s["birth"]} for s in told}
    keys = [{"sejour_id": f"s{n}", "patient_id": s["patient"]} for n, s in enumerate(told, 1)]
    files = {
        "PATIENT.csv": list(patients.values()),
        "SEJOUR.csv": [
            {**k, "entree": f"{s['entry']} 09:00:00", "sortie": f"{s['exit']} 11:00:00", "finess": s["finess"]}
            for k, s in zip(keys, told, strict=True)
        ],
        "DIAGNOSTIC.csv": [{**k, "code_cim10": s["principal"], "rang": "DP"} for k, s in zip(keys, told, strict=True)],
        "ACTE.csv": [
            {**k, "code_ccam": act} for k, s in zip(keys, told, strict=True) for act in str(s["acts"]).split()
        ],
    }
    texts = {path: csv_text(rows) for path, rows in files.items() if rows}
    return write_delivery(folder / f"{name}-{hospital}", "hospital-csv", hospital, texts)


def write_pmsi_stays(folder: Path, stays: Sequence[Mapping[str, object]], name: str = "pmsi") -> Path:
    """A PMSI delivery of 2019; each stay: whose ('PSA/rank'), and what differs from the stay below."""
    told = [{**A_STAY, **stay} for stay in stays]
    keys = [{"ETA_NUM": s["finess"], "RSA_NUM": f"{n:010d}"} for n, s in enumerate(told, 1)]
    chaining = [
        {
            **k,
            "NIR_ANO_17": str(s["whose"]).split("/")[0],
            "RNG_NAI": str(s["whose"]).split("/")[1],
            "EXE_SOI_DTD": f"{s['entry']} 00:00:00",
            "EXE_SOI_DTF": f"{s['exit']} 00:00:00",
            "NIR_RET": s.get("nir_ret", "0"),
        }
        for k, s in zip(keys, told, strict=True)
    ]
    files = {
        "T_MCO19C.csv": chaining,
        "T_MCO19B.csv": [
            {**k, "COD_SEX": 1 if s["sex"] == "M" else 2, "DGN_PAL": str(s["principal"]).replace(".", "")}
            for k, s in zip(keys, told, strict=True)
        ],
        "T_MCO19A.csv": [{**k, "CDC_ACT": a} for k, s in zip(keys, told, strict=True) for a in str(s["acts"]).split()],
    }
    return write_delivery(
        folder / name, "snds-pmsi", "snds", {path: csv_text(rows) for path, rows in files.items() if rows}
    )


A_STAY: Mapping[str, object] = {
    "sex": "F",
    "birth": "1950-03-17",
    "finess": "690000001",
    "entry": "2019-04-01",
    "exit": "2019-04-05",
    "principal": "I21.0",
    "acts": "DDQH009",
}
"""A stay of which the examples change what matters."""


def write_circuit(
    folder: Path,
    hospital: str,
    sent: Sequence[tuple[str, str]],
    answered: Sequence[tuple[str, str]],
    name: str = "1",
) -> tuple[Path, Path]:
    """Both halves of a direct circuit: (patient, temporary id) and (temporary id, 'PSA/rank')."""
    own = [{"source": hospital, "patient_id": patient, "id_temp": temporary} for patient, temporary in sent]
    national = [
        {"source": hospital, "id_temp": t, "BEN_NIR_PSA": p.split("/")[0], "BEN_RNG_GEM": p.split("/")[1]}
        for t, p in answered
    ]
    head = "source;id_temp;BEN_NIR_PSA;BEN_RNG_GEM\n"
    return (
        write_delivery(folder / f"own-{hospital}-{name}", "link", hospital, {"LINK_HOSPITAL.csv": csv_text(own)}),
        write_delivery(
            folder / f"national-{hospital}-{name}",
            "link",
            "snds",
            {"LINK_SNDS.csv": csv_text(national) if national else head},
        ),
    )
