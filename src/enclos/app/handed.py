"""Files that a command writes where it is told, handed over instead to who asked for the work from elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from enclos.app.pages.words import Language

Keep = Callable[[str, bytes], object]
"""Takes a file by its name, which has no folder in it."""


def keep_pages(keep: Keep, page_in: Callable[[Language], bytes]) -> None:
    """Hand a page over in each language: ``page-en.html`` and so on."""
    for language in Language:
        keep(f"page-{language.value}.html", page_in(language))
