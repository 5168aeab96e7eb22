"""What the pages for people who sign in say in French."""

from __future__ import annotations

FRENCH_PEOPLE = {
    "Sign in": "Se connecter",
    "Sign out": "Se déconnecter",
    "Signed in": "Connecté",
    "{name}: sign in": "{name} : se connecter",
    "With your organisation": "Avec votre organisation",
    "You are led to your organisation's sign-in page and back.": (
        "Vous êtes conduit à la page de connexion de votre organisation, puis ramené ici."
    ),
    "With a local account": "Avec un compte local",
    "Local accounts are for trying out.": "Les comptes locaux servent à essayer.",
    "Id": "Identifiant",
    "Password": "Mot de passe",
    "Code of your authenticator": "Code de votre authentificateur",
    "Nobody can sign in here yet.": "Personne ne peut encore se connecter ici.",
    "Public register": "Registre public",
    "Person": "Personne",
    "Roles": "Rôles",
    "Verified by": "Vérifié par",
    "Second factor": "Second facteur",
    "Until": "Jusqu'à",
    "this enclosure": "cet enclos",
    "steward": "intendance",
    "access-body": "organisme d'accès",
    "researcher": "recherche",
    "checker": "contrôle des sorties",
    "auditor": "audit",
    "Your token": "Votre jeton",
    "It is the password for programs, until you sign out or the time above. Give it to nobody.": (
        "C'est le mot de passe des programmes, jusqu'à votre déconnexion ou l'heure ci-dessus. Ne le donnez à personne."
    ),
    "Show a token for programs": "Afficher un jeton pour les programmes",
    "Refused": "Refusé",
    "Rule {code}": "Règle {code}",
    "Begin again": "Recommencer",
}
"""Refusals themselves are said in English, as everywhere."""
