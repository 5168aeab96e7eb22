"""Files that come of a piece of work: written where a command was told, or handed over to who asked from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from enclos.app.pages.words import Language
from enclos.stores.files import write_atomically

Keep = Callable[[str, bytes], object]
"""Takes a file by its name, which has no folder in it."""
Files = Mapping[str, Callable[[], bytes]]
"""Files by their names, each made when somebody takes it."""


_PAGES = {language: f"page-{language.value}.html" for language in Language}


@dataclass(frozen=True, slots=True)
class Written:
    """Takes files by their names and writes each to the place that a command was told for it.

    Refuses: STORAGE_FULL, STORAGE_BROKEN.
    """

    places: Mapping[str, Path]
    """Of those that are wanted; no other is made."""

    def __call__(self, name: str, content: bytes) -> None:
        """Write one."""
        write_atomically(self.places[name], content, "the page" if name in _PAGES.values() else "a file")


def written_to(places: Mapping[str, Path | None]) -> Written | None:
    """What writes to these places; None where none is named."""
    named = {name: place for name, place in places.items() if place is not None}
    return Written(named) if named else None


def page_to(page: Path | None, language: str) -> dict[str, Path | None]:
    """The place of a page that is wanted in one language, for ``written_to``."""
    return {_PAGES[Language(language)]: page}


def pages(page_in: Callable[[Language], str]) -> Files:
    """A page in each language: ``page-en.html`` and so on."""

    def made(language: Language) -> Callable[[], bytes]:
        return lambda: page_in(language).encode("utf-8")

    return {name: made(language) for language, name in _PAGES.items()}


def without_folders(files: Mapping[str, bytes]) -> Files:
    """The files of a folder by names in which each of its own folders is a word."""

    def made(content: bytes) -> Callable[[], bytes]:
        return lambda: content

    return {name.replace("/", "-"): made(content) for name, content in files.items()}


def takes(keep: Keep | None, name: str) -> bool:
    """Whether a file of that name is wanted."""
    return keep is not None and (not isinstance(keep, Written) or name in keep.places)


def hand_over(keep: Keep | None, files: Files) -> None:
    """Make the files that are wanted, and hand each over."""
    for name, make in files.items():
        if keep is not None and takes(keep, name):
            keep(name, make())


def place_of_page(keep: Keep | None) -> str | None:
    """Where a command was told to write the page; None where it is written nowhere."""
    places = keep.places if isinstance(keep, Written) else {}
    return next((str(places[name]) for name in _PAGES.values() if name in places), None)
