"""What the frame of people's pages says in French, and the pages that are everybody's."""

from __future__ import annotations

from enclos.app.pages.population_words import FRENCH_POPULATIONS
from enclos.app.pages.rooms.kinds_words import FRENCH_KINDS

FRENCH_FRAME = {
    **FRENCH_KINDS,
    **FRENCH_POPULATIONS,
    # the frame
    "Skip to the content": "Aller au contenu",
    "Rooms": "Espaces",
    "Nothing leaves this enclosure but results that were checked and accepted.": (
        "Rien ne sort de cet enclos, hormis des résultats contrôlés et acceptés."
    ),
    "Public register": "Registre public",
    "Accessibility": "Accessibilité",
    # parts
    "Pages": "Pages",
    "Before": "Précédent",
    "After": "Suivant",
    "Page {n} of {of}": "Page {n} sur {of}",
    "{n} in all": "{n} en tout",
    "(needed)": "(obligatoire)",
    "This cannot be taken yet": "Le formulaire ne peut pas encore être accepté",
    "The numbers": "Les nombres",
    "The ledger is being read.": "Le journal est en cours de lecture.",
    "Look again": "Actualiser",
    "ended": "terminé",
    "{n} years {m} months": "{n} {n:an|ans} et {m} mois",
    "{n} months": "{n} mois",
    "{n} days": "{n} {n:jour|jours}",
    "{n} hours": "{n} {n:heure|heures}",
    # what went wrong
    "Refused": "Refus",
    "Rule {code}": "Règle {code}",
    "Begin again": "Recommencer",
    "To your pages": "Retour à vos pages",
    "There is no such page": "Cette page n'existe pas",
    "The address may be misspelt, or what it showed is not there any more.": (
        "L'adresse est peut-être mal écrite, ou ce qu'elle montrait n'est plus là."
    ),
    "This did not work": "Cela n'a pas fonctionné",
    "This is a fault of the portal, not yours.": "C'est une erreur du portail, pas la vôtre.",
    "Try once more; if it stays so, tell whoever runs this enclosure what you did and when.": (
        "Essayez encore une fois ; si cela persiste, indiquez à l'exploitant de cet enclos ce que vous avez fait, et "
        "quand."
    ),
    "There is nothing here.": "Il n'y a rien ici.",
    "See what there is at /openapi.json.": "Voyez ce qu'il y a sous /openapi.json.",
    "What was sent is larger than a mebibyte.": "Ce qui a été envoyé dépasse un mébioctet.",
    "Send less at once.": "Envoyez-en moins à la fois.",
    "Too many of your requests wait already.": "Trop de vos demandes sont déjà en attente.",
    "Wait for their answers, then ask again.": "Attendez leurs réponses, puis recommencez.",
    "The enclosure does not answer.": "L'enclos ne répond pas.",
    "Ask again in a minute.": "Recommencez dans une minute.",
    "The answer is larger than 32 mebibytes.": "La réponse dépasse 32 mébioctets.",
    "Ask for less at once.": "Demandez-en moins à la fois.",
    "There was no answer within a minute.": "Il n'y a pas eu de réponse en une minute.",
    "Look whether it was done before you ask again.": "Vérifiez si cela a été fait avant de recommencer.",
    # signing in, and who one is
    "Sign in": "Se connecter",
    "Sign out": "Se déconnecter",
    "Signed in": "Connecté",
    "{name}: sign in": "{name} : se connecter",
    "With your organisation": "Avec votre organisation",
    "You are led to your organisation's sign-in page and back.": (
        "Vous passez par la page de connexion de votre organisation, puis revenez ici."
    ),
    "With a local account": "Avec un compte local",
    "Local accounts are for trying out.": "Les comptes locaux servent aux essais.",
    "Id": "Identifiant",
    "Password": "Mot de passe",
    "Code of your authenticator": "Code de votre authentificateur",
    "Nobody can sign in here yet.": "Personne ne peut encore se connecter ici.",
    "Person": "Personne",
    "Roles": "Rôles",
    "Verified by": "Vérifié par",
    "password and code of your authenticator": "mot de passe et code de votre authentificateur",
    "Second factor": "Second facteur",
    "Until": "Jusqu'au",
    "this enclosure": "cet enclos",
    "steward": "gestion des données",
    "access-body": "organisme d'accès",
    "researcher": "recherche",
    "checker": "contrôle des sorties",
    "auditor": "audit",
    "Your token": "Votre jeton",
    "Your password": "Votre mot de passe",
    "A new one ends all your sign-ins, this one too.": (
        "En changer met fin à toutes vos connexions, y compris celle-ci."
    ),
    "Present password": "Mot de passe actuel",
    "New password": "Nouveau mot de passe",
    "Twelve signs or more: several words.": "Douze caractères ou plus : plusieurs mots.",
    "Change the password": "Changer le mot de passe",
    "It is the password for programs, until you sign out or the time above. Give it to nobody.": (
        "C'est le mot de passe des programmes, jusqu'à votre déconnexion ou l'heure indiquée ci-dessus. Ne le "
        "communiquez à personne."
    ),
    "Show a token for programs": "Afficher un jeton pour les programmes",
    "Twelve signs or more: several words. It takes the place of the first one.": (
        "Douze caractères ou plus : plusieurs mots. Il remplace le premier."
    ),
    "Your sign-ins": "Vos connexions",
    "Where you are signed in now. End what you do not know, and change your password.": (
        "Vos connexions en cours. Mettez fin à celles que vous ne reconnaissez pas, et changez de mot de passe."
    ),
    "Since": "Depuis le",
    "Way": "Voie d'accès",
    "End": "Mettre fin",
    "portal": "portail",
    "command line": "ligne de commande",
    "this one": "celle-ci",
    "End the sign-in of {at}": "Mettre fin à la connexion du {at}",
    "Others can be ended within ten minutes of signing in.": (
        "On ne peut mettre fin aux autres que dans les dix minutes qui suivent la connexion."
    ),
    "End all others": "Mettre fin à toutes les autres",
    "Sign in again": "Se connecter à nouveau",
    # the end of a session
    "Your session is about to end": "Votre session va se terminer",
    "Nothing was done here for a while. What you have written and not sent would be lost.": (
        "Rien n'a été fait ici depuis un moment. Ce que vous avez écrit sans l'envoyer serait perdu."
    ),
    "A sign-in lasts an hour at most. Send or keep what you have written, then sign in again.": (
        "Une connexion dure une heure au plus. Envoyez ou enregistrez ce que vous avez écrit, puis reconnectez-vous."
    ),
    "Go on": "Continuer",
    "Your session has ended": "Votre session est terminée",
    "You were signed out: nothing was done for a while, the sign-in was over, or it was ended elsewhere.": (
        "Votre session a été fermée : rien n'a été fait depuis un moment, la connexion était échue, ou elle a été "
        "close ailleurs."
    ),
    "Your session goes on": "Votre session continue",
    "The page that you looked at was closed; you are still signed in, by another page.": (
        "La page que vous regardiez a été fermée ; vous restez connecté, dans une autre page."
    ),
    "{n} years": "{n} {n:an|ans}",
    "less than an hour": "moins d'une heure",
}
"""Refusals have French of their own: ``app/pages/refusals.py``, ``app/pages/cases.py``."""
