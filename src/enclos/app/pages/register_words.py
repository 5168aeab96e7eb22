"""The words of the public register: what its check says, and French."""

from __future__ import annotations

VERDICTS = {
    "checking": "Checking…",
    "holds": "It holds: {n} rows of this page stand in the ledger of {size} entries, as its key has signed it.",
    "fails": "It does not hold: this page is not what the ledger says. Do not rely on it; tell the access body.",
    "cannot": "This browser cannot check signatures (Ed25519). Use a newer one, or the program of 150 lines.",
}

FRENCH_REGISTER = {
    VERDICTS["checking"]: "Vérification…",
    VERDICTS["holds"]: (
        "Vérifié : {n} lignes de cette page figurent dans le registre de {size} entrées, tel que sa clé l'a signé."
    ),
    VERDICTS["fails"]: (
        "Échec : cette page n'est pas ce que dit le registre. Ne vous y fiez pas ; prévenez l'organisme d'accès."
    ),
    VERDICTS["cannot"]: (
        "Ce navigateur ne sait pas vérifier les signatures (Ed25519). Prenez-en un plus récent, ou le programme de "
        "150 lignes."
    ),
    "Public register of {name}": "Registre public de {name}",
    "Ways on": "Chemins",
    "About these pages": "À propos de ces pages",
    "Say no, or ask what is held about you": "Dire non, ou demander ce qui est détenu sur vous",
    "Accessibility": "Accessibilité",
    "Skip to the permits": "Aller aux permis",
    "Who uses the health data of this enclosure, for what, and what came out of it: every permit and every release.": (
        "Qui utilise les données de santé de cet enclos, pour quoi, et ce qui en sort : chaque permis, chaque sortie."
    ),
    "Made on {day}.": "Établi le {day}.",
    "What data this enclosure holds": "Quelles données contient cet enclos",
    "permits": "permis",
    "results that left": "résultats sortis",
    "permits with late results": "permis aux résultats en retard",
    "from signature to data, median": "de la signature aux données, médiane",
    "from signature to a first result, median": "de la signature à un premier résultat, médiane",
    "from request to release, median": "de la demande à la sortie, médiane",
    "{n} days": "{n} jours",
    "Permits": "Permis",
    "There is no permit yet.": "Il n'y a pas encore de permis.",
    "GRANTED": "ACCORDÉ",
    "AMENDED": "MODIFIÉ",
    "RENEWED": "RENOUVELÉ",
    "REVOKED": "RÉVOQUÉ",
    "EXPIRED": "EXPIRÉ",
    "Results are late: they were due by {day}.": "Résultats en retard : attendus avant le {day}.",
    "Results are due by {day}.": "Résultats attendus avant le {day}.",
    "Purpose under the law": "Finalité légale",
    "Regulation (EU) 2025/327, Art. {article}": "Règlement (UE) 2025/327, art. {article}",
    "Legal basis": "Base légale",
    "Data": "Données",
    "all tables": "toutes les tables",
    "Whose data": "Personnes concernées",
    "everybody in the enclosure": "toutes les personnes de l'enclos",
    "a random sample of {share} %": "un échantillon aléatoire de {share} %",
    "persons of the source {source}": "les personnes de la source {source}",
    "persons chosen by a cohort definition": "les personnes retenues par une définition de cohorte",
    "Days of care": "Période des soins",
    "{start} to {end}": "du {start} au {end}",
    "Shown as": "Sous forme de",
    "rows": "lignes",
    "aggregates": "agrégats",
    "Objections": "Oppositions",
    "respected": "respectées",
    "not applied: exception of the law": "non appliquées : exception légale",
    "In force": "En vigueur",
    "Users, uses so far": "Utilisateurs, utilisations à ce jour",
    "Results that left under {permit}": "Résultats sortis au titre de {permit}",
    "Request": "Demande",
    "Left on": "Sorti le",
    "Days from request": "Jours depuis la demande",
    "Ledger entries": "Entrées du registre",
    "ledger entries": "entrées du registre",
    "Nothing has left under this permit.": "Rien n'est sorti au titre de ce permis.",
    "Versions and their proof": "Versions et leur preuve",
    "Version {n}": "Version {n}",
    "Check it yourself": "Vérifiez vous-même",
    "Everything above stands in a ledger that nobody can alter unseen. Your browser can check it here; "
    "nothing is sent anywhere.": (
        "Tout ce qui précède figure dans un registre que personne ne peut modifier sans que cela se voie. Votre "
        "navigateur peut le vérifier ici ; rien n'est envoyé."
    ),
    "Check the proofs": "Vérifier les preuves",
    "This check needs JavaScript; nothing else on this page does. The same can be done with the files and a program of "
    "150 lines.": (
        "Cette vérification demande JavaScript, rien d'autre sur cette page. Les fichiers et un programme de 150 "
        "lignes suffisent aussi."
    ),
    "The ledger's key, to compare with the one that the access body publishes elsewhere:": (
        "La clé du registre, à comparer avec celle que l'organisme d'accès publie ailleurs :"
    ),
    "That nothing was left out can be seen in the ledger's own files, in the folder beside this page: they hold every "
    "entry.": (
        "Que rien n'a été omis se voit dans les fichiers du registre lui-même, dans le dossier à côté de cette page : "
        "ils contiennent chaque entrée."
    ),
}
