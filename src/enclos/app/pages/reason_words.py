"""Reasons of attrition in French, numbers as ``{}``. What rules of a Circe definition are called stays."""

from __future__ import annotations

FRENCH_REASONS = {
    "{} to {}": "{} à {}",
    "Starting population": "Population de départ",
    "Missing year of birth": "Année de naissance manquante",
    "Missing sex": "Sexe manquant",
    "Cannot satisfy age criteria during the study period based on year of birth": (
        "Âge hors critères pendant l'étude d'après l'année de naissance"
    ),
    "No observation time available during study period": "Aucune observation pendant l'étude",
    "Doesn't satisfy age criteria during the study period": "Âge hors critères pendant l'étude",
    "Prior history requirement not fulfilled during study period": "Observation préalable insuffisante pendant l'étude",
    "Not Male": "Autre sexe que masculin",
    "Not Female": "Autre sexe que féminin",
    "No observation time available after applying age, prior observation and, if applicable, target criteria": (
        "Aucune observation après les critères d'âge, d'observation préalable et de cohorte"
    ),
    "Starting analysis population": "Population de l'analyse",
    "Apply washout - anyone with outcome prior to start excluded": "Événement antérieur au début : exclusion",
    "Apply washout criteria of {} days (note, additional records may be created for those with an outcome)": (
        "Période sans événement de {0} {0:jour|jours} (une personne avec événement peut avoir plusieurs "
        "enregistrements)"
    ),
    "Not observed during the complete database interval": "Non observé pendant tout un intervalle",
    "Do not satisfy full contribution requirement for any time interval": "Aucun intervalle entièrement observé",
    "Do not satisfy full contribution requirement for an interval": "Un intervalle n'est pas entièrement observé",
    "Initial qualifying events": "Événements d'entrée",
    "In observation": "Personnes observées",
    "Exclude cases from controls": "Exclusion des cas parmi les témoins",
    "Exclude individuals to fulfil the ratio": "Témoins tirés au sort, selon le nombre par cas",
    "Record in observation": "Enregistrement pendant l'observation",
    "Not missing record date": "Date d'enregistrement présente",
    "Merge overlapping records": "Fusion des enregistrements qui se chevauchent",
    "Collapse records separated by {} or less days": (
        "Réunion des enregistrements séparés de {0} {0:jour|jours} ou moins"
    ),
    "Restricted to first entry": "Première entrée seulement",
    "Sex requirement: Male": "Sexe demandé : masculin",
    "Sex requirement: Female": "Sexe demandé : féminin",
    "Age requirement: {} to {}": "Âge demandé : {} à {}",
    "Prior observation requirement: {} days": "Observation préalable demandée : {0} {0:jour|jours}",
    "Future observation requirement: {} days": "Observation ultérieure demandée : {0} {0:jour|jours}",
    "Limits, exits and eras": "Limites, sorties et ères",
    "Entries into the cohorts": "Entrées dans les cohortes",
    "First entry of the person into the cohort": "Première entrée de la personne dans la cohorte",
    "At least {} days of prior observation": "Au moins {0} {0:jour|jours} d'observation préalable",
    "Entry within the study dates": "Entrée pendant l'étude",
    "Aged {} to {} at entry": "Âge de {} à {} ans à l'entrée",
    "Male sex": "Sexe masculin",
    "Female sex": "Sexe féminin",
    "Not in both cohorts, or the first only": "Pas dans les deux cohortes, ou la première seulement",
    "Entry while both cohorts are entered": "Entrée pendant la période commune aux deux cohortes",
    "At least {} days at risk": "Au moins {0} {0:jour|jours} à risque",
    "No outcome before": "Pas d'événement antérieur",
    "Kept by trimming": "Gardé après troncature du score",
    "Matched on the score": "Apparié sur le score",
    "Stratified by the score": "Stratifié selon le score",
    "Weighted by the score": "Pondéré par le score",
    "With the outcome": "Avec l'événement",
    "First outcome only": "Premier événement seulement",
    "After {} naive days": "Après {0} {0:jour|jours} sans prise en compte",
    "At ages {} to {}": "Entre {} et {} ans",
    "In the study's dates": "Pendant l'étude",
    "With {} days before the outcome": "Avec {0} {0:jour|jours} avant l'événement",
    "Compared": "Comparé",
}
