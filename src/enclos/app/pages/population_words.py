"""Whose data a permit opens, in French."""

from __future__ import annotations

FRENCH_POPULATIONS = {
    "everybody in the enclosure": "toutes les personnes de l'enclos",
    "a random sample of {share} %": "un échantillon aléatoire de {share} %",
    "persons of the source {source}": "les personnes de la source {source}",
    "persons who live in the departments {codes}": "les personnes qui résident dans les départements {codes}",
    "persons with a record of the concepts {ids}": "les personnes ayant un enregistrement de l'un des concepts {ids}",
    "persons chosen by a cohort definition": "les personnes choisies par une définition de cohorte",
    "{whose}, and {n} others like each of them": "{whose}, et {n} {n:autre semblable|autres semblables} pour chacune",
}
