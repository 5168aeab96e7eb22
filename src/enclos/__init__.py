"""Enclos: a secure processing environment for national health data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from enclos.lexicon.version import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from enclos.app.python import OpenHouse


def open(folder: Path | str, passphrase: str | Callable[[], str]) -> OpenHouse:  # noqa: A001 - reads as enclos.open(…)
    """Open an enclosure to ask under its permits.

    Refuses: ENCLOSURE_MISSING, PASSPHRASE_WRONG and what else keeps an enclosure shut.
    """
    from enclos.app.python import OpenHouse

    return OpenHouse(folder, passphrase)


__all__ = ["__version__", "open"]
