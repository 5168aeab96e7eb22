"""The titles of results' types, as ``release/tables.csv`` gives them, in French."""

from __future__ import annotations

FRENCH_KINDS = {
    "Incidence rates": "Taux d'incidence",
    "Prevalence": "Prévalence",
    "Who was left at each step towards the persons at risk of an incidence": (
        "Qui restait à chaque étape vers les personnes à risque d'une incidence"
    ),
    "Who was left at each step towards the persons of a prevalence": (
        "Qui restait à chaque étape vers les personnes d'une prévalence"
    ),
    "Standardised incidence rates": "Taux d'incidence standardisés",
    "Adjusted effects of one treatment beside another": "Effets ajustés d'un traitement par rapport à un autre",
    "Characteristics of cohorts": "Caractéristiques des cohortes",
    "All recorded concepts of cohorts": "Tous les concepts enregistrés des cohortes",
    "Persons that cohorts share": "Personnes communes aux cohortes",
    "Standardised differences between cohorts": "Différences standardisées entre cohortes",
    "Use of drugs": "Utilisation de médicaments",
    "Adherence to drugs": "Observance des traitements",
    "Indications of drugs": "Indications de médicaments",
    "Restart and switch after stopping a drug": "Reprise et changement après l'arrêt d'un médicament",
    "Share of patients covered by a drug": "Part des patients couverts par un médicament",
    "Trends over time": "Évolutions dans le temps",
    "Use of codes": "Utilisation des codes",
    "Use of codes in cohorts": "Utilisation des codes dans les cohortes",
    "Use of related codes": "Utilisation de codes voisins",
    "Treatment pathways": "Parcours de traitement",
    "Summary of survival": "Résumé de la survie",
    "Survival over time": "Survie au cours du temps",
    "Persons at risk and events over time": "Personnes à risque et événements au cours du temps",
    "Who was left at each step towards the persons of a survival": (
        "Qui restait à chaque étape vers les personnes d'une survie"
    ),
    "Who was left at each step towards a cohort": "Qui restait à chaque étape vers une cohorte",
    "Days between entries into two cohorts": "Jours entre les entrées dans deux cohortes",
    "Treatments around entry into cohorts": "Traitements autour de l'entrée dans les cohortes",
    "Exposures with a known daily dose": "Expositions dont la dose journalière est connue",
    "Who was left at each step towards a comparison": "Qui restait à chaque étape vers une comparaison",
    "Propensity score of a comparison": "Score de propension d'une comparaison",
    "Self-controlled case series": "Séries de cas autocontrôlés",
    "Diagnostics of a case series": "Diagnostics d'une série de cas",
    "Who was left at each step towards a case series": "Qui restait à chaque étape vers une série de cas",
    "Self-controlled cohort": "Cohorte autocontrôlée",
    "Diagnostics of a self-controlled cohort": "Diagnostics d'une cohorte autocontrôlée",
    "Case-crossover": "Cas croisés",
    "Diagnostics of a case-crossover": "Diagnostics de cas croisés",
    "Who was left at each step towards a case-crossover": "Qui restait à chaque étape vers des cas croisés",
    "Case-control": "Cas-témoins",
    "Diagnostics of a case-control": "Diagnostics d'une étude cas-témoins",
    "Who was left at each step towards a case-control": "Qui restait à chaque étape vers une étude cas-témoins",
    "Negative and positive controls of a comparison": "Témoins négatifs et positifs d'une comparaison",
    "Balance of covariates of a comparison": "Équilibre des covariables d'une comparaison",
    "Controls of a case series": "Témoins d'une série de cas",
    "Controls of a self-controlled cohort": "Témoins d'une cohorte autocontrôlée",
    "Controls of a case-crossover": "Témoins de cas croisés",
    "Controls of a case-control study": "Témoins d'une étude cas-témoins",
    "Shares of stays": "Parts de séjours",
    "Who was left at each step towards the stays of a share": "Qui restait à chaque étape vers les séjours d'une part",
    "Table of a question in SQL": "Tableau d'une requête SQL",
    "Table of a code job": "Tableau d'un traitement par code",
    "Curves of a comparison": "Courbes d'une comparaison",
    "Persons at risk and events of a comparison over time": (
        "Personnes à risque et événements d'une comparaison au cours du temps"
    ),
}
