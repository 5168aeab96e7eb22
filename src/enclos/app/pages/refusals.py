"""Refusals and rules of release in French: what a rule says and what to do, beside the English detail of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from enclos.app.pages.typography import french_spaces, source_in_french
from enclos.lexicon.codes import Code

_RULES = {
    "typed": "Chaque estimation est d'un type connu, avec des libellés de listes fermées.",
    "backed": "Chaque estimation concorde avec les personnes qui sont derrière.",
    "minimum-count": "Aucun nombre montré ne repose sur moins de personnes que le minimum.",
    "small-places": "D'un petit lieu, aucun nombre n'est dit pour quelques jours.",
    "secondary": "Ce que des totaux révéleraient est retenu aussi.",
    "attack": "Qui connaît tout ce qui est montré ne peut cerner ce qui est retenu.",
    "curve-steps": "Chaque marche d'une courbe repose sur le minimum de personnes, ou sur aucune.",
    "history": "Aucun ensemble de personnes déjà sorti ne diffère d'un nouveau de moins que le minimum.",
    "search": "Les sommes au sein de la demande ont été cherchées ; ce qui ne l'a pas été est dit.",
    "probes": "Deux personnes regardent quand des vérifications récentes ont révélé un écart de peu de personnes.",
    "rounding": "Les effectifs sont arrondis comme l'autorisation, l'enclos ou une source le demandent.",
    "demands": "Les sources, l'enclos et l'autorisation peuvent demander davantage que la plateforme.",
    "volume": "Ce qui sort sous une autorisation reste dans le volume convenu.",
    "content": "Il reste quelque chose à sortir.",
}
RULES_IN_FRENCH = {name: french_spaces(text) for name, text in _RULES.items()}
"""What each rule of release says, by its name."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a refusal's rule says, what to do, and where the rule is from (as French names it)."""

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
    return {
        code: Told(french_spaces(rule), french_spaces(following), source_in_french(sources.get(code, "")))
        for code, rule, following in lines
    }
