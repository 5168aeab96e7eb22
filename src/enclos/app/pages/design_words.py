"""The words of comparisons, of designs around cases and of diagnostics on a study's page, in French."""

from __future__ import annotations

FRENCH_DESIGNS = {
    "Self-controlled cohort": "Cohorte autocontrôlée",
    "Case-crossover": "Cas croisés",
    "Case-control": "Cas-témoins",
    "Phenotype diagnostics": "Diagnostic des phénotypes",
    "rows of results": "lignes de résultat",
    "{target} against {comparator}; {n} way(s) of asking.": (
        "{target} comparé à {comparator} ; {n} {n:façon|façons} de poser la question."
    ),
    # diagnostics
    "Diagnostics, judged before any estimate": "Diagnostics, jugés avant toute estimation",
    "Diagnostics of the other ways of asking": "Diagnostics des autres façons de poser la question",
    "An estimate is shown where every diagnostic that is judged holds.": (
        "Une estimation est montrée quand tous les diagnostics jugés sont satisfaits."
    ),
    "Ratios are shown where every diagnostic that is judged holds, or where the study asks for them anyway.": (
        "Les rapports sont montrés quand tous les diagnostics jugés sont satisfaits, ou quand l'étude les demande "
        "quand même."
    ),
    "diagnostic": "diagnostic",
    "value": "valeur",
    "value (95 % interval)": "valeur (intervalle à 95 %)",
    "must be": "attendu",
    "verdict": "verdict",
    "at least {bound}": "au moins {bound}",
    "at most {bound}": "au plus {bound}",
    "interval meets {least} to {most}": "l'intervalle rencontre {least} à {most}",
    "yes": "oui",
    "no": "non",
    "holds": "satisfait",
    "holds: chance explains it": "satisfait : le hasard l'explique",
    "fails": "en échec",
    "not judged": "non jugé",
    "score fitted": "score ajusté",
    "equipoise": "équipoise",
    "largest standardised difference": "plus grande différence standardisée",
    "chance of so large a difference": "probabilité d'une telle différence par hasard",
    "least detectable ratio": "plus petit rapport détectable",
    "expected systematic error": "erreur systématique attendue",
    "controls whose interval holds the truth, each calibrated by the others": (
        "témoins dont l'intervalle contient la vérité, chacun calibré par les autres"
    ),
    "share of the target lost": "part perdue de la cohorte étudiée",
    "rare outcome": "événement rare",
    "gain before exposure": "excès avant l'exposition",
    "exposure does not depend on the outcome": "l'exposition ne dépend pas de l'événement",
    "observation does not depend on the outcome": "l'observation ne dépend pas de l'événement",
    "stable over time": "stable dans le temps",
    # estimates
    "Estimates": "Estimations",
    "All estimates: {outcome}": "Toutes les estimations : {outcome}",
    "Persons, outcomes and time: target / comparator.": "Personnes, événements et temps : étudiée / comparateur.",
    "Withheld because a diagnostic fails – {why}.": "Masqué car un diagnostic est en échec – {why}.",
    "There is no ratio – {why}.": "Pas de rapport – {why}.",
    "withheld": "masqué",
    "cannot be estimated": "ne peut être estimé",
    "asked as": "question posée",
    "primary": "principale",
    "adjustment": "ajustement",
    "adjusted": "ajusté",
    "crude": "brut",
    "calibrated": "calibré",
    "calibrated (95 % interval)": "calibré (intervalle à 95 %)",
    "(95 % interval)": "(intervalle à 95 %)",
    "hazard ratio": "rapport de risques instantanés",
    "rate ratio": "rapport de taux",
    "odds ratio": "rapport de cotes",
    "E-value (of the limit)": "E-value (de la borne)",
    "outcomes": "événements",
    "exposure": "exposition",
    "exposed": "exposé",
    "reference": "référence",
    "pre exposure": "avant l'exposition",
    "end of observation": "fin d'observation",
    "cases": "cas",
    "cases exposed": "cas exposés",
    "controls": "témoins",
    "controls exposed": "témoins exposés",
    "person-days": "personnes-jours",
    "outcomes in the time compared with": "événements pendant le temps de comparaison",
    "person-days compared with": "personnes-jours de comparaison",
    "Splines": "Splines",
    "spline": "spline",
    "age spline": "spline d'âge",
    "season spline": "spline de saison",
    "calendar spline": "spline calendaire",
    "component": "composante",
    "logarithm of the rate ratio": "logarithme du rapport de taux",
    "Intervals are cut where they go far beyond the estimates.": (
        "Les intervalles sont coupés là où ils dépassent largement les estimations."
    ),
    "a count behind it is withheld": "un effectif en est masqué",
    "nobody has the outcome with a window to compare": "personne n'a l'événement avec une fenêtre à comparer",
    "no case is exposed when the outcome comes": "aucun cas n'est exposé lors de l'événement",
    "nobody is exposed in what cases are compared with": "personne n'est exposé parmi les comparaisons",
    "nobody is exposed": "personne n'est exposé",
    "no outcome falls into this time": "aucun événement pendant ce temps",
    "no outcome falls into the time it is compared with": "aucun événement pendant le temps de comparaison",
    "the data do not tell one: all who are compared are alike, or the fit does not settle": (
        "les données n'en donnent pas : tous les comparés sont semblables, ou l'ajustement ne converge pas"
    ),
    # controls
    "Negative controls and systematic error": "Témoins négatifs et erreur systématique",
    "{n} negative controls. Below the dashed lines an estimate is significant; outside of the area it still is "
    "once calibrated.": (
        "{n} {n:témoin négatif|témoins négatifs}. Sous les tirets une estimation est significative ; hors de l'aire "
        "elle l'est encore une fois calibrée."
    ),
    "standard error of its logarithm": "erreur type de son logarithme",
    "negative control": "témoin négatif",
    "positive control": "témoin positif",
    "Controls": "Témoins",
    "control": "témoin",
    "true ratio": "vrai rapport",
    "p, calibrated by the others": "p, calibré par les autres",
    "Systematic error": "Erreur systématique",
    "Left-out coverage": "Couverture, témoin mis à part",
    "sd": "écart type",
    "ease": "erreur attendue",
    "coverage": "couverture",
    "below": "en dessous",
    "above": "au-dessus",
    "coverage uncalibrated": "couverture sans calibration",
    "n controls": "nombre de témoins",
    "left out p": "p, calibré par les autres",
    "p value": "p",
    "standard error": "erreur type",
    "log rate ratio": "logarithme du rapport de taux",
    "lower": "borne inférieure",
    "upper": "borne supérieure",
    # attrition of two cohorts
    "target {target}, comparator {comparator}": "étudiée {target}, comparateur {comparator}",
    "left out: {target} and {comparator}": "exclus : {target} et {comparator}",
    "target entries": "entrées, étudiée",
    "target persons": "personnes, étudiée",
    "comparator entries": "entrées, comparateur",
    "comparator persons": "personnes, comparateur",
    # balance and score
    "Balance before and after adjustment: {outcome}": "Équilibre avant et après ajustement : {outcome}",
    "{n} covariates; before adjustment {before} differ by more than 0.1, after it {after}; largest before "
    "{most_before}, after {most_after}. Below the diagonal a covariate is better balanced than before.": (
        "{n} {n:covariable|covariables}, dont {before} {before:diffère|diffèrent} de plus de 0,1 avant ajustement et "
        "{after} après ; la plus grande différence est {most_before} avant, {most_after} après. Sous la diagonale, "
        "l'équilibre s'améliore."
    ),
    "difference before": "différence avant",
    "difference after": "différence après",
    "Covariates that differ most after adjustment: {outcome}": (
        "Covariables qui diffèrent le plus après ajustement : {outcome}"
    ),
    "covariate": "covariable",
    "covariates": "covariables",
    "target before": "étudiée avant",
    "comparator before": "comparateur avant",
    "target after": "étudiée après",
    "comparator after": "comparateur après",
    "Distribution of the preference score": "Distribution du score de préférence",
    "Share of each cohort by preference score; between the dashed lines either treatment is likely.": (
        "Part de chaque cohorte par score de préférence ; entre les tirets les deux traitements sont plausibles."
    ),
    "{share} of the entries lie there.": "{share} des entrées s'y trouvent.",
    "preference score": "score de préférence",
    "Propensity score": "Score de propension",
    "area under the curve": "aire sous la courbe",
    "intercept": "constante",
    "What the score is made of": "Composition du score",
    "coefficient": "coefficient",
    "Time to {outcome}, after adjustment": "Délai jusqu'à {outcome}, après ajustement",
    "Share without the outcome (Kaplan-Meier), with 95 % intervals.": (
        "Part sans l'événement (Kaplan-Meier), intervalles à 95 %."
    ),
    # rates by age
    "by age": "par âge",
    "age": "âge",
    "Rates by age over all of time, with 95 % intervals; those of each interval are in the table.": (
        "Taux par âge sur toute la période, intervalles à 95 % ; ceux de chaque intervalle sont dans le tableau."
    ),
    "Not drawn, since no event is shown of them: {ages}.": "Non tracés, faute d'événement montré : {ages}.",
    # codes and trends
    "Codes of {cohort} in all the data": "Codes de {cohort} dans toutes les données",
    "Codes of {cohort} on the day of an entry": "Codes de {cohort} le jour d'une entrée",
    "Codes of {cohort} at any time, of its persons": "Codes de {cohort} à tout moment, chez ses personnes",
    "Related codes that {cohort} does not have, in all the data": (
        "Codes proches que {cohort} n'a pas, dans toutes les données"
    ),
    "Persons with a record of each concept, the {n} most frequent of {all}.": (
        "Personnes ayant un enregistrement de chaque concept, les {n} plus fréquents sur {all}."
    ),
    "Entries by calendar time": "Entrées selon le calendrier",
    "Entries that begin in each stretch of time; a gap or a step is a question to the data.": (
        "Entrées qui débutent dans chaque intervalle ; un trou ou une rupture est une question à poser aux données."
    ),
    "entries": "entrées",
    "Codes in all the data": "Codes dans toutes les données",
    "Codes of the persons of a cohort": "Codes des personnes d'une cohorte",
    "Related codes that a cohort does not have": "Codes proches qu'une cohorte n'a pas",
    "codelist name": "liste de codes",
    "domain id": "domaine",
    "record count": "enregistrements",
    "person count": "personnes",
    "timing": "moment",
    "entry": "à l'entrée",
    "any": "à tout moment",
    "time interval": "intervalle",
    "Number of records": "Nombre d'enregistrements",
    "Number of subjects": "Nombre de personnes",
    "cohort name reference": "cohorte de référence",
    "cohort name comparator": "cohorte comparée",
    "Only in reference cohort": "Seulement dans la cohorte de référence",
    "In both cohorts": "Dans les deux cohortes",
    "Only in comparator cohort": "Seulement dans la cohorte comparée",
    "Subjects": "Personnes",
}
