"""The words of the catalogue's page in French."""

from __future__ import annotations

FRENCH_CATALOGUE = {
    "Skip to the figures": "Aller aux chiffres",
    "Every row stays inside a secure processing environment; this page tells what is there.": (
        "Chaque ligne reste dans un environnement de traitement sécurisé ; cette page décrit ce qu'il contient."
    ),
    "persons, at least": "personnes, au moins",
    "records, at least": "enregistrements, au moins",
    "typical ages": "âges typiques",
    "{low} to {high}": "de {low} à {high}",
    "years of care": "années de soins",
    "Days of care": "Période des soins",
    "{start} to {end}": "du {start} au {end}",
    "How numbers are told": "Comment les nombres sont donnés",
    "What it is": "Ce que c'est",
    "Whose data": "Personnes concernées",
    "Where they come from": "Provenance",
    "Snapshot": "Instantané",
    "{n}, built on {day}": "{n}, construit le {day}",
    "What they may be used for": "Finalités admises",
    "Legal basis": "Base légale",
    "Categories under the law": "Catégories légales",
    "Regulation (EU) 2025/327, Art. 51": (
        "Règlement (UE) 2025/327 sur l'espace européen des données de santé (EEDS), art. 51"
    ),
    "Themes": "Thèmes",
    "Coding systems": "Systèmes de codage",
    "Kept": "Conservation",
    "Quality": "Qualité",
    "not judged yet": "pas encore jugée",
    "Last review of this description": "Dernière révision de cette description",
    "the next by {day}": "la prochaine avant le {day}",
    "Who answers for it": "Qui en répond",
    "Publisher": "Éditeur",
    "Access body": "Organisme d'accès",
    "Apply for access": "Demander un accès",
    "Questions": "Questions",
    "What is in it": "Ce qu'elle contient",
    "Rows and persons by table": "Lignes et personnes par table",
    "Table": "Table",
    "Rows, at least": "Lignes, au moins",
    "Persons, at least": "Personnes, au moins",
    "A sample made of nobody": "Un échantillon entièrement fictif",
    "Digest of the sample": "Empreinte de l'échantillon",
    "For machines": "Pour les machines",
    "The same as HealthDCAT-AP (Turtle and JSON-LD), and the files that it names:": (
        "La même chose en HealthDCAT-AP (Turtle et JSON-LD), et les fichiers cités :"
    ),
}
