"""What the fields of a permit's form, and what an amendment changes, are called in French."""

from __future__ import annotations

FRENCH_FORM = {
    # whose data
    "Of these: who is observed on a day of the period and did not object.": (
        "Sont retenues celles qui sont suivies un jour au moins de la période et ne se sont pas opposées."
    ),
    "Everybody in the enclosure": "Toutes les personnes de l'enclos",
    "Who lives in a region": "Les personnes qui résident dans une région",
    "Who lives in some departments": "Les personnes qui résident dans certains départements",
    "Who has a record of some concepts in the period": (
        "Les personnes ayant un enregistrement de certains concepts pendant la période"
    ),
    "Who is in a cohort on some day of the period": "Les personnes qui font partie d'une cohorte pendant la période",
    "Whom a source delivered": "Les personnes transmises par une source",
    "A share of persons, drawn by lot": "Une part des personnes, tirée au sort",
    "As the document writes it": "Comme l'écrit le document",
    "Region": "Région",
    "Departments": "Départements",
    "Codes such as 75, 2A, 974": "Codes, comme 75, 2A, 974",
    "Kind of record": "Type d'enregistrement",
    "diagnosis": "diagnostic",
    "drug": "médicament",
    "procedure": "acte",
    "measurement": "mesure",
    "observation": "observation",
    "device": "dispositif médical",
    "visit": "séjour ou consultation",
    "Concepts": "Concepts",
    "Ids of OMOP concepts, such as 201826, 443238": "Identifiants de concepts OMOP, comme 201826, 443238",
    "With all narrower concepts": "Avec tous les concepts plus précis",
    "Cohort definition (JSON of Circe)": "Définition de cohorte (JSON de Circe)",
    "Pasted as a cohort editor such as ATLAS exports it. It may ask for sex, age and year of birth.": (
        "À coller telle que l'exporte un éditeur de cohortes comme ATLAS. Elle peut poser des conditions de sexe, "
        "d'âge et d'année de naissance."
    ),
    "Source": "Source",
    "Its id, such as hosp-a": "Son identifiant, comme hosp-a",
    "Share of persons in %": "Part des personnes, en %",
    "Number of the draw": "Numéro du tirage",
    "The same number draws the same persons for ever.": "Le même numéro tire toujours les mêmes personnes.",
    "Population, as the document writes it": "Population, comme l'écrit le document",
    'Such as {region: "11"} or {controls_of: {source: hosp-a}, per_case: 4, seed: 7}': (
        'Comme {region: "11"} ou {controls_of: {source: hosp-a}, per_case: 4, seed: 7}'
    ),
    "With controls: others of the same year of birth, sex and department": (
        "Avec des témoins : d'autres personnes de mêmes année de naissance, sexe et département"
    ),
    "Controls for each person": "Témoins par personne",
    "From 1 to {n}; none where nothing is written": "De 1 à {n} ; aucun si rien n'est indiqué",
    "Number of the controls' draw": "Numéro du tirage des témoins",
    # tables and details
    "None ticked: all tables. No column ticked: all columns of the table.": (
        "Aucune cochée : toutes les tables. Aucune colonne cochée : toutes les colonnes de la table."
    ),
    "Columns of {table}": "Colonnes de {table}",
    "Why the commune is needed": "Pourquoi la commune est nécessaire",
    "Why the month of birth is needed": "Pourquoi le mois de naissance est nécessaire",
    "Why exact days are needed": "Pourquoi les jours exacts sont nécessaires",
    "Why the day of death is needed": "Pourquoi le jour du décès est nécessaire",
    "Why the commune of death is needed": "Pourquoi la commune du décès est nécessaire",
    # faults of the form's own
    "must be codes of departments, each once, such as 75, 2A, 974": (
        "doit être des codes de départements, chacun une fois, comme 75, 2A, 974"
    ),
    "is not the JSON of a Circe definition": "n'est pas le JSON d'une définition Circe",
    "the legal basis wants a reason for each": "la base légale demande un motif pour chacun",
    # an amendment
    "What changes": "Ce qui change",
    "before": "avant",
    "after": "après",
    "Nothing: it says what stands already.": "Rien : c'est ce qui est déjà en vigueur.",
    "What has no field here, such as objections and rounding, stays as it is.": (
        "Ce qui n'a pas de champ ici, comme les oppositions et l'arrondi, ne change pas."
    ),
    "Before it is signed, have it counted: a button below the form.": (
        "Avant de signer, faites compter ce qu'elle ouvre, par le bouton sous le formulaire."
    ),
    "User {id}": "Utilisateur {id}",
    "investigator": "investigateur",
    "researcher": "chercheur",
    "data manager": "gestionnaire de données",
    "Table {table}": "Table {table}",
    "all columns": "toutes les colonnes",
    "shown": "affiché",
    "generalised": "généralisé",
    "Further rules of release": "Autres règles de sortie",
}
