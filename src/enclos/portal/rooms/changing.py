"""What every change of a permit's life asks of its form: the version that was looked at, and a reason."""

from __future__ import annotations

from enclos.app.pages.words import Words
from enclos.lexicon.codes import Code
from enclos.portal.forms import Form

NEVER_SHOWN = frozenset({Code.PERMIT_UNKNOWN, Code.ENCLOSURE_BUSY})
"""What no page of a permit says above its form."""


def version_of(form: Form) -> int:
    """The version that a form was made for; one that never was where it says none."""
    text = form["version"]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else -1


def reason_fault(form: Form, words: Words) -> str:
    """What is wrong with the reason of a form; nothing where it gives one: not every browser asks for it."""
    return "" if form["reason"] else words("Say why: the reason stays with the version.")
