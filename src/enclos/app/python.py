"""Enclos from Python: ``enclos.open(folder, passphrase).permit(id, user=…).sql("…")``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from enclos.app.cohorts import count
from enclos.app.enclosure import Enclosure, open_enclosure
from enclos.app.keys import Passphrase
from enclos.app.permits import active
from enclos.app.sql import ask
from enclos.app.studies import run, whole_study
from enclos.lexicon.refusals import Refusal
from enclos.stores.perimeter_file import KeptPersons
from enclos.studies.circe.kept import Kept

_MEBIBYTE = 1 << 20
_KEPT_PART, _PERSONS_PART = 4, 32
"""One part in so many of what the engine may use is what a permit's records may take, beside the engine, and what the
numbers of its persons may."""


class OpenPermit:
    """One permit in the hands of one of its users."""

    def __init__(self, enclosure: Enclosure, permit: str, user: str, *, unconfined_for_trying_out: bool) -> None:
        self._enclosure = enclosure
        self._permit = permit
        self._user = user
        self._unconfined = unconfined_for_trying_out
        n_bytes = enclosure.settings.engine.memory_limit_mb * _MEBIBYTE
        self._kept, self._persons = Kept(n_bytes // _KEPT_PART), KeptPersons(n_bytes // _PERSONS_PART)

    def __repr__(self) -> str:
        return f"OpenPermit({self._permit})"

    def sql(self, text: str) -> pa.Table:
        """The answer of one SELECT over the permit's tables.

        Refuses: as ``enclos sql`` does.
        """
        return ask(
            self._enclosure,
            permit=self._permit,
            user=self._user,
            text=text,
            unconfined_for_trying_out=self._unconfined,
        ).table

    def cohorts(self, texts: Mapping[str, str], *, inclusion: bool = False) -> list[dict[str, Any]]:
        """How many persons Circe definitions find, by their JSON texts; what ``enclos cohort --json`` gives.

        The records that a definition reads stay in this process's memory, in order of concepts, for the definitions
        that come next, and so do the numbers of the permit's persons: the first takes longer and the others a fraction.
        They go with this object.
        Refuses: as ``enclos cohort`` does; what is kept is gone then.
        """
        try:
            told = count(
                self._enclosure,
                permit=self._permit,
                user=self._user,
                texts=texts,
                inclusion=inclusion,
                kept=self._kept,
                persons=self._persons,
            )
        except Refusal:  # the right may have ended
            self._kept.forget()
            self._persons.forget()
            raise
        found: list[dict[str, Any]] = told["cohorts"]
        return found

    def study(self, text: str | Path, *, out: Path | None = None, page: Path | None = None) -> dict[str, Any]:
        """Run a study and keep its result inside; what ``enclos study --json`` gives.

        In: text — the study's text, or its file as a ``Path``: the Circe definitions that a file names are read, their
            paths beginning where it is; out — a folder for tables and pictures; page — a file for the page
        Refuses: as ``enclos study`` does.
        Raises: OSError or UnicodeDecodeError for a file that cannot be read.
        """
        whole = text if isinstance(text, str) else _whole(text)
        return run(self._enclosure, permit=self._permit, user=self._user, text=whole, out=out, page=page)


def _whole(file: Path) -> str:
    """The text of a study's file with the definitions that it names."""
    return whole_study(_text(file), lambda name: _text(file.parent / name))


def _text(file: Path) -> str:
    """As the commands read it, so that the same file is the same run."""
    return file.read_text(encoding="utf-8-sig")


class OpenHouse:
    """An open enclosure, as a researcher sees it; close it, or use it in a ``with`` block."""

    def __init__(self, folder: Path | str, passphrase: Passphrase) -> None:
        self._stack = ExitStack()
        self._enclosure = self._stack.enter_context(open_enclosure(Path(folder), passphrase))

    def __repr__(self) -> str:
        return f"OpenHouse({self._enclosure.settings.enclosure.name})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the enclosure and its ledger's session."""
        self._stack.close()

    def permit(self, permit: str, *, user: str, unconfined_for_trying_out: bool = False) -> OpenPermit:
        """The permit, if this user may act under it now.

        Refuses: what permits refuse of the user.
        """
        active(self._enclosure, permit, user)
        return OpenPermit(self._enclosure, permit, user, unconfined_for_trying_out=unconfined_for_trying_out)
