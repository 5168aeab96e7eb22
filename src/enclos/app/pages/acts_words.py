"""What kinds of work of the ledger are called, in English and in French, and how they end."""

from __future__ import annotations

from collections.abc import Mapping

_ACTS = {
    "init": ("setting up the enclosure", "initialisation de l'enclos"),
    "ingest": ("landing deliveries", "réception de livraisons"),
    "link": ("linking persons", "appariement des personnes"),
    "build": ("building a snapshot", "construction d'un instantané"),
    "quality": ("judging quality", "contrôle de la qualité"),
    "profile": ("counting the content", "comptage du contenu"),
    "explain": ("explaining a row", "explication d'une ligne"),
    "opt-out": ("recording objections", "enregistrement d'oppositions"),
    "permit.sign": ("signing a permit", "signature d'une autorisation"),
    "permit.open": ("opening a permit", "ouverture d'une autorisation"),
    "permit.amend": ("amending a permit", "modification d'une autorisation"),
    "permit.renew": ("renewing a permit", "renouvellement d'une autorisation"),
    "permit.revoke": ("revoking a permit", "révocation d'une autorisation"),
    "permit.expire": ("the end of a permit", "expiration d'une autorisation"),
    "permit.preview": ("counting what a permit would open", "comptage de ce qu'une autorisation ouvrirait"),
    "permit.review": ("reviewing access", "revue des accès"),
    "application": ("an application", "une demande"),
    "cohort": ("a cohort", "une cohorte"),
    "study": ("a study", "une étude"),
    "sql": ("a query", "une requête"),
    "release.request": ("a request for release", "une demande de sortie"),
    "release.check": ("checking a result", "vérification d'un résultat"),
    "release.look": ("looking at a request for release", "consultation d'une demande de sortie"),
    "release.review": ("voting on a request for release", "vote sur une demande de sortie"),
    "release.ask": ("asking the project", "question au projet"),
    "release.answer": ("the project's answer", "réponse du projet"),
    "release.export": ("an export", "une sortie"),
    "release.again": ("sending a package again", "nouvel envoi d'un paquet"),
    "key.create": ("making a key", "création d'une clé"),
    "key.use": ("using a key", "usage d'une clé"),
    "key.rotate": ("rotating a key", "rotation d'une clé"),
    "key.destroy": ("destroying a key", "destruction d'une clé"),
    "reidentify": ("finding a person again", "réidentification d'une personne"),
    "question": ("a citizen's question", "question d'une personne concernée"),
    "denied": ("somebody turned away", "accès refusé"),
    "ledger.review": ("reviewing the ledger", "revue du journal"),
    "ledger.forget": ("destroying salts", "destruction de sels"),
    "ledger.witness": ("a witness's look", "passage d'un témoin"),
    "register": ("writing the public register", "écriture du registre public"),
    "catalogue": ("describing the holdings", "description des données détenues"),
    "conformity": ("assessing conformity", "évaluation de la conformité"),
    "serve": ("starting or ending a service", "démarrage ou arrêt d'un service"),
    "login": ("signing in or out", "connexion ou déconnexion"),
    "account": ("a local account", "un compte local"),
    "backup": ("a backup", "une sauvegarde"),
    "restore": ("a restoration", "une restauration"),
    "move": ("a move", "un transfert"),
    "hosting.verify": ("verifying the host", "vérification de l'hébergement"),
    "destroy": ("destroying data", "destruction de données"),
}
ACTIONS: Mapping[str, str] = {action: english for action, (english, _) in _ACTS.items()}
"""In plain English, by the word of the ledger."""

FRENCH_ACTS = {
    **dict(_ACTS.values()),
    "DONE": "fait",
    "REFUSED": "refusé",
    "FAILED": "échoué",
    "INTERRUPTED": "interrompu",
}
"""Of the names of ``ACTIONS``, and of how they end."""
