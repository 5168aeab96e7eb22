"""The words of the ledger's review: what detectors and kinds of acts are called, and French."""

from __future__ import annotations

from enclos.app.pages.acts_words import FRENCH_ACTS
from enclos.ledger.rules.watching import Detector

KINDS = ("refused", "uses of data", "privileged operations", "other")

DETECTORS = {
    Detector.PRIVILEGE: "A privileged operation by somebody who uses data, or never did one before",
    Detector.VOLUME: "Far more rows, or exports, in a day than usual",
    Detector.NIGHT: "Data used at night or on a weekend",
    Detector.REPEATED: "One query after the other that differs only in its constants",
    Detector.DENIALS: "Refused again and again",
    Detector.ENDED: "A permit used, or tried, after its end",
    Detector.BROKEN: "Work that died again and again",
    Detector.ASKING: "One desk that asked about very many persons in a day",
}

FRENCH_REVIEW = {
    **FRENCH_ACTS,
    "The ledger in {month}": "Le journal en {month}",
    "{name}: every entry was read and proved to be what was signed.": (
        "{name} : chaque entrée a été lue et prouvée conforme à ce qui a été signé."
    ),
    "The month is not over yet.": "Le mois n'est pas terminé.",
    "findings": "signalements",
    "uses of data": "utilisations des données",
    "denials": "refus",
    "rows of results": "lignes de résultats",
    "exports": "sorties",
    "privileged operations": "opérations privilégiées",
    "refused": "refusés",
    "other": "autres",
    "To look at": "À examiner",
    "No detector found anything.": "Aucun détecteur n'a rien trouvé.",
    "Each needs a person's eye and a written answer; the entries are named by their numbers.": (
        "Chaque signalement demande l'examen d'une personne et une réponse écrite ; les entrées sont désignées par "
        "leur numéro."
    ),
    "what": "quoi",
    "who": "qui",
    "permit": "autorisation",
    "from": "du",
    "to": "au",
    "number": "nombre",
    "entries": "entrées",
    "entry": "entrée",
    "Day by day": "Jour par jour",
    "Nothing was done in this month.": "Rien n'a été fait pendant ce mois.",
    "What was done or refused, by the local day on which it began.": (
        "Ce qui a été fait ou refusé, selon le jour (heure locale) où cela a commencé."
    ),
    "day of the month": "jour du mois",
    "acts": "actes",
    "Hours of work": "Heures de travail",
    "Uses of data by weekday and local hour.": "Utilisations des données par jour de la semaine et heure locale.",
    "hour": "heure",
    "Mon": "lun",
    "Tue": "mar",
    "Wed": "mer",
    "Thu": "jeu",
    "Fri": "ven",
    "Sat": "sam",
    "Sun": "dim",
    "Denials": "Refus",
    "By the rule that refused.": "Selon la règle qui a refusé.",
    "Volumes": "Volumes",
    "Rows of results that were made under each permit, inside the enclosure.": (
        "Lignes de résultats produites sous chaque autorisation, à l'intérieur de l'enclos."
    ),
    "rows": "lignes",
    "Exports": "Sorties",
    "What left the enclosure.": "Ce qui est sorti de l'enclos.",
    "when": "quand",
    "request": "demande",
    "files": "fichiers",
    "Privileged operations": "Opérations privilégiées",
    "Of those who run the enclosure and grant permits.": (
        "Celles des personnes qui exploitent l'enclos et accordent les autorisations."
    ),
    "operation": "opération",
    "outcome": "issue",
    DETECTORS[Detector.PRIVILEGE]: (
        "Une opération privilégiée par une personne qui utilise des données, ou qui n'en avait jamais fait"
    ),
    DETECTORS[Detector.VOLUME]: "Bien plus de lignes, ou de sorties, en un jour que d'habitude",
    DETECTORS[Detector.NIGHT]: "Données utilisées la nuit ou le week-end",
    DETECTORS[Detector.REPEATED]: "Des requêtes successives qui ne diffèrent que par leurs constantes",
    DETECTORS[Detector.DENIALS]: "Des refus répétés",
    DETECTORS[Detector.ENDED]: "Une autorisation utilisée, ou invoquée, après sa fin",
    DETECTORS[Detector.BROKEN]: "Des travaux interrompus à répétition",
    DETECTORS[Detector.ASKING]: "Un guichet qui a interrogé sur un très grand nombre de personnes en un jour",
}
