"""What a permit opens, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enclos.app.pages.words import Words


def said_population(population: object, words: Words) -> str:
    """Whose data a permit opens. In: population — as the signed document writes it."""
    if not isinstance(population, Mapping):
        return words("everybody in the enclosure")
    if "controls_of" in population:
        whose = said_population(population["controls_of"], words)
        return words("{whose}, and {n} others like each of them", whose=whose, n=population["per_case"])
    return _plain(population, words)


def _plain(population: Mapping[str, Any], words: Words) -> str:
    if "sample_percent" in population:
        return words("a random sample of {share} %", share=population["sample_percent"])
    if "source" in population:
        return words("persons of the source {source}", source=population["source"])
    if "departments" in population:
        return words("persons who live in the departments {codes}", codes=", ".join(population["departments"]))
    if "concepts" in population:
        return words("persons with a record of the concepts {ids}", ids=", ".join(map(str, population["concepts"])))
    return words("persons chosen by a cohort definition")
