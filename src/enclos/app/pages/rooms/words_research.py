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
    # one permit
    "Permit {permit}": "Autorisation {permit}",
    "You answer for this permit; those whom it lists as users work under it.": (
        "Vous répondez de cette autorisation ; les utilisateurs qu'elle désigne y travaillent."
    ),
    "Data dictionary": "Dictionnaire des données",
    "Write a study": "Écrire une étude",
    "Runs": "Exécutions",
    "Study": "Étude",
    "Run": "Exécution",
    "Kept": "Conservée",
    "Snapshot": "Instantané",
    "Version of the permit": "Version de l'autorisation",
    "What next": "Ensuite",
    "Edit and run again": "Reprendre",
    "Ask for release": "Demander la sortie",
    "Nothing was run under this permit yet.": "Rien n'a encore été exécuté sous cette autorisation.",
    "Study files": "Fichiers d'étude",
    "Name": "Nom",
    "Kept by": "Conservé par",
    "Remove": "Supprimer",
    "No study file is kept yet. All users of the permit see those that are.": (
        "Aucun fichier d'étude n'est conservé. Tous les utilisateurs de l'autorisation voient ceux qui le sont."
    ),
    "Requests for release": "Demandes de sortie",
    "The permit itself": "L'autorisation elle-même",
    "Versions": "Versions",
    "Version": "Version",
    "State": "État",
    "From": "Du",
    "To": "Au",
    "Reason": "Motif",
    "Its document": "Son document",
    # the dictionary
    "Data dictionary of {permit}": "Dictionnaire des données de {permit}",
    "Table {table}": "Table {table}",
    "Nothing was counted yet for this version of the permit. Counting reads each table once, in the background; the numbers are then there for all users of the permit.": (
        "Rien n'a encore été compté pour cette version de l'autorisation. Le comptage lit chaque table une fois, en "
        "arrière-plan ; les nombres sont ensuite là pour tous les utilisateurs de l'autorisation."
    ),
    "Count": "Compter",
    "Count anew": "Compter à nouveau",
    "There is a newer snapshot.": "Il existe un instantané plus récent.",
    "Persons are rounded down to two digits and never told below {unit}; what fewer have looks like nothing.": (
        "Les personnes sont arrondies vers le bas à deux chiffres et jamais données sous {unit} ; ce que moins de "
        "personnes ont ressemble à rien."
    ),
    "Snapshot {n}, counted {at}.": "Instantané {n}, compté le {at}.",
    "Rows": "Lignes",
    "Columns": "Colonnes",
    "with values": "avec valeurs",
    "too few": "trop peu",
    "Completeness of the columns": "Complétude des colonnes",
    "Column": "Colonne",
    "Type": "Type",
    "Refers to": "Renvoie à",
    "Persons with a value": "Personnes avec une valeur",
    "Share": "Part",
    "about {share} %": "environ {share} %",
    "Most frequent concepts of {column}": "Concepts les plus fréquents de {column}",
    "Concept": "Concept",
    "Year": "Année",
    "Persons by {column}": "Personnes selon {column}",
    # writing
    "YAML. Ctrl+Space says what may stand where the cursor is; arrows choose, Enter takes, Escape closes.": (
        "YAML. Ctrl+Espace dit ce qui peut figurer à l'endroit du curseur ; les flèches choisissent, Entrée prend, "
        "Échap ferme."
    ),
    "Name of the file": "Nom du fichier",
    "For keeping it; the study's own name where nothing is written.": (
        "Pour le conserver ; le nom de l'étude si rien n'est écrit."
    ),
    "Keep": "Conserver",
    "Check": "Vérifier",
    "What may stand here": "Ce qui peut figurer ici",
    "It can run": "Elle peut être exécutée",
    "It cannot run yet": "Elle ne peut pas encore être exécutée",
    "Cohorts": "Cohortes",
    "You will see exact numbers: your permit shows the rows that it reads. Nothing of them may leave without release.": (
        "Vous verrez des nombres exacts : votre autorisation montre les lignes lues. Rien n'en sort sans contrôle."
    ),
    "You will see what could be released as it is; small numbers are withheld.": (
        "Vous verrez ce qui pourrait sortir tel quel ; les petits nombres sont retenus."
    ),
    "Analysis {n} in part stays inside": "L'analyse {n} reste en partie à l'intérieur",
    "No rule of release speaks of {kinds}.": "Aucune règle de sortie ne parle de {kinds}.",
    "What can leave is {kinds}.": "Ce qui peut sortir : {kinds}.",
    "Line {n}": "Ligne {n}",
    "Begin from a run": "Partir d'une exécution",
    # running
    "Running": "En cours",
    "What": "Quoi",
    "Permit": "Autorisation",
    "Begun": "Commencé",
    "Ended": "Terminé",
    "You have begun nothing yet. A study runs from where it is written.": (
        "Vous n'avez encore rien commencé. Une étude s'exécute depuis la page où elle est écrite."
    ),
    "{title}": "{title}",
    "study": "étude",
    "rerun": "réexécution",
    "cohort": "cohorte",
    "dictionary": "dictionnaire",
    "{n} before it": "{n} avant lui",
    "{share} % done": "{share} % fait",
    "Cancel": "Annuler",
    "See what came of it": "Voir le résultat",
    "Start anew": "Recommencer",
    "waits for its turn": "attend son tour",
    "runs": "en cours",
    "done": "terminé",
    "was refused": "refusé",
    "broke off": "interrompu par une erreur",
    "was cancelled": "annulé",
    "was interrupted": "interrompu",
    # results
    "Results of {study}": "Résultats de {study}",
    "Lines": "Lignes",
    "What is withheld, and why": "Ce qui est retenu, et pourquoi",
    "Nothing had to be hidden.": "Rien n'a dû être masqué.",
    "minimum-count: numbers are hidden that rest on fewer than {} persons, or would give away one that does": (
        "plus petit effectif : des nombres sont masqués parce qu'ils reposent sur moins de {} personnes, ou en "
        "révéleraient un qui le fait"
    ),
    "How the rules decide": "Comment les règles décident",
    "Analyses": "Analyses",
    "The study that ran": "L'étude exécutée",
    "Its text": "Son texte",
    "Estimates": "Estimations",
    "Withheld": "Retenues",
    "{share} %": "{share} %",
    "Smallest count": "Plus petit effectif",
    "A number that rests on 1 to {below} persons is withheld, and so is what is computed from it.": (
        "Un nombre qui repose sur 1 à {below} personnes est retenu, ainsi que ce qui en est calculé."
    ),
    "Secondary": "Secret secondaire",
    "When a total or a difference of shown numbers would give a withheld one away, another number is withheld too: the one that costs least.": (
        "Quand un total ou une différence de nombres montrés révélerait un nombre retenu, un autre est retenu aussi : "
        "celui qui coûte le moins."
    ),
    "History": "Historique",
    "What you ask for is compared with all that ever left this enclosure: two results whose difference is a few persons cannot both leave.": (
        "Ce que vous demandez est comparé à tout ce qui est sorti de cet enclos : deux résultats dont la différence est "
        "de quelques personnes ne peuvent pas sortir tous deux."
    ),
    "Kinds": "Types",
    "Results of a kind that no rule speaks of stay inside.": (
        "Les résultats d'un type dont aucune règle ne parle restent à l'intérieur."
    ),
    "What helps": "Ce qui aide",
    "Wider age groups, years instead of months, one sex for both, a longer period. Check for release says which change keeps most.": (
        "Des groupes d'âge plus larges, des années plutôt que des mois, les deux sexes ensemble, une période plus "
        "longue. La vérification avant sortie dit quel changement garde le plus."
    ),
    "nothing is withheld": "rien n'est retenu",
    "some of it is withheld": "une partie est retenue",
    "cannot leave as it is": "ne peut pas sortir tel quel",
    # release
    "Releases": "Sorties",
    "Ask for release: {study}": "Demander la sortie : {study}",
    "What leaves is the nearest safe version of the result. Two persons who are not of your project decide, unless the rules call it safe.": (
        "Ce qui sort est la version sûre la plus proche du résultat. Deux personnes extérieures à votre projet décident, "
        "sauf si les règles la disent sûre."
    ),
    "What would be answered": "Ce qui serait répondu",
    "would leave without a vote": "sortirait sans vote",
    "needs two votes": "demande deux votes",
    "A change of the study that keeps more": "Un changement de l'étude qui garde plus",
    "It would keep {estimates} % of the estimates and {persons} % of the persons behind them.": (
        "Il garderait {estimates} % des estimations et {persons} % des personnes qui sont derrière."
    ),
    "Tables that were looked at": "Tableaux examinés",
    "Table": "Tableau",
    "Shown": "Montrées",
    "Share that is kept": "Part conservée",
    "Results that are asked for": "Résultats demandés",
    "What it is for": "À quoi cela sert",
    "The checkers read it; it is not published.": "Les contrôleurs le lisent ; ce n'est pas publié.",
    "Checking asks nobody and keeps nothing; the ledger says that you looked.": (
        "Vérifier ne sollicite personne et ne garde rien ; le registre dit que vous avez regardé."
    ),
    "Nothing was asked to leave yet. Ask from the page of a run.": (
        "Aucune sortie n'a encore été demandée. Demandez-la depuis la page d'une exécution."
    ),
    "Request": "Demande",
    "Request {request}": "Demande {request}",
    "Asked": "Demandée",
    "Asked by": "Demandée par",
    "Open questions": "Questions ouvertes",
    "waits for two votes": "attend deux votes",
    "one of two has voted": "un des deux a voté",
    "accepted": "acceptée",
    "has left": "sortie",
    "refused by the checkers": "refusée par les contrôleurs",
    "held back": "retenue",
    "Entry of the ledger": "Entrée du registre",
    "Take the package out": "Sortir le paquet",
    "A signed ZIP file with the tables, the figures, the study and the proof. Each person takes it out once; the ledger says who did.": (
        "Un fichier ZIP signé avec les tableaux, les figures, l'étude et la preuve. Chaque personne le sort une fois ; "
        "le registre dit qui l'a fait."
    ),
    "Votes": "Votes",
    "The rules call it safe; nobody had to vote.": "Les règles la disent sûre ; personne n'a eu à voter.",
    "Nobody has voted yet.": "Personne n'a encore voté.",
    "accepts": "accepte",
    "refuses": "refuse",
    "has voted; how is told when both have": "a voté ; le sens est dit quand les deux ont voté",
    "Questions of the checkers": "Questions des contrôleurs",
    "None.": "Aucune.",
    "Your answer to question {n}": "Votre réponse à la question {n}",
    "Answer": "Répondre",
    "What was asked for": "Ce qui a été demandé",
    "Tables that were asked for": "Tableaux demandés",
}
