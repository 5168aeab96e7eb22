"""The words of the pages, in English and in French."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType

from enclos.app.pages.typography import NARROW, Forms, french_spaces

_NUMBER = re.compile(r"\d+")
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_FRENCH_FORMS, _ENGLISH_FORMS = Forms(below=2), Forms(below=None)


class Language(StrEnum):
    """The languages that a page can be written in."""

    EN = "en"
    FR = "fr"


_FRENCH = {
    ":": " :",
    ";": " ;",
    # headings of the quality page
    "Quality of snapshot {n}": "Qualité de l'instantané {n}",
    "{name}, judged on {day} by the checks of CDM {cdm}.": "{name}, jugé le {day} selon les contrôles du CDM {cdm}.",
    "checks": "contrôles",
    "passed": "réussis",
    "failed": "en échec",
    "not applicable": "sans objet",
    "of the applicable checks passed": "des contrôles applicables réussis",
    "What the checks say, by kind": "Résultat des contrôles, par nature",
    "A check that nothing was counted for is not applicable; it never passes.": (
        "Un contrôle pour lequel rien n'a été compté est sans objet ; il n'est jamais réussi."
    ),
    "Where checks fail": "Tables où des contrôles échouent",
    "Failed checks of each table; a table that is not drawn has none.": (
        "Contrôles en échec par table ; une table absente du graphique n'en a aucun."
    ),
    "failed checks": "contrôles en échec",
    "Against published French figures": "Comparaison aux chiffres publiés pour la France",
    "What is measured here, as a multiple of the published figure; the grey bar is what is plausible.": (
        "Valeur mesurée, en multiple de la valeur publiée ; la barre grise est l'intervalle plausible."
    ),
    "measured / published": "mesuré / publié",
    "figure": "indicateur",
    "measured": "mesuré",
    "published": "publié",
    "plausible": "plausible",
    "plausible ": "plausible",
    "not plausible": "non plausible",
    "status": "statut",
    "Every failed check": "Tous les contrôles en échec",
    "Expected, and how many rows are not so.": "Ce qui est attendu, et le nombre de lignes en défaut.",
    "expected": "attendu",
    "rows not so": "lignes en défaut",
    "of": "sur",
    "share": "part",
    "What moved since snapshot {n}": "Ce qui a changé depuis l'instantané {n}",
    "Tables whose rows changed by a fifth or more; concepts whose share changed by 2 points or more.": (
        "Tables dont les lignes ont varié d'un cinquième ou plus ; concepts dont la part a varié de 2 points ou plus."
    ),
    "Nothing moved that much.": "Rien n'a varié à ce point.",
    "table": "table",
    "concept": "concept",
    "before": "avant",
    "after": "après",
    "Conformance": "Conformité",
    "Completeness": "Complétude",
    "Plausibility": "Plausibilité",
    "number of checks": "nombre de contrôles",
    # French figures
    "stays_per_1000_person_years": "séjours pour 1 000 personnes-années",
    "boxes_of_30_days_per_person_year": "boîtes de 30 jours par personne-année",
    "share_with_long_term_illness": "part en ALD (%)",
    "deaths_per_1000_person_years": "décès pour 1 000 personnes-années",
    "share_age_65_or_more": "part des 65 ans et plus (%)",
    "share_age_75_or_more": "part des 75 ans et plus (%)",
    "share_age_under_20": "part des moins de 20 ans (%)",
    "share_women": "part des femmes (%)",
    "share_women_with_long_term_illness": "part des femmes parmi les ALD (%)",
    "hospitalised_persons_per_1000_person_years": "personnes hospitalisées pour 1 000 personnes-années",
    # headings of the profile page
    "Content of snapshot {n}": "Contenu de l'instantané {n}",
    "{name}, counted on {day}.": "{name}, compté le {day}.",
    "Exact counts without suppression: for those who run the platform. Nothing here may leave it.": (
        "Nombres exacts, sans masquage : réservés aux exploitants de la plateforme. Rien ici ne peut en sortir."
    ),
    "persons": "personnes",
    "observed for at least a day": "observées au moins un jour",
    "median first observation": "durée médiane de la première observation",
    "years": "ans",
    "records of events": "enregistrements d'événements",
    "Persons by year of birth and sex": "Personnes par année de naissance et sexe",
    "year of birth": "année de naissance",
    "women": "femmes",
    "men": "hommes",
    "other": "autre",
    "Persons observed, by month": "Personnes observées, par mois",
    "Persons with at least a day of observation in each month.": "Personnes observées au moins un jour dans le mois.",
    "month": "mois",
    "Records by month": "Enregistrements par mois",
    "Events inside observation, by the month in which they start. A gap or a step is a question to the sender.": (
        "Événements pendant l'observation, par mois de début. Un trou ou une rupture est une question à poser à "
        "l'émetteur."
    ),
    "records": "enregistrements",
    "The most frequent concepts": "Concepts les plus fréquents",
    "Records inside observation, of the ten most frequent concepts of each table.": (
        "Enregistrements pendant l'observation, pour les dix concepts les plus fréquents de chaque table."
    ),
    "How many different concepts a person has": "Nombre de concepts différents par personne",
    "Quartiles and maximum, among persons who have any.": "Quartiles et maximum, parmi les personnes qui en ont.",
    "median": "médiane",
    "p25": "p25",
    "p75": "p75",
    "maximum": "maximum",
    "visit_occurrence": "visites",
    "visit_detail": "passages en unité",
    "condition_occurrence": "diagnostics",
    "procedure_occurrence": "actes",
    "drug_exposure": "médicaments",
    "observation": "observations",
    "measurement": "mesures",
    "device_exposure": "dispositifs",
    "drug_era": "ères de médicaments",
    "condition_era": "ères de diagnostics",
    "no concept": "sans concept",
    "concept {id}": "concept {id}",
}
_ENGLISH = {
    "to run": "Run",
    "to vote": "Vote",
    "{n} years": "{n} {n:year|years}",
    "{n} years {m} months": "{n} {n:year|years} {m} {m:month|months}",
    "{n} days": "{n} {n:day|days}",
    "{n} hours": "{n} {n:hour|hours}",
    "{n} days late": "{n} {n:day|days} late",
    "in {n} days": "in {n} {n:day|days}",
    "{n} persons": "{n} {n:person|persons}",
    "{n} rows": "{n} {n:row|rows}",
    "{n} entries were read": "{n} {n:entry was|entries were} read",
    "{n} columns of {m} tables": "{n} {n:column|columns} of {m} {m:table|tables}",
    "{what}, in {n} columns": "{what}, in {n} {n:column|columns}",
    "{n} months": "{n} {n:month|months}",
    "{start} to {end}, {n} days": "{start} to {end}, {n} {n:day|days}",
    "{n} rows, {seconds} s, snapshot {snapshot}.": "{n} {n:row|rows}, {seconds} s, snapshot {snapshot}.",
    "It ends on {day}. Its legal basis allows {n} renewals of at most {years} years [{source}].": (
        "It ends on {day}. Its legal basis allows {n} {n:renewal|renewals} of at most {years} {years:year|years} "
        "[{source}]."
    ),
    "{n} faults in all. Keep the files as they are and report it to the access body.": (
        "{n} {n:fault|faults} in all. Keep the files as they are and report it to the access body."
    ),
    "plausible ": "plausible",
    "stays_per_1000_person_years": "stays per 1 000 person-years",
    "boxes_of_30_days_per_person_year": "boxes of 30 days per person-year",
    "share_with_long_term_illness": "share with long-term illness (%)",
    "deaths_per_1000_person_years": "deaths per 1 000 person-years",
    "share_age_65_or_more": "share aged 65 or more (%)",
    "share_age_75_or_more": "share aged 75 or more (%)",
    "share_age_under_20": "share aged under 20 (%)",
    "share_women": "share of women (%)",
    "share_women_with_long_term_illness": "share of women in long-term illness (%)",
    "hospitalised_persons_per_1000_person_years": "persons in hospital per 1 000 person-years",
    "visit_occurrence": "visits",
    "visit_detail": "visit details",
    "condition_occurrence": "conditions",
    "procedure_occurrence": "procedures",
    "drug_exposure": "drugs",
    "observation": "observations",
    "measurement": "measurements",
    "device_exposure": "devices",
    "drug_era": "drug eras",
    "condition_era": "condition eras",
}


class Words:
    """Says a thing in the page's language. What has no translation is said as it is.

    Spaces that no line breaks at are put into French here, and ``{n:hour|hours}`` in a text is the form that goes with
    the number (``typography``): tables are written with ordinary spaces.
    """

    def __init__(
        self, language: Language, french: Mapping[str, str] = MappingProxyType({}), own: Collection[str] = ()
    ) -> None:
        """In: french — what a page of its own says, beside the words of all pages; own — names that others gave, which
        are said as they are though we have a word that is written alike.
        """
        self.language = language
        self._own = frozenset(own)
        self._is_french = language is Language.FR
        self._table = {**_FRENCH, **french} if self._is_french else _ENGLISH

    def __call__(self, text: str, **values: object) -> str:
        """The text in the page's language, with its values."""
        said = text if text in self._own and not values else self._table.get(text)
        if said is None and not values:
            return self._with_numbers(text)
        said = text if said is None or said is text else self._set(said)
        return self._filled(said, (), values) if values else said

    def _with_numbers(self, text: str) -> str:
        """A text that is known but for its numbers."""
        said = self._table.get(_NUMBER.sub("{}", text))
        return text if said is None else self._filled(self._set(said), _NUMBER.findall(text), {})

    def _set(self, said: str) -> str:
        return french_spaces(said) if self._is_french else said

    def _filled(self, said: str, numbers: Sequence[str], values: Mapping[str, object]) -> str:
        if "|" in said:
            return (_FRENCH_FORMS if self._is_french else _ENGLISH_FORMS).vformat(said, numbers, values)
        return said.format(*numbers, **values)

    def number(self, value: float | None, n_digits: int = 0) -> str:
        """A number with narrow spaces between thousands and the language's decimal mark."""
        if value is None:
            return "–"
        text = f"{value:,.{n_digits}f}".replace(",", NARROW)
        return text.replace(".", ",") if self._is_french else text

    def written(self, value: str) -> str:
        """What a result holds as text: in French a number has our marks; all else, and English, stays as it is."""
        if not self._is_french or not _DECIMAL.fullmatch(value):
            return value
        whole, _, digits = value.partition(".")
        sign = "-" if whole.startswith("-") else ""  # of -0.3 too, which no whole number has
        grouped = sign + f"{abs(int(whole)):,}".replace(",", NARROW)
        return f"{grouped},{digits}" if digits else grouped
