"""Refusals in French: for each code what its rule says and what to do, beside the English detail of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from enclos.lexicon.codes import Code


@dataclass(frozen=True, slots=True)
class Told:
    """What a refusal's rule says, what to do, and where the rule is from (as its English text has it)."""

    rule: str
    next: str
    source: str


def in_french(code: str) -> Told | None:
    """What is said of a code, by its id; None for a code that is not one of ours."""
    return french_refusals().get(code)


@cache
def french_refusals() -> Mapping[str, Told]:
    """All of them by code: ``refusals_fr.tsv`` has a line for each, with code, rule and next step between tabs."""
    text = resources.files("enclos.app.pages").joinpath("refusals_fr.tsv").read_text(encoding="utf-8")
    sources = {code.id: code.rule.partition(" [")[2].removesuffix("]") for code in Code}
    lines = (line.split("\t") for line in text.splitlines())
    return {code: Told(rule, following, sources.get(code, "")) for code, rule, following in lines}
