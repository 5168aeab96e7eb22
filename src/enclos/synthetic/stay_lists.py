"""The code lists that hang on stays beside CIM-10 and CCAM: UCD, LPP, NABM, CSARR.

Concept ids: 2 000 082 0…, by position in the packaged list; their standard concepts 2 000 087 0….
"""

from __future__ import annotations

from functools import cache

from enclos.synthetic.references import rows

_SOURCE, _STANDARD = 2_000_820_000, 2_000_870_000
_DOMAINS = {
    "UCD": ("Drug", "Ingredient"),
    "LPP": ("Device", "Device"),
    "NABM": ("Measurement", "Lab Test"),
    "CSARR": ("Procedure", "Procedure"),
}


@cache
def _listed() -> tuple[tuple[str, str, str, str], ...]:
    return tuple((r["list"], r["code"], r["label"], r["standard"]) for r in rows("stay_lists.csv"))


@cache
def codes(name: str) -> tuple[str, ...]:
    """The codes of a list."""
    return tuple(code for of, code, _, _ in _listed() if of == name)


def concepts() -> list[tuple[int, str, str, str, str, str, str]]:
    """The rows of CONCEPT: id, name, domain, vocabulary, class, standard, code."""
    found = []
    for position, (name, code, label, standard) in enumerate(_listed()):
        domain, kind = _DOMAINS[name]
        found.append((_SOURCE + position, label, domain, name, f"{name} code", "", code))
        found.append((_STANDARD + position, standard, domain, "ENCLOS", kind, "S", f"{name} {code}"))
    return found


def maps() -> list[tuple[int, int]]:
    """Source and standard concept of every code."""
    return [(_SOURCE + position, _STANDARD + position) for position in range(len(_listed()))]
