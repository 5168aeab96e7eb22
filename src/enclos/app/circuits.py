"""The circuits of linkage at each actor: files in, files out, without an enclosure."""

from __future__ import annotations

import csv
import io
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from enclos.app.deliveries import make_delivery
from enclos.app.keys import Passphrase, leave_no_core
from enclos.app.senders import ndjson_files, source_cipher, source_ciphers
from enclos.app.translation import TRANSLATION
from enclos.contracts.delivered.document import Kind
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import BlockCipher
from enclos.lexicon.refusals import refusal
from enclos.linkage.steps import circuits
from enclos.pseudonyms.model import IdentityColumns
from enclos.pseudonyms.secret_functions.distinct import DistinctTags
from enclos.pseudonyms.secret_functions.identities import record_pseudonyms
from enclos.pseudonyms.steps.senders import PSEUDONYM_COLUMN, check_columns, pseudonymise_rows
from enclos.pseudonyms.steps.sent_resources import identity_pseudonyms, names_of, part_resources, patients_of
from enclos.pseudonyms.steps.translating import COLUMNS
from enclos.stores.sender_files import SenderCsv, leaving, ndjson_batches, write_ndjson

_PATIENT = "PATIENT"


def at_hospital(given: Path, out: Path, *, key: Path, passphrase: Passphrase) -> dict[str, Any]:
    """Part a hospital's export: identities with temporary ids, health data with keyed numbers, and what joins the two.

    In: given — a folder of hospital-csv files, PATIENT.csv with nir and, for whom there is none, birth_name,
        first_names, birth_place; or of FHIR NDJSON files, whose patients tell the same; key — the source's own, of
        `enclos keys source`
    Out: ``identity/`` for the third party or the national side, ``traits/`` for the body that rebuilds NIRs,
        ``health/`` and ``link/`` (deliveries) for the platform; how many rows each has
    Refuses: SENDER_FILE, IDENTITY_SHOWN; nothing is written where something is already
    """
    _make_room(out)
    files = ndjson_files(given)
    source, cipher = source_cipher(key, passphrase, "circuit hospital")
    export = _Resources(files, cipher) if files else _Tables(given, cipher)
    patients = list(export.patients())
    temporary, known, unknown = circuits.identities_of(patients, source, _draw)
    counts = {
        "identity": _write(out / "identity" / "IDENTITY.csv", circuits.IDENTITY, _shuffled(known)),
        "traits": _write(out / "traits" / "TRAITS.csv", circuits.TRAITS, _shuffled(unknown)),
    }
    counts |= export.write_health(out / "health", frozenset(row["nir"] for row in known))
    joined = [
        {"source": source, "patient_id": export.image(f"Patient/{patient}"), "id_temp": own}
        for patient, own in temporary.items()
    ]
    counts["link"] = _write(out / "link" / "LINK_HOSPITAL.csv", circuits.LINK_HOSPITAL, _shuffled(joined))
    make_delivery(out / "health", kind=export.kind.value, source=source)
    make_delivery(out / "link", kind=Kind.LINK.value, source=source)
    return {"source": source, "rows": counts}


def translate_export(
    given: Path, out: Path, *, key: Path, passphrase: Passphrase, columns: IdentityColumns | None = None
) -> dict[str, Any]:
    """At a source that has its next key: which earlier pseudonym is which present one.

    In: given — a folder of hospital-csv files or of FHIR NDJSON files, or a CSV with its ``columns``; everybody and
        everything that was ever sent has to be in it
    Out: ``TRANSLATION.csv`` for the platform: source, old, new; pseudonyms only, in the order of the new ones
    Refuses: KEY_FIXED without an earlier key; SENDER_FILE, IDENTITY_INVALID
    """
    _make_room(out)
    source, earlier, present = source_ciphers(key, passphrase, ["a translation"])
    if columns:
        table = SenderCsv(given)
        check_columns(table.header, columns)
        with closing(table.batches()) as batches:
            pieces = [
                tuple(pseudonymise_rows(rows, line, columns, each)[PSEUDONYM_COLUMN] for each in (earlier, present))
                for line, rows in batches
            ]
        pairs = {(old.as_py(), new.as_py()) for piece in pieces for old, new in zip(*piece, strict=True)}
    else:
        files = ndjson_files(given)
        exports = [_Resources(files, each) if files else _Tables(given, each) for each in (earlier, present)]
        old, new = (export.names() for export in exports)
        pairs = {(old[name], new[name]) for name in new}
    rows = [{"source": source, "old": before, "new": after} for before, after in sorted(pairs, key=lambda p: p[1])]
    return {"source": source, "n": _write(out / TRANSLATION, COLUMNS, rows)}


def at_third_party(out: Path, given: Sequence[Path], *, name: str) -> dict[str, Any]:
    """Merge the identities of several hospitals under fresh numbers; health data are refused at the door.

    Out: ``identity/`` for the national side, without a hospital's name; ``link/`` (a delivery) for the platform
    Refuses: CIRCUIT_BORDER
    """
    _make_room(out)
    files = [_bordered(folder / "IDENTITY.csv", circuits.IDENTITY) for folder in given]
    asking, matched = circuits.renumbered(files, name, _draw)
    counts = {
        "asked": _write(out / "identity" / "IDENTITY.csv", circuits.IDENTITY, asking),
        "matched": _write(out / "link" / "LINK_THIRD_PARTY.csv", circuits.LINK_THIRD_PARTY, matched),
    }
    make_delivery(out / "link", kind=Kind.LINK.value, source=name)
    return {"third_party": name, "rows": counts}


def at_reconstruction(given: Path, out: Path, *, register: Path) -> dict[str, Any]:
    """Rebuild the NIRs of whom the register has exactly one.

    Out: ``identity/`` for the third party
    Refuses: CIRCUIT_BORDER
    """
    _make_room(out)
    traits = _bordered(given / "TRAITS.csv", circuits.TRAITS)
    found = circuits.rebuilt(traits, _bordered(register, circuits.REGISTER))
    _write(out / "identity" / "IDENTITY.csv", circuits.IDENTITY, found)
    return {"asked": len(traits), "rebuilt": len(found)}


def at_national_side(given: Path, out: Path, *, reference: Path, source: str = "snds") -> dict[str, Any]:
    """Answer temporary ids with pseudonyms.

    Out: ``link/`` (a delivery) for the platform
    Refuses: CIRCUIT_BORDER
    """
    _make_room(out)
    asked = _bordered(given / "IDENTITY.csv", circuits.IDENTITY)
    found = circuits.answers(asked, _bordered(reference, circuits.REFERENCE))
    _write(out / "link" / "LINK_SNDS.csv", circuits.LINK_SNDS, found)
    make_delivery(out / "link", kind=Kind.LINK.value, source=source)
    return {"asked": len(asked), "answers": len(found)}


class _Images:
    """Keyed numbers of a hospital's own numbers, asked of the key in bulk."""

    def __init__(self, cipher: BlockCipher) -> None:
        self._cipher = cipher
        self._known: dict[str, str] = {}
        self.seen = DistinctTags()

    def learn(self, names: Iterable[str]) -> None:
        new = sorted(set(names) - self._known.keys())
        self._known.update(zip(new, record_pseudonyms(self._cipher, new, self.seen), strict=True))

    def __call__(self, name: str) -> str:
        return self._known[name]

    def known(self) -> dict[str, str]:
        return dict(self._known)


class _Tables:
    """A hospital's export as hospital-csv files."""

    kind = Kind.HOSPITAL_CSV
    _keyed = (("patient_id", "Patient"), ("sejour_id", "Encounter"))

    def __init__(self, given: Path, cipher: BlockCipher) -> None:
        self._given = given
        self.image = _Images(cipher)

    def patients(self) -> Iterable[Mapping[str, str]]:
        patients = _rows(self._given / f"{_PATIENT}.csv")
        if not patients or "nir" not in patients[0]:
            raise refusal(Code.SENDER_FILE, "PATIENT.csv has no patient, or no column nir.", "Export it again.")
        return patients

    def names(self) -> dict[str, str]:
        """What every patient and stay is called, by its own name."""
        for path in sorted(self._given.glob("*.csv")):
            self._learn(_rows(path))
        return self.image.known()

    def _learn(self, rows: Iterable[Mapping[str, str]]) -> None:
        self.image.learn(f"{kind}/{row[name]}" for row in rows for name, kind in self._keyed if row.get(name))
        self.image.seen.check()

    def write_health(self, out: Path, nirs: frozenset[str]) -> dict[str, int]:
        counts = {}
        for path in sorted(self._given.glob("*.csv")):
            found = _rows(path)
            self._learn(found)
            rows = [circuits.health_row(path.stem, row, self.image, nirs) for row in found]
            counts[path.stem] = _write(out / path.name, tuple(rows[0]) if rows else (), rows)
        return counts


class _Resources:
    """A hospital's export as FHIR NDJSON files, read in pieces."""

    kind = Kind.FHIR_BULK

    def __init__(self, files: Sequence[Path], cipher: BlockCipher) -> None:
        self._files = files
        self._cipher = cipher
        self.image = _Images(cipher)

    def patients(self) -> Iterable[Mapping[str, str]]:
        batches = (batch for path in self._files for batch in ndjson_batches(path))
        patients = {patient["patient_id"]: patient for batch in batches for patient in patients_of(batch)}
        if not patients:
            raise refusal(Code.SENDER_FILE, "There is no patient in the export.", "Export it with its patients.")
        self.image.learn(f"Patient/{patient}" for patient in patients)
        return patients.values()

    def names(self) -> dict[str, str]:
        """What every record and every patient with a NIR is called, by its own name or its identity."""
        found: dict[str, str] = {}
        for path in self._files:
            for batch in ndjson_batches(path):
                self.image.learn(names_of(batch))
                found |= identity_pseudonyms(batch, self._cipher, self.image.seen)
        self.image.seen.check()
        return found | self.image.known()

    def write_health(self, out: Path, nirs: frozenset[str]) -> dict[str, int]:
        counts, seen = {}, self.image.seen
        for path in self._files:
            target = out / path.name.removesuffix(".gz")
            batches = (part_resources(batch, self._cipher, nirs, seen=seen) for batch in ndjson_batches(path))
            with leaving(target) as file:
                counts[path.name] = write_ndjson(file, (each for batch in batches for each in batch))
                seen.check()
            if not counts[path.name]:
                target.unlink()  # nothing in it may leave, for instance practitioners
        return counts


def _draw() -> str:
    return secrets.token_hex(12)


def _shuffled(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """In the order of the fresh ids, so that a place in one file says nothing of a place in another."""
    return sorted(rows, key=lambda row: row["id_temp"])


def _make_room(out: Path) -> None:
    leave_no_core()
    if out.exists():
        raise refusal(Code.SENDER_FILE, "There is something where the files would go.", "Name another folder.")


def _rows(path: Path) -> list[dict[str, str]]:
    """All rows of a file, so that a refusal of one leaves no reader behind."""
    return [row for _, table in SenderCsv(path).batches() for row in table.to_pylist()]


def _bordered(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a file that holds exactly these columns; the header is judged before a row is read."""
    circuits.check_border(SenderCsv(path).header, columns, path.name)
    return _rows(path)


def _write(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> int:
    if columns:
        text = io.StringIO()
        writer = csv.DictWriter(text, columns, delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        with leaving(path) as file:
            file.write(text.getvalue().encode("utf-8"))
    return len(rows)
