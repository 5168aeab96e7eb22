"""Applications for permits on disk, sealed: they name people and plans that nobody has decided on yet."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from enclos.lexicon.canonical import canonical_bytes
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import SecretKey
from enclos.lexicon.refusals import Refusal, refusal
from enclos.permits.model import Application, Move, Stage, Step
from enclos.stores.files import write_atomically
from enclos.stores.sealed import seal, unseal

_ID = re.compile(r"[0-9a-f]{16}")


class ApplicationFiles:
    """``applications/<application>.sealed``, each bound to its name.

    Refuses: APPLICATION_UNKNOWN, STORAGE_FULL, STORAGE_BROKEN.
    """

    def __init__(self, root: Path, key: SecretKey) -> None:
        self._root = root
        self._key = key

    def __repr__(self) -> str:
        return "ApplicationFiles()"

    def ids(self) -> Sequence[str]:
        """The applications, in the order of their numbers."""
        return sorted(path.stem for path in self._root.glob("*.sealed") if _ID.fullmatch(path.stem))

    def has(self, application: str) -> bool:
        """Whether there is one of this number.

        Refuses: APPLICATION_UNKNOWN when it is no number of an application.
        """
        if not _ID.fullmatch(application):
            raise unknown()
        return self._path(application).is_file()

    def read(self, application: str) -> Application:
        """An application as it was kept last."""
        if not self.has(application):
            raise unknown()
        path = self._path(application)
        kept = json.loads(unseal(self._key, path.read_bytes(), application_context(path)))
        return Application(
            kept["id"],
            kept["applicant"],
            kept["text"],
            Stage(kept["stage"]),
            tuple(
                Step(Move(each["move"]), each["by"], datetime.fromisoformat(each["at"]), each["why"], each["digest"])
                for each in kept["steps"]
            ),
            kept["permit"],
        )

    def keep(self, application: Application) -> None:
        """Keep an application in the place of what it was, whole or not at all."""
        content = {
            "id": application.id,
            "applicant": application.applicant,
            "text": application.text,
            "stage": application.stage.value,
            "steps": [
                {
                    "move": step.move.value,
                    "by": step.by,
                    "at": step.at.isoformat(),
                    "why": step.why,
                    "digest": step.digest,
                }
                for step in application.steps
            ],
            "permit": application.permit,
        }
        path = self._path(application.id)
        write_atomically(path, seal(self._key, canonical_bytes(content), application_context(path)), "an application")

    def _path(self, application: str) -> Path:
        return self._root / f"{application}.sealed"


def application_context(path: Path) -> str:
    """What an application's file is bound to."""
    return f"application/{path.stem}"


def unknown() -> Refusal:
    """That no application has this number, or none that this person may see: the two look alike."""
    return refusal(Code.APPLICATION_UNKNOWN, "There is no such application.", "List them: enclos application list DIR.")
