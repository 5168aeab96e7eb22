"""Probes of backups: the newest of each declared place is read back in part, and compared with what it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from urllib.parse import parse_qs, urlsplit

from enclos.app.backups import backup_place
from enclos.app.conformity.sign_in_probes import EEA
from enclos.app.enclosure import Enclosure
from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.hosting.backups import Backup
from enclos.lexicon.refusals import Refusal
from enclos.stores.backup_place import BackupPlace

_DAILY = timedelta(hours=36)
"""SecNumCloud 12.5.a asks for a backup a day; half a day is left for a long one."""
_SAMPLE = 40
_NAMES = ("bkp.run", "bkp.run:log-store", "bkp.restore", "bkp.offsite")


def backup_probes(
    enclosure: Enclosure, backups: Sequence[str], places: Mapping[str, str], folder: Path, now: datetime
) -> list[Look]:
    """One look at every place of backups. In: backups, places — as conformity.toml declares them; folder — its own."""
    return [Look(_NAMES, lambda: _findings(enclosure, backups, places, folder, now))]


def _findings(
    enclosure: Enclosure, backups: Sequence[str], places: Mapping[str, str], folder: Path, now: datetime
) -> list[Finding]:
    if not backups:
        return [Finding(name, Sight.BLIND, "conformity.toml names no place of backups") for name in _NAMES]
    found = [_Found(enclosure, place if "://" in place else str(folder / place), places, now) for place in backups]
    looks = {
        "bkp.run": [each.is_recent() for each in found],
        "bkp.run:log-store": [each.has_ledger() for each in found],
        "bkp.restore": [each.comes_back() for each in found],
        "bkp.offsite": [each.is_elsewhere() for each in found],
    }
    return [_best(name, answers) for name, answers in looks.items()]


def _best(name: str, answers: Sequence[tuple[Sight, str, int]]) -> Finding:
    """One good place is enough for a backup to exist; a bad one is told where there is no better."""
    order = [Sight.HOLDS, Sight.FAILS, Sight.BLIND]
    sight, said, n_seen = min(answers, key=lambda each: order.index(each[0]))
    return Finding(name, sight, said, n_seen)


class _Found:
    """What lies at one place."""

    def __init__(self, enclosure: Enclosure, place: str, places: Mapping[str, str], now: datetime) -> None:
        self._enclosure, self._place, self._places, self._now = enclosure, place, places, now
        self._at: BackupPlace = backup_place(place, enclosure.keys)
        numbers = self._at.numbers()
        self._newest: Backup | None = self._at.read(numbers[-1]) if numbers else None

    def is_recent(self) -> tuple[Sight, str, int]:
        """Whether the newest is of today."""
        if self._newest is None:
            return Sight.FAILS, "the place holds no backup that opens under this enclosure's key", 0
        age = self._now - datetime.fromisoformat(self._newest.made_at)
        said = f"the newest backup is {age.total_seconds() / 3600:.0f} hours old, one a day is wanted"
        return (Sight.HOLDS if age <= _DAILY else Sight.FAILS), said, len(self._newest.objects())

    def has_ledger(self) -> tuple[Sight, str, int]:
        """Whether the ledger is in it."""
        if self._newest is None:
            return Sight.FAILS, "the place holds no backup that opens under this enclosure's key", 0
        n = self._newest.n_entries
        return (Sight.HOLDS if self._newest.ledger else Sight.FAILS), f"{n} entries of the ledger are in the backup", n

    def comes_back(self) -> tuple[Sight, str, int]:
        """A sample drawn anew each time is opened and compared, byte for byte, with what was put."""
        if self._newest is None:
            return Sight.FAILS, "there is no backup to bring back", 0
        groups = ((self._newest.lake, True), (self._newest.files, False), (self._newest.ledger, False))
        kept = [(each, is_sealed) for group, is_sealed in groups for each in group.values()]
        sample = SystemRandom().sample(kept, min(_SAMPLE, len(kept)))
        lost = 0
        for each, is_sealed in sample:
            try:
                self._at.get(each.object, each.seal, is_sealed=is_sealed)
            except Refusal:
                lost += 1
        back = len(sample) - lost
        said = f"{back} of {len(sample)} objects, of {len(kept)} in the newest backup, came back as they were"
        return (Sight.FAILS if lost or not sample else Sight.HOLDS), said, len(sample)

    def is_elsewhere(self) -> tuple[Sight, str, int]:
        """Whether it lies away from what it is a backup of."""
        if "://" not in self._place:
            same = Path(self._place).stat().st_dev == self._enclosure.paths.root.stat().st_dev
            said = f"the backup lies on {'the same' if same else 'another'} device of this machine"
            return (Sight.FAILS if same else Sight.BLIND), said, 1
        endpoint = parse_qs(urlsplit(self._place).query).get("endpoint", [""])[0]
        host = urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").hostname or "the storage"
        country = self._places.get(host, "").upper()
        if not country:
            return Sight.BLIND, f"conformity.toml declares no country of {host}", 1
        return (Sight.HOLDS if country in EEA else Sight.FAILS), f"{host} is declared to be in {country}", 1
