"""The words of the public register: what its check says, and French."""

from __future__ import annotations

from enclos.app.pages.legal_words import FRENCH_LEGAL
from enclos.app.pages.population_words import FRENCH_POPULATIONS

VERDICTS = {
    "checking": "Checking…",
    "holds": "It holds: {n} rows of this page stand in the ledger of {size} entries, as its key has signed it.",
    "fails": "It does not hold: this page is not what the ledger says. Do not rely on it; tell the access body.",
    "cannot": "This browser cannot check signatures (Ed25519). Use a newer one, or the program of 150 lines.",
}

FRENCH_REGISTER = {
    **FRENCH_LEGAL,
    **FRENCH_POPULATIONS,
    VERDICTS["checking"]: "Vérification…",
    VERDICTS["holds"]: (
        "Vérifié : {n} lignes de cette page figurent dans le journal de {size} entrées, tel que sa clé l'a signé."
    ),
    VERDICTS["fails"]: (
        "Échec : cette page n'est pas ce que dit le journal. Ne vous y fiez pas ; prévenez l'organisme d'accès."
    ),
    VERDICTS["cannot"]: (
        "Ce navigateur ne sait pas vérifier les signatures (Ed25519). Utilisez un navigateur plus récent, ou le "
        "programme de 150 lignes."
    ),
    "Public register of {name}": "Registre public de {name}",
    "Ways on": "Navigation",
    "About these pages": "À propos de ces pages",
    "Say no, or ask what is held about you": "S'opposer, ou demander ce qui est détenu sur vous",
    "Accessibility": "Accessibilité",
    "Skip to the permits": "Aller aux autorisations",
    "Who uses the health data of this enclosure, for what, and what came out of it: every permit and every release.": (
        "Qui utilise les données de santé de cet enclos, à quelle fin, et ce qui en est sorti : chaque autorisation "
        "et chaque sortie."
    ),
    "Made on {day}.": "Établi le {day}.",
    "What data this enclosure holds": "Les données que contient cet enclos",
    "permits": "autorisations",
    "results that left": "résultats sortis",
    "permits with late results": "autorisations aux résultats en retard",
    "from signature to data, median": "de la signature aux données, médiane",
    "from signature to a first result, median": "de la signature à un premier résultat, médiane",
    "from request to release, median": "de la demande à la sortie, médiane",
    "{n} days": "{n} {n:jour|jours}",
    "Permits": "Autorisations",
    "There is no permit yet.": "Il n'y a pas encore d'autorisation.",
    "GRANTED": "ACCORDÉE",
    "AMENDED": "MODIFIÉE",
    "RENEWED": "RENOUVELÉE",
    "REVOKED": "RÉVOQUÉE",
    "EXPIRED": "EXPIRÉE",
    "Results are late: they were due by {day}.": "Résultats en retard : attendus avant le {day}.",
    "Results are due by {day}.": "Résultats attendus avant le {day}.",
    "Purpose under the law": "Finalité légale",
    "Regulation (EU) 2025/327, Art. {article}": (
        "Règlement (UE) 2025/327 sur l'espace européen des données de santé (EEDS), art. {article}"
    ),
    "Legal basis": "Base légale",
    "Data": "Données",
    "all tables": "toutes les tables",
    "Whose data": "Personnes concernées",
    "Days of care": "Période des soins",
    "{start} to {end}": "du {start} au {end}",
    "Shown as": "Sous forme de",
    "rows": "lignes",
    "aggregates": "effectifs et estimations",
    "Objections": "Oppositions",
    "respected": "respectées",
    "not applied: exception of the law": "non appliquées : exception prévue par la loi",
    "In force": "En vigueur",
    "Users, uses so far": "Utilisateurs, utilisations à ce jour",
    "Results that left under {permit}": "Résultats sortis au titre de {permit}",
    "Request": "Demande",
    "Left on": "Sorti le",
    "Days from request": "Jours depuis la demande",
    "Ledger entries": "Entrées du journal",
    "ledger entries": "entrées du journal",
    "Nothing has left under this permit.": "Rien n'est sorti au titre de cette autorisation.",
    "Versions and their proof": "Versions et leur preuve",
    "Version {n}": "Version {n}",
    "Check it yourself": "Vérifiez vous-même",
    "Everything above stands in a ledger that nobody can alter unseen. Your browser can check it here; "
    "nothing is sent anywhere.": (
        "Tout ce qui précède figure dans un journal que personne ne peut modifier sans que cela se voie. Votre "
        "navigateur peut le vérifier ici ; rien n'est envoyé."
    ),
    "Check the proofs": "Vérifier les preuves",
    "This check needs JavaScript; nothing else on this page does. The same can be done with the files and a program of "
    "150 lines.": (
        "Cette vérification demande JavaScript ; rien d'autre sur cette page n'en a besoin. Elle peut aussi se faire "
        "à partir des fichiers, avec un programme de 150 lignes."
    ),
    "The ledger's key, to compare with the one that the access body publishes elsewhere:": (
        "La clé du journal, à comparer avec celle que l'organisme d'accès publie ailleurs :"
    ),
    "That nothing was left out can be seen in the ledger's own files, in the folder beside this page: they hold every "
    "entry.": (
        "Que rien n'a été omis se vérifie dans les fichiers du journal lui-même, dans le dossier à côté de cette page "
        ": ils contiennent chaque entrée."
    ),
}
