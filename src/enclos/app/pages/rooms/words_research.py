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
    "{share} % of its time is over": "{share} % de sa durée est écoulé",
    "{left} left": "il reste {left}",
    "until {day}": "jusqu'au {day}",
    "{start} to {end}": "du {start} au {end}",
    "Holder": "Titulaire",
    "Persons": "Personnes",
    "Days of data": "Période des données",
    "Tables": "Tables",
    "all tables": "toutes les tables",
    "You see": "Vous voyez",
    "rows, inside the enclosure": "des lignes, à l'intérieur de l'enclos",
    "counts and estimates only": "des effectifs et des estimations seulement",
    "Smallest count that may leave": "Plus petit effectif qui peut sortir",
    # one permit
    "Permit {permit}": "Autorisation {permit}",
    "You answer for this permit; those whom it lists as users work under it.": (
        "Vous répondez de cette autorisation ; les utilisateurs qu'elle désigne s'en servent."
    ),
    "It is being counted now.": "Le comptage est en cours.",
    "See how far it is": "Voir où il en est",
    "Choose one at least.": "Choisissez-en au moins un.",
    "Data dictionary": "Dictionnaire des données",
    "Write a study": "Écrire une étude",
    "Runs": "Exécutions",
    "Study": "Étude",
    "Run": "Exécution",
    "Kept": "Date",
    "Snapshot": "Instantané",
    "Version of the permit": "Version de l'autorisation",
    "What next": "Ensuite",
    "Edit and run again": "Reprendre et réexécuter",
    "Ask for release": "Demander la sortie",
    "Nothing was run under this permit yet.": "Rien n'a encore été exécuté sous cette autorisation.",
    "Study files": "Fichiers d'étude",
    "Name": "Nom",
    "Kept by": "Enregistré par",
    "Remove": "Supprimer",
    "No study file is kept yet. All users of the permit see those that are.": (
        "Aucun fichier d'étude n'est encore enregistré. Tous les utilisateurs de l'autorisation voient ceux qui le "
        "sont."
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
        "Les nombres de personnes sont arrondis vers le bas à deux chiffres, et jamais donnés en dessous de {unit} : "
        "ce que trop peu de personnes ont ne se distingue pas de rien."
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
    "Name of the file": "Nom du fichier",
    "For keeping it; the study's own name where nothing is written.": (
        "Pour l'enregistrer ; à défaut, le nom de l'étude."
    ),
    "Keep": "Enregistrer",
    "Check": "Vérifier",
    "What may stand here": "Ce qui peut figurer ici",
    "A study is written in YAML.": "Une étude s'écrit en YAML.",
    "{n} may stand here": "{n} {n:possibilité|possibilités} ici",
    "Ctrl+Space says what may stand where the cursor is; arrows choose, Enter takes, Escape closes.": (
        "Ctrl+Espace dit ce qui peut figurer à l'endroit du curseur ; les flèches choisissent, Entrée prend, "
        "Échap ferme."
    ),
    "It can run": "Elle peut être exécutée",
    "It cannot run yet": "Elle ne peut pas encore être exécutée",
    "Cohorts": "Cohortes",
    "You will see exact numbers: your permit shows the rows that it reads. Nothing of them may leave without release.": (
        "Vous verrez des nombres exacts : votre autorisation montre les lignes lues. Rien n'en sort sans contrôle."
    ),
    "You will see what could be released as it is; small numbers are withheld.": (
        "Vous verrez ce qui pourrait sortir tel quel ; les petits nombres sont masqués."
    ),
    "Analysis {n} in part stays inside": "L'analyse {n} reste en partie à l'intérieur",
    "No rule of release speaks of {kinds}.": "Aucune règle de sortie ne porte sur : {kinds}.",
    "What can leave is {kinds}.": "Ce qui peut sortir : {kinds}.",
    "Line {n}": "Ligne {n}",
    "Begin from a run": "Partir d'une exécution",
    # SQL
    "SQL": "SQL",
    "You see rows, inside the enclosure. Nothing of them leaves from here.": (
        "Vous voyez des lignes, à l'intérieur de l'enclos. Rien n'en sort d'ici."
    ),
    "You see counts. What rests on few persons, or would tell it beside what was shown before, is left out.": (
        "Vous voyez des effectifs. Ce qui repose sur peu de personnes, ou le révélerait rapproché de ce qui a déjà "
        "été montré, est omis."
    ),
    "What shall leave is kept as a run and asked for there.": (
        "Pour faire sortir un résultat, conservez-le comme exécution et demandez-en la sortie."
    ),
    "Statement": "Requête",
    "One SELECT over the tables of the permit. A name beside is put where the cursor is.": (
        "Un seul SELECT sur les tables de l'autorisation. Un nom choisi à côté s'insère à l'endroit du curseur."
    ),
    "Ask": "Exécuter",
    "Keep its groups as a run": "Conserver ses groupes comme exécution",
    "What it gave": "Ce qu'elle a donné",
    "no value": "sans valeur",
    "The answer has no rows.": "La réponse n'a pas de ligne.",
    "{n} rows, {seconds} s, snapshot {snapshot}.": "{n} {n:ligne|lignes}, {seconds} s, instantané {snapshot}.",
    "Counts of fewer than {n} persons, and none, look the same: they are not shown.": (
        "Les effectifs de moins de {n} personnes, et les effectifs nuls, ont le même aspect : ils ne sont pas montrés."
    ),
    "Its rows are kept no more. Ask it again.": "Ses lignes ne sont plus conservées. Exécutez-la à nouveau.",
    "answered": "répondu",
    "What you asked lately": "Vos requêtes récentes",
    "Texts and answers lie in memory alone, and go when the portal ends. The ledger has when you asked and how it ended.": (
        "Textes et réponses ne sont gardés qu'en mémoire, et disparaissent quand le portail s'arrête. Le journal "
        "indique quand vous avez exécuté une requête et comment elle s'est terminée."
    ),
    "Your statements in the ledger": "Vos requêtes dans le journal",
    "When": "Quand",
    "How it ended": "Issue",
    "no outcome yet": "pas encore d'issue",
    "Nothing was found here.": "Rien n'a été trouvé ici.",
    "{n} entries were read": "{n} {n:entrée lue|entrées lues}",
    "Look further back": "Chercher plus loin",
    # cohorts of Circe definitions
    "A cohort definition as ATLAS exports it. It is looked at first: what Circe does not define, or the permit does not open, is named by its place in the document.": (
        "Une définition de cohorte telle qu'ATLAS l'exporte. Elle est d'abord examinée : ce que Circe ne définit pas, "
        "ou que l'autorisation n'ouvre pas, est désigné par sa place dans le document."
    ),
    "Name of the cohort": "Nom de la cohorte",
    "Letters, digits, hyphens and underscores.": "Lettres, chiffres, tirets et tirets bas.",
    "Take it from a file": "La charger depuis un fichier",
    "Definition (JSON)": "Définition (JSON)",
    "Also": "En outre",
    "save its rows: they are table cohort in this permit's SQL, and studies name it": (
        "enregistrer ses lignes : elles forment la table cohort du SQL de cette autorisation, et les études peuvent "
        "la nommer"
    ),
    "tell which rules persons pass, as ATLAS does": "indiquer quelles règles les personnes remplissent, comme ATLAS",
    "Count the cohort": "Compter la cohorte",
    "What you counted": "Vos comptages",
    "Saved cohorts": "Cohortes enregistrées",
    "No cohort is saved under this permit yet.": "Aucune cohorte n'est encore enregistrée sous cette autorisation.",
    "Cohort {name}": "Cohorte {name}",
    "not shown": "non montré",
    "Numbers of fewer than {n} persons, and what would tell them, are not shown.": (
        "Les nombres de moins de {n} personnes, et ce qui les révélerait, ne sont pas montrés."
    ),
    "Snapshot {n}.": "Instantané {n}.",
    "What each rule leaves of {name}": "Ce que chaque règle laisse de {name}",
    "Which rules are passed, of {name}": "Règles remplies, pour {name}",
    "Rule of the definition": "Règle de la définition",
    "Rules passed (1)": "Règles remplies (1)",
    "Events": "Événements",
    "entry events": "événements d'entrée",
    "sql-keep": "requête conservée",
    "table": "tableau d'un traitement",
    # running
    "Running": "En cours",
    "Nothing of yours runs now.": "Rien de ce que vous avez lancé n'est en cours.",
    "What is over": "Ce qui est terminé",
    "This permit has ended: nothing is opened under it any more.": (
        "Cette autorisation a pris fin : elle n'ouvre plus rien."
    ),
    "This permit was revoked: nothing is opened under it any more.": (
        "Cette autorisation a été révoquée : elle n'ouvre plus rien."
    ),
    "What was kept under it is deleted by {day} at the latest.": (
        "Ce qui a été conservé sous elle est supprimé le {day} au plus tard."
    ),
    "What left is yours; results are to be public by {day}.": (
        "Ce qui est sorti vous reste ; les résultats sont à rendre publics le {day} au plus tard."
    ),
    "Packages that were not taken out stay inside.": "Les paquets qui n'ont pas été sortis restent à l'intérieur.",
    "To go on, apply for a new permit": "Pour continuer, demandez une nouvelle autorisation",
    "The access body, or whoever answers for the permit, can tell you why.": (
        "L'organisme d'accès, ou le responsable de l'autorisation, peut vous dire pourquoi."
    ),
    "What": "Quoi",
    "Permit": "Autorisation",
    "Begun": "Lancé le",
    "Ended": "Terminé le",
    "You have begun nothing yet. A study runs from where it is written.": (
        "Vous n'avez encore rien lancé. Une étude s'exécute depuis la page où elle est écrite."
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
    "What is withheld, and why": "Ce qui est masqué, et pourquoi",
    "Nothing had to be hidden.": "Rien n'a dû être masqué.",
    "minimum-count: numbers are hidden that rest on fewer than {} persons, or would give away one that does": (
        "effectif minimal : sont masqués les nombres qui reposent sur moins de {} personnes, ou qui permettraient de "
        "déduire un tel nombre"
    ),
    "How the rules decide": "Comment les règles décident",
    "Analyses": "Analyses",
    "Go through the values": "Parcourir les valeurs",
    "Arrow keys or the mouse go from value to value.": "Les flèches ou la souris vont de valeur en valeur.",
    "The values of this picture are in its table.": "Les valeurs de cette image sont dans son tableau.",
    "Series shown": "Séries montrées",
    "Part of the time": "Partie de la durée",
    "All of it": "Toute la durée",
    "the heads of the columns put the rows in order": "les en-têtes des colonnes trient les lignes",
    "The study that ran": "L'étude exécutée",
    "Its text": "Son texte",
    "Estimates": "Estimations",
    "Withheld": "Masquées",
    "{share} %": "{share} %",
    "Smallest count": "Plus petit effectif",
    "A number that rests on 1 to {below} persons is withheld, and so is what is computed from it.": (
        "Un nombre qui repose sur 1 à {below} personnes est masqué, ainsi que ce qui en est calculé."
    ),
    "Secondary": "Secret secondaire",
    "When a total or a difference of shown numbers would give a withheld one away, another number is withheld too: the one that costs least.": (
        "Quand un total ou une différence de nombres montrés permettrait de déduire un nombre masqué, un autre est "
        "masqué aussi : celui dont la perte coûte le moins."
    ),
    "History": "Historique",
    "What you ask for is compared with all that ever left this enclosure: two results whose difference is a few persons cannot both leave.": (
        "Ce que vous demandez est comparé à tout ce qui est sorti de cet enclos : deux résultats qui ne diffèrent que "
        "de quelques personnes ne peuvent pas sortir tous les deux."
    ),
    "Kinds": "Types",
    "Results of a kind that no rule speaks of stay inside.": (
        "Les résultats d'un type qu'aucune règle ne prévoit restent à l'intérieur."
    ),
    "What helps": "Ce qui aide",
    "Wider age groups, years instead of months, one sex for both, a longer period. Check for release says which change keeps most.": (
        "Des classes d'âge plus larges, des années plutôt que des mois, les deux sexes ensemble, une période plus "
        "longue. La vérification avant sortie indique le changement qui conserve le plus."
    ),
    "nothing is withheld": "rien n'est masqué",
    "some of it is withheld": "une partie est masquée",
    "cannot leave as it is": "ne peut pas sortir tel quel",
    # release
    "Releases": "Sorties",
    "Ask for release: {study}": "Demander la sortie : {study}",
    "What leaves is the nearest safe version of the result. Two persons who are not of your project decide, unless the rules call it safe.": (
        "Ce qui sort est la version sûre la plus proche du résultat. Deux personnes extérieures à votre projet "
        "décident, sauf si les règles jugent la sortie sûre."
    ),
    "What would be answered": "Ce qui serait répondu",
    "would leave without a vote": "sortirait sans vote",
    "needs two votes": "demande deux votes",
    "A change of the study that keeps more": "Un changement de l'étude qui conserve davantage",
    "It would keep {estimates} % of the estimates and {persons} % of the persons behind them.": (
        "Il conserverait {estimates} % des estimations et {persons} % des personnes derrière elles."
    ),
    "Tables that were looked at": "Tableaux examinés",
    "Table": "Tableau",
    "Shown": "Montrées",
    "Share that is kept": "Part conservée",
    "Results that are asked for": "Résultats demandés",
    "What it is for": "À quoi cela sert",
    "The checkers read it; it is not published.": "Les contrôleurs le lisent ; ce texte n'est pas publié.",
    "Checking asks nobody and keeps nothing; the ledger says that you looked.": (
        "La vérification ne sollicite personne et ne conserve rien ; le journal note que vous avez regardé."
    ),
    "Nothing was asked to leave yet. Ask from the page of a run.": (
        "Aucune sortie n'a encore été demandée. Demandez-la depuis la page d'une exécution."
    ),
    "Request": "Demande",
    "Request {request}": "Demande {request}",
    "Asked": "Demandée le",
    "Asked by": "Demandée par",
    "Open questions": "Questions ouvertes",
    "waits for two votes": "attend deux votes",
    "one of two has voted": "une personne sur deux a voté",
    "accepted": "acceptée",
    "has left": "sortie",
    "refused by the checkers": "refusée par les contrôleurs",
    "held back": "retenue",
    "Entry of the ledger": "Entrée du journal",
    "Take the package out": "Sortir le paquet",
    "Take the same file once more": "Reprendre le même fichier",
    "{who} took the package out: {at}": "{who} a sorti le paquet : {at}",
    "You have taken it out; it is not given a second time.": "Vous l'avez sorti ; il n'est pas remis une seconde fois.",
    "If it was lost on its way, the same file is given once more for a quarter of an hour.": (
        "S'il s'est perdu en chemin, le même fichier est remis pendant un quart d'heure."
    ),
    "A signed ZIP file with the tables, the figures, the study and the proof. Each person takes it out once; the ledger says who did.": (
        "Un fichier ZIP signé avec les tableaux, les figures, l'étude et la preuve. Chaque personne le sort une seule "
        "fois ; le journal note qui l'a fait."
    ),
    "Votes": "Votes",
    "The rules call it safe; nobody had to vote.": "Les règles jugent la sortie sûre ; personne n'a eu à voter.",
    "Nobody has voted yet.": "Personne n'a encore voté.",
    "accepts": "accepte",
    "refuses": "refuse",
    "has voted; how is told when both have": "a voté ; le sens du vote est connu quand les deux ont voté",
    "Questions of the checkers": "Questions des contrôleurs",
    "None.": "Aucune.",
    "Your answer to question {n}": "Votre réponse à la question {n}",
    "Answer": "Répondre",
    "What was asked for": "Ce qui a été demandé",
    "Tables that were asked for": "Tableaux demandés",
    "to run": "Exécuter",
    "cohorts": "cohortes",
    "disclosure": "divulgation",
    "sql": "requête",
    "{} of {}": "{} sur {}",
}
