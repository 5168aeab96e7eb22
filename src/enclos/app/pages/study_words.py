"""The words of a study's page in French; the names of cohorts and concepts stay as they are."""

from __future__ import annotations

FRENCH_STUDY = {
    ".": ",",
    "Incidence": "Incidence",
    "Prevalence": "Prévalence",
    "Survival": "Survie",
    "Characteristics": "Caractéristiques",
    "Use of drugs": "Utilisation des médicaments",
    "Pathways": "Parcours de traitement",
    "Comparison": "Comparaison",
    "Self-controlled case series": "Séries de cas autocontrôlés",
    "analyses": "analyses",
    "pictures": "graphiques",
    "places": "lignes de résultat",
    "Not released: exact numbers, for the persons of the permit alone. Nothing here may leave the enclosure.": (
        "Non sorti : nombres exacts, réservés aux utilisateurs de l'autorisation. Rien ici ne peut sortir de l'enclos."
    ),
    "Not released: what could be released as it is. Small numbers are withheld (–).": (
        "Non sorti : ce qui pourrait sortir tel quel. Les petits nombres sont masqués (–)."
    ),
    "What is not shown": "Ce qui n'est pas montré",
    "{n} results are not shown: the permit does not show rows as the study reads them, and no rule of "
    "release lets these leave as they are: {kinds}.": (
        "{n} {n:résultat n'est pas montré|résultats ne sont pas montrés} : l'autorisation ne montre pas les lignes "
        "telles que l'étude les lit, et aucune règle ne laisse sortir ces résultats tels quels : {kinds}."
    ),
    "{n} rows": "{n} {n:ligne|lignes}",
    "years": "années",
    "{n} more rows are in the file.": "{n} {n:autre ligne est|autres lignes sont} dans le fichier.",
    "Incidence of {outcome}": "Incidence : {outcome}",
    "Age-standardised incidence": "Incidence standardisée sur l'âge",
    "Age-standardised incidence of {outcome}": "Incidence standardisée sur l'âge : {outcome}",
    "age-standardised events per 100 000 person-years": "événements pour 100 000 personnes-années, standardisés",
    "Prevalence of {outcome}": "Prévalence : {outcome}",
    "Prevalence among stays of {outcome}": "Prévalence parmi les séjours : {outcome}",
    "events per 100 000 person-years": "événements pour 100 000 personnes-années",
    "share of the persons": "part des personnes",
    "share of the stays": "part des séjours",
    "start of the interval": "début de l'intervalle",
    "by days": "par jour",
    "by weeks": "par semaine",
    "by months": "par mois",
    "by quarters": "par trimestre",
    "by years": "par année",
    "by sex": "par sexe",
    "by age group": "par groupe d'âge",
    "by index year": "par année d'entrée",
    "days": "jours",
    "weeks": "semaines",
    "months": "mois",
    "quarters": "trimestres",
    "overall": "toute la période",
    "Both": "les deux sexes",
    "Male": "hommes",
    "Female": "femmes",
    "{ages} years of age": "{ages} ans",
    "{n} days of prior observation": "{n} {n:jour|jours} d'observation préalable",
    "{n} estimates with their 95 % intervals as bands; {hidden} are withheld or cannot be estimated.": (
        "{n} {n:estimation, intervalle|estimations, intervalles} à 95 % en bandes ; {hidden} {hidden:est masquée ou "
        "impossible à calculer|sont masquées ou impossibles à calculer}."
    ),
    "Bands are cut where they go far beyond the estimates.": (
        "Les bandes sont coupées là où elles dépassent largement les estimations."
    ),
    "Point: estimate; line: 95 % interval.": "Point : estimation ; trait : intervalle à 95 %.",
    "Time from {target} to {outcome}": "Délai de {target} à {outcome}",
    "Cumulative incidence of {outcome} after {target}": "Incidence cumulée de {outcome} après {target}",
    "Share without the outcome (Kaplan-Meier), with 95 % intervals; below, entries at risk.": (
        "Part sans l'événement (Kaplan-Meier), intervalles à 95 % ; dessous, entrées à risque."
    ),
    "Share with each outcome first (Aalen-Johansen), with 95 % intervals; below, entries at risk.": (
        "Part ayant chaque événement en premier (Aalen-Johansen), intervalles à 95 % ; dessous, entrées à risque."
    ),
    "share with the outcome": "part avec l'événement",
    "share without the outcome": "part sans l'événement",
    "at risk": "à risque",
    "years since entry": "années depuis l'entrée",
    "days since entry": "jours depuis l'entrée",
    "Patients covered on each day": "Patients couverts chaque jour",
    "Share of the persons still observed who are in the cohort, with 95 % intervals.": (
        "Part des personnes encore observées qui sont dans la cohorte, intervalles à 95 %."
    ),
    "patients covered (%)": "patients couverts (%)",
    "Use of drugs during each entry": "Utilisation pendant chaque entrée",
    "Adherence from the first day of each entry": "Observance depuis le premier jour de chaque entrée",
    "proportion of days covered": "proportion de jours couverts",
    "medication possession ratio": "taux de possession médicamenteuse",
    "persons with at least this proportion of days covered": (
        "personnes ayant au moins cette proportion de jours couverts"
    ),
    "Days between entries into two cohorts": "Jours entre les entrées de deux cohortes",
    "Box: the middle half; line in it: median; diamond: mean.": (
        "Boîte : la moitié centrale ; trait : médiane ; losange : moyenne."
    ),
    "Thin line: smallest to greatest value.": "Trait fin : de la plus petite à la plus grande valeur.",
    "number exposures": "nombre d'expositions",
    "number eras": "nombre d'ères",
    "time to exposure": "délai jusqu'à l'exposition",
    "initial exposure duration": "durée de la première exposition",
    "days exposed": "jours exposés",
    "days prescribed": "jours prescrits",
    "cumulative quantity": "quantité cumulée",
    "initial quantity": "quantité initiale",
    "initial daily dose": "dose quotidienne initiale",
    "cumulative dose": "dose cumulée",
    "days between cohort entries": "jours entre les entrées",
    "exposures": "expositions",
    "eras": "ères",
    "units of quantity": "unités de quantité",
    "Indications": "Indications",
    "Treatments around entry": "Traitements autour de l'entrée",
    "An entry can have several treatments.": "Une entrée peut avoir plusieurs traitements.",
    "Exposures whose daily dose is known": "Expositions dont la dose journalière est connue",
    "Prevalence among stays": "Prévalence parmi les séjours",
    "After the end of treatment": "Après la fin du traitement",
    "Shares of the entries that ended; together 100 %.": "Parts des entrées terminées ; au total 100 %.",
    "Each entry has one combination of indications; together 100 %.": (
        "Chaque entrée a une combinaison d'indications ; au total 100 %."
    ),
    "entries (%)": "entrées (%)",
    "restart": "reprise",
    "switch": "changement",
    "restart and switch": "reprise et changement",
    "untreated": "sans traitement",
    "unknown": "inconnue",
    "none": "aucune",
    "not in observation": "hors observation",
    "Standardised differences between cohorts": "Différences standardisées entre cohortes",
    "Dashed lines at -0.1 and 0.1: beyond them a difference is said to matter.": (
        "Tirets à -0,1 et 0,1 : au-delà, une différence est dite notable."
    ),
    "standardised mean difference": "différence moyenne standardisée",
    "Large-scale characteristics": "Caractéristiques à grande échelle",
    "Large-scale characteristics: {first} against {second}": (
        "Caractéristiques à grande échelle : {first} et {second}"
    ),
    "{n} concepts of a window; on the line they are as frequent in both.": (
        "{n} {n:concept|concepts} d'une fenêtre ; sur la ligne, aussi fréquents dans les deux."
    ),
    "Most frequent concepts of {cohort}: {table}": "Concepts les plus fréquents de {cohort} : {table}",
    "Shares of the entries that have the concept, of the twelve most frequent of each window.": (
        "Parts des entrées qui ont le concept, pour les douze plus fréquents de chaque fenêtre."
    ),
    "days {window}": "jours {window}",
    "Persons that cohorts share": "Personnes communes aux cohortes",
    "Each row: persons in the cohorts with a full dot and not in that with an empty one.": (
        "Chaque ligne : les personnes des cohortes au point plein, absentes de celle au point vide."
    ),
    "Sequences of treatments": "Séquences de traitements",
    "Sequences of treatments after {target}": "Séquences de traitements après {target}",
    "{n} persons with a treatment, from left to right by step; a ribbon is as broad as the persons who go "
    "along it, and whose sequence ends goes no further.": (
        "{n} {n:personne traitée|personnes traitées}, étape par étape de gauche à droite ; la largeur d'un ruban dit "
        "combien de personnes le suivent, et une séquence qui finit ne va pas plus loin."
    ),
    "others": "autres",
    "step": "étape",
    "Attrition": "Attrition",
    "Attrition: {who}": "Attrition : {who}",
    "From top to bottom each reason and what it leaves; on the right what it takes.": (
        "De haut en bas chaque motif et ce qu'il laisse ; à droite ce qu'il retire."
    ),
    "{records} records, {persons} persons": (
        "{records} {records:enregistrement|enregistrements}, {persons} {persons:personne|personnes}"
    ),
    "left out: {records} records, {persons} persons": (
        "exclus : {records} {records:enregistrement|enregistrements}, {persons} {persons:personne|personnes}"
    ),
    "Entries at risk, events and losses": "Entrées à risque, événements et pertes",
    "Summary of survival": "Résumé de la survie",
    "everybody": "tous",
    "all": "tous",
    "outcome": "événement",
    "population": "population",
    "interval": "intervalle",
    "from": "du",
    "to": "au",
    "with the outcome": "avec l'événement",
    "stays": "séjours",
    "person-years": "personnes-années",
    "per 100 000 person-years (95 % interval)": "pour 100 000 personnes-années (intervalle à 95 %)",
    "share (95 % interval)": "part (intervalle à 95 %)",
    "of": "de",
    "reason": "motif",
    "records left out": "enregistrements exclus",
    "persons left out": "personnes exclues",
    "characteristic": "caractéristique",
    "Number records": "Nombre d'enregistrements",
    "Number subjects": "Nombre de personnes",
    "Age": "Âge",
    "Sex": "Sexe",
    "Age group": "Groupe d'âge",
    "Cohort start date": "Début de cohorte",
    "Cohort end date": "Fin de cohorte",
    "Prior observation": "Observation préalable (jours)",
    "Future observation": "Observation ultérieure (jours)",
    "Days in cohort": "Jours dans la cohorte",
    "Days to next record": "Jours jusqu'à l'entrée suivante",
    "cohort name": "cohorte",
    "target cohort": "cohorte",
    "variable name": "variable",
    "variable level": "niveau",
    "sex": "sexe",
    "age group": "groupe d'âge",
    "count": "nombre",
    "percentage": "pourcentage",
    "mean": "moyenne",
    "min": "minimum",
    "max": "maximum",
    "time": "jour",
}
