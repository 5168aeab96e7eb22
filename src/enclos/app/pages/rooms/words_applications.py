"""What the pages of applications, and what a permit opens, say in French."""

from __future__ import annotations

from enclos.app.pages.legal_words import FRENCH_LEGAL
from enclos.app.pages.rooms.permit_words import FRENCH_FORM

FRENCH_APPLICATIONS = {
    **FRENCH_LEGAL,
    "Applications": "Demandes",
    "My applications": "Mes demandes",
    "New application": "Nouvelle demande",
    "Application {id}": "Demande {id}",
    "Write an application": "Rédiger une demande",
    "There is no application yet.": "Il n'y a encore aucune demande.",
    "Whoever needs data writes what for; the access body grants or refuses it.": (
        "Qui a besoin de données indique à quelle fin ; l'organisme d'accès accorde ou refuse l'autorisation."
    ),
    "Drafts are their applicant's alone; what was handed in is here.": (
        "Les brouillons restent propres à leur auteur ; les demandes déposées figurent ici."
    ),
    "application": "demande",
    "applicant": "demandeur",
    "stage": "étape",
    "changed": "modifiée",
    "permit": "autorisation",
    "draft": "brouillon",
    "asked": "déposée",
    "granted": "accordée",
    "refused": "refusée",
    "withdrawn": "retirée",
    "Waiting": "En attente",
    "Decided": "Traitées",
    # what was done
    "What was done": "Ce qui a été fait",
    "when": "quand",
    "who": "qui",
    "what": "quoi",
    "why": "pourquoi",
    "written": "rédigée",
    "handed in": "déposée",
    "taken back": "retirée",
    "signed as a permit": "signée en autorisation",
    "serious": "grave",
    "to weigh": "à peser",
    "note": "note",
    "{id}, {n} years at most": "{id}, {n} {n:an|ans} au plus",
    "Permit {permit} was granted.": "L'autorisation {permit} a été accordée.",
    "This was refused: {why}": "Cette demande a été refusée : {why}",
    # the document and what can be done
    "The document": "Le document",
    "Each field is told in its comment. Keep it as often as you like: nobody sees a draft.": (
        "Chaque champ est expliqué dans son commentaire. Enregistrez aussi souvent que vous "
        "voulez : personne d'autre ne voit un brouillon."
    ),
    "What you mend is noted with your name; the applicant sees it.": (
        "Vos corrections sont inscrites à votre nom ; le demandeur les voit."
    ),
    "Document of the permit (YAML)": "Document de l'autorisation (YAML)",
    "Keep": "Enregistrer",
    "Hand it to the access body": "Déposer auprès de l'organisme d'accès",
    "Take it back": "Retirer la demande",
    "Count what it opens": "Compter ce qu'elle ouvre",
    "Decide": "Décider",
    "Sign as a permit": "Signer l'autorisation",
    "What is signed is the document as it is shown here.": "Le document signé est celui qui est affiché ici.",
    "Refuse": "Refuser",
    "Reason, which the applicant reads": "Motif, que le demandeur lira",
    "Note (optional)": "Note (facultative)",
    # a new one, by a form
    "By a form": "Par un formulaire",
    "By a document": "Par un document",
    "The form makes a document, which can be mended afterwards.": (
        "Le formulaire produit un document, qui peut être corrigé ensuite."
    ),
    "Paste a document, or fill in this one.": ("Collez un document, ou complétez celui-ci."),
    "Id of the permit": "Identifiant de l'autorisation",
    "Letters, digits and hyphens": "Lettres, chiffres et tirets",
    "Organisation that answers for the use": "Organisme responsable de l'utilisation",
    "Investigator (id of a person)": "Investigateur (identifiant d'une personne)",
    "Users": "Utilisateurs",
    "One id on each line, such as alice@example.org. A role may follow it: investigator, researcher or data-manager.": (
        "Un identifiant par ligne, comme alice@example.org. Un rôle peut le suivre : investigator (investigateur), "
        "researcher (chercheur) ou data-manager (gestionnaire de données)."
    ),
    "Purpose, in a sentence that the public can read": "Finalité, en une phrase lisible par le public",
    "Article": "Article",
    "53(1)(a) public health": "53(1)(a) santé publique",
    "53(1)(b) policy making and regulation": "53(1)(b) élaboration de politiques et réglementation",
    "53(1)(c) statistics": "53(1)(c) statistiques",
    "53(1)(d) education": "53(1)(d) enseignement",
    "53(1)(e) scientific research": "53(1)(e) recherche scientifique",
    "53(1)(f) improvement of care": "53(1)(f) amélioration des soins",
    "Legal basis": "Base légale",
    "Tables": "Tables",
    "Persons": "Personnes",
    "First day of data": "Premier jour des données",
    "Day after the last day of data": "Lendemain du dernier jour des données",
    "Identifying details that are needed": "Identifiants potentiels nécessaires",
    "What the users see": "Ce que voient les utilisateurs",
    "Smallest count that may leave": "Plus petit effectif qui peut sortir",
    "In force from": "En vigueur du",
    "In force until": "En vigueur jusqu'au",
    "Keep it as a draft with its faults": "Conserver comme brouillon, avec ses erreurs",
    "Make the document": "Produire le document",
    "Mend it by the form": "Corriger par le formulaire",
    "See what it opens": "Voir ce qu'elle ouvre",
    "It is told here in plain words, while you write or by the button below the form.": (
        "Cela s'affiche ici en clair, au fil de la saisie ou par le bouton sous le formulaire."
    ),
    **FRENCH_FORM,
    # what a permit opens
    "What it opens": "Ce qu'elle ouvre",
    "Where it touches a limit": "Points à examiner",
    "It cannot be read as a permit yet": "Le document ne se lit pas encore comme une autorisation",
    "Permit": "Autorisation",
    "Holder": "Titulaire",
    "Purpose": "Finalité",
    "Who uses the data": "Qui utilise les données",
    "Whose data": "Personnes concernées",
    "Days of data": "Période des données",
    "What is opened": "Ce qui est ouvert",
    "{n} columns of {m} tables": "{n} {n:colonne|colonnes} de {m} {m:table|tables}",
    "What is seen": "Ce qui est visible",
    "rows, inside the enclosure": "des lignes, à l'intérieur de l'enclos",
    "counts and estimates only": "des effectifs et des estimations seulement",
    "Identifying details": "Identifiants potentiels",
    "{what}, in {n} columns": "{what}, dans {n} {n:colonne|colonnes}",
    "Kept coarse": "Généralisés",
    "nothing": "rien",
    "none": "aucun",
    "Objections": "Oppositions",
    "lifted: persons who objected are in": "levées : les personnes qui se sont opposées sont incluses",
    "followed from one query to the next": "suivies d'une requête à l'autre",
    "followed until it is opened": "suivies jusqu'à l'ouverture",
    "{n} persons": "{n} {n:personne|personnes}",
    "{n} persons, rounded to {m}": "{n} {n:personne|personnes}, arrondi à {m} près",
    "In force": "En vigueur",
    "{start} to {end}": "du {start} au {end}",
    "{start} to {end}, {n} days": "du {start} au {end}, {n} {n:jour|jours}",
    "fewer than {floor}": "moins de {floor}",
    "of fewer than {floor}": "de moins de {floor}",
    "about {n}": "environ {n}",
    "persons, an estimate": "personnes, une estimation",
    "rows, an estimate": "lignes, une estimation",
    "A count of rows is told where as many persons as the floor have any.": (
        "Un nombre de lignes n'est donné que si elles concernent au moins autant de personnes que le seuil."
    ),
    "Counted on snapshot {n} and rounded; below the floor nothing is told.": (
        "Compté sur l'instantané {n}, puis arrondi ; rien n'est donné en dessous du seuil."
    ),
    "Rows are those of one part of the persons, in proportion.": (
        "Les lignes sont estimées à partir d'une partie des personnes, en proportion."
    ),
    "Table by table": "Table par table",
    "table": "table",
    "columns": "colonnes",
    "of": "sur",
    "kept coarse": "généralisées",
    "rows": "lignes",
    "the commune where somebody lives": "la commune de résidence",
    "the month of birth": "le mois de naissance",
    "the exact day of care": "le jour exact des soins",
    "the day of death": "le jour du décès",
    "the commune of death": "la commune du décès",
    "Who is in is decided by a cohort definition; opening the permit counts them.": (
        "Les personnes incluses sont déterminées par une définition de cohorte ; elles sont comptées à l'ouverture de "
        "l'autorisation."
    ),
    "Nothing was built yet, so nothing can be counted.": "Rien n'a encore été construit : rien ne peut être compté.",
    "Nothing can be counted now: the data are being changed, or they do not say who belongs.": (
        "Rien ne peut être compté pour l'instant : les données sont en cours de modification, ou n'indiquent pas qui "
        "est concerné."
    ),
    # warnings
    "Fewer than {floor} persons would be in: nothing about them could leave.": (
        "Moins de {floor} personnes seraient incluses : rien à leur sujet ne pourrait sortir."
    ),
    "A permit of this id is signed already.": "Une autorisation de ce nom est déjà signée.",
    "It would have ended before it is signed: {day}.": "Elle serait terminée avant d'être signée : {day}.",
    "It lasts as long as its legal basis allows: {years} years [{source}].": (
        "Elle dure aussi longtemps que sa base légale le permet : {years} {years:an|ans} [{source}]."
    ),
    "Its data begin as early as its legal basis allows: {years} past years [{source}].": (
        "Ses données commencent aussi tôt que sa base légale le permet : {years} {years:année passée|années passées} "
        "[{source}]."
    ),
    "It shows rows of everybody. Counts alone, or fewer persons, open less.": (
        "Elle montre des lignes de toutes les personnes. Des effectifs seuls, ou moins de personnes, en ouvriraient "
        "moins."
    ),
    "It opens all tables. Data are limited to what the purpose needs [EHDS Art. 66].": (
        "Elle ouvre toutes les tables. Les données se limitent à ce que la finalité exige [règlement EEDS, art. 66]."
    ),
    "Identifying details are listed without a reason: {identifiers}.": (
        "Des identifiants potentiels sont demandés sans motif : {identifiers}."
    ),
    "All five identifying details are listed.": "Les cinq identifiants potentiels sont demandés.",
    "Persons who objected would be in: this needs a law of its own [EHDS Art. 71(4)].": (
        "Les personnes qui se sont opposées seraient incluses : il y faut une disposition légale particulière "
        "[règlement EEDS, art. 71(4)]."
    ),
    "Objections made after it is opened would not count.": (
        "Les oppositions faites après l'ouverture ne compteraient pas."
    ),
    "The smallest count is this enclosure's floor of {floor}.": (
        "Le plus petit effectif est le seuil de cet enclos : {floor}."
    ),
    "The investigator is not among the users: {person}.": (
        "L'investigateur n'est pas parmi les utilisateurs : {person}."
    ),
    "Claims of days from {day} on are still coming in.": (
        "Les remboursements des jours à partir du {day} continuent d'arriver."
    ),
}
