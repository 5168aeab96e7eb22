"""Persons with unmistakable values, and the search for them in whatever writing."""

from __future__ import annotations

import base64
import json
import os
import threading
from pathlib import Path

from enclos.lexicon.keys import KeyName, KeyRole
from factories.deliveries import write_delivery
from factories.enclosure import PASSPHRASE, open_home
from factories.warm import run_command

NIR, BIRTH = "2850578006084", "1985-05-17"
NAME, STREET, PHONE, LOCAL = (
    "Zoé-Canaria Martinoux",
    "7 impasse du Canari Jaune",
    "+33 6 98 76 54 32",
    "IPP-CANARI-4711",
)
VALUES = [NIR, NAME, STREET, PHONE, LOCAL]
SEALING = (
    KeyRole.VAULT,
    KeyRole.CROSSING,
    KeyRole.CATALOG,
    KeyRole.DESK,
    KeyRole.OBJECTIONS,
    KeyRole.LEDGER_SALT,
)
"""Roles of keys that this process may show, so that they can be looked for."""


def written(value: str) -> dict[str, bytes]:
    """The value in each writing that is looked for."""
    plain = value.encode("utf-8")
    found = {
        "utf-8": plain,
        "latin-1": value.encode("latin-1"),
        "utf-16-le": value.encode("utf-16-le"),
        "utf-16-be": value.encode("utf-16-be"),
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "reversed": plain[::-1],
    }
    for shift in range(3):  # the letters that depend on what stands before and after are left out
        encoded = base64.b64encode(b"\0" * shift + plain)
        found[f"base64+{shift}"] = encoded[4 if shift else 0 : len(encoded) // 4 * 4 - 4]
    return found


def search(content: bytes, values: list[str]) -> set[tuple[int, str]]:
    """Which values stand in the content, by place in the list, and in what writing."""
    return {(n, how) for n, value in enumerate(values) for how, text in written(value).items() if text in content}


class Watched:
    """Runs commands with a TMPDIR of their own; keeps what they print and whatever lay there while they ran."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "watched"
        self.temporary.mkdir()
        self.printed = ""
        self.seen: dict[str, bytes] = {}

    def __call__(
        self, *arguments: object, stdin: str = "", status: int | None = 0, passphrase: str = PASSPHRASE
    ) -> dict[str, object]:
        """Run one command; status None: done or refused, but no bug."""
        env = {**os.environ, "ENCLOS_PASSPHRASE": passphrase, "TMPDIR": str(self.temporary)}
        stop = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(stop,))
        watcher.start()
        try:
            done = run_command((*arguments, "--json"), env, stdin)
        finally:
            stop.set()
            watcher.join()
        assert done.returncode == status or (status is None and done.returncode in {0, 3, 4, 5}), done.stderr
        self.printed += done.stdout + done.stderr
        document: dict[str, object] = json.loads(done.stdout)
        return document

    def _watch(self, stop: threading.Event) -> None:
        while not stop.wait(0.02):
            for path in self.temporary.rglob("*"):
                try:
                    if path.is_file():
                        self.seen[path.name] = path.read_bytes()
                except OSError:  # gone meanwhile
                    continue


def delivery_of_a_canary(folder: Path) -> Path:
    """A hospital that sends more than it should: names, NIR, address, telephone."""
    patient = {
        "resourceType": "Patient",
        "id": LOCAL,
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": NIR}],
        "name": [{"text": NAME}],
        "telecom": [{"value": PHONE}],
        "address": [{"line": [STREET], "postalCode": "75011"}],
        "gender": "female",
        "birthDate": BIRTH,
    }
    encounter = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "IMP"},
        "subject": {"reference": f"Patient/{LOCAL}"},
        "period": {"start": "2019-05-01T08:00:00+02:00", "end": "2019-05-04T08:00:00+02:00"},
    }
    lines = {
        f"{each['resourceType']}.ndjson": json.dumps(each, ensure_ascii=False) + "\n" for each in (patient, encounter)
    }
    return write_delivery(folder / "hosp-z", "fhir-bulk", "hosp-z", lines)


def sealing_keys(home: Path) -> list[bytes]:
    """The sealing keys in use."""
    with open_home(home) as enclosure:
        names = [KeyName(role) for role in SEALING if enclosure.keys.exists(KeyName(role))]
        return [enclosure.keys.secret(name).reveal() for name in names]


def shows_key(content: bytes, keys: list[bytes]) -> bool:
    """Whether a key stands in the content, as bytes, hexadecimal or base64."""
    return any(text in content for key in keys for text in (key, key.hex().encode(), base64.b64encode(key)))
