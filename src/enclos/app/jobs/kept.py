"""Where long work and what came of it is kept: sealed, with its permit or with the house."""

from __future__ import annotations

from pathlib import Path

from enclos.app.enclosure import Enclosure
from enclos.app.permits import permit_key
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.stores.job_files import JobFiles


def folder_of_work(enclosure: Enclosure, permit: str) -> Path:
    """Of work under a permit, or of the house's."""
    return enclosure.paths.permits / permit / "jobs" if permit else enclosure.paths.jobs


def files_of_work(enclosure: Enclosure, permit: str) -> JobFiles:
    """Its files, under the key of the permit or of the desk.

    Refuses: KEY_UNKNOWN and the like when the key is destroyed.
    """
    key = permit_key(permit) if permit else KeyName(KeyRole.DESK)
    return JobFiles(folder_of_work(enclosure, permit), enclosure.keys.secret(key))
