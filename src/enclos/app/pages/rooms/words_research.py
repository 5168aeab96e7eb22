"""What the researcher's pages say in French."""

from __future__ import annotations

FRENCH_RESEARCH = {
    "Research": "Recherche",
    "My permits": "Mes autorisations",
    "No permit lists you. A permit is granted by the access body; it names the persons who may use the data.": (
        "Aucune autorisation ne vous mentionne. Une autorisation est délivrée par l'organisme d'accès ; elle nomme les "
        "personnes qui peuvent utiliser les données."
    ),
    "in force": "en vigueur",
    "begins later": "commence plus tard",
    "GRANTED": "accordée",
    "AMENDED": "modifiée",
    "RENEWED": "renouvelée",
    "REVOKED": "révoquée",
    "EXPIRED": "expirée",
    "{share} % of its time is over": "{share} % de sa durée est écoulée",
    "{left} left": "encore {left}",
    "until {day}": "jusqu'au {day}",
    "{start} to {end}": "du {start} au {end}",
    "Holder": "Titulaire",
    "Persons": "Personnes",
    "Days of data": "Jours de données",
    "Tables": "Tables",
    "all tables": "toutes les tables",
    "You see": "Vous voyez",
    "rows, inside the enclosure": "des lignes, à l'intérieur de l'enclos",
    "counts and estimates only": "des effectifs et des estimations seulement",
    "Smallest count that may leave": "Plus petit effectif qui peut sortir",
}
