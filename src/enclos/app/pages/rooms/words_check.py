"""What the checker's pages say in French."""

from __future__ import annotations

FRENCH_CHECK = {
    "Checking": "Contrôle",
    "Queue": "À examiner",
    "by week": "par semaine",
    "by month": "par mois",
    "by quarter": "par trimestre",
    "by year": "par année",
    "over the whole period": "sur toute la période",
    "My votes": "Mes votes",
    "How long requests wait": "Délais d'attente",
    "{n} min": "{n} min",
    "{n} h": "{n} h",
    "every rule passed": "toutes les règles sont respectées",
    "look at it": "à examiner",
    "a rule refused": "une règle refuse",
    "no vote yet": "pas encore de vote",
    "one vote is in": "un vote exprimé",
    "accepted": "acceptée",
    "has left": "sortie",
    "refused": "refusée",
    "failed a check": "échec d'une vérification",
    "Two people look at each result before it leaves, neither of the project, and neither learns how the other "
    "votes before both have.": (
        "Deux personnes regardent chaque résultat avant qu'il ne sorte ; aucune n'est du projet, et aucune n'apprend "
        "le vote de l'autre avant que les deux aient voté."
    ),
    "wait for your vote": "en attente de votre vote",
    "the oldest waits": "attente de la plus ancienne",
    "median until the decision": "délai médian de décision",
    "Nothing waits for you.": "Rien ne vous attend.",
    "Requests that wait, the oldest first": "Demandes en attente, la plus ancienne d'abord",
    "Request": "Demande",
    "Waits": "Attend depuis",
    "Tables": "Tableaux",
    "Numbers": "Nombres",
    "The machine says": "Avis automatique",
    "Votes": "Votes",
    "one is in": "un exprimé",
    "none yet": "aucun",
    "a question is open": "une question est ouverte",
    "{n} more are of your own projects, or yours: others vote on them.": (
        "{n} {n:autre relève|autres relèvent} de vos projets, ou de vous : d'autres personnes votent."
    ),
    "{n} are not what was judged: they are closed, and the security officer must know.": (
        "{n} {n:n'est plus celle qui a été jugée : elle est close|ne sont plus celles qui ont été jugées : elles sont "
        "closes}, et le responsable de la sécurité doit en être averti."
    ),
    "your vote is in": "vous avez voté",
    "Project": "Projet",
    "Permit": "Autorisation",
    "version {n}": "version {n}",
    "Asked by": "Demandée par",
    "Asked": "Demandée le",
    "Snapshot": "Instantané",
    "Smallest count that may leave": "Plus petit effectif qui peut sortir",
    "Counts rounded to": "Effectifs arrondis à",
    "not rounded": "sans arrondi",
    "Numbers that would leave": "Nombres qui sortiraient",
    "Evidence": "Constats",
    "What left before": "Sorties antérieures",
    "Study": "Étude",
    "Questions": "Questions",
    "Vote": "Vote",
    "What happened": "Ce qui s'est passé",
    "What the machine found": "Constats automatiques",
    "Rules": "Règles",
    "Rule": "Règle",
    "Verdict": "Verdict",
    "What it says": "Ce qu'elle dit",
    "Groups of numbers, by what became of them": "Groupes de nombres, selon ce qu'ils deviennent",
    "Kind": "Nature",
    "What became of them": "Ce qu'ils deviennent",
    "Groups": "Groupes",
    "shown": "montrés",
    "below the minimum": "sous le minimum",
    "protects another cell": "protègent une autre case",
    "Tables that were asked for": "Tableaux demandés",
    "Table": "Tableau",
    "What it is": "Ce que c'est",
    "Shown": "Montrés",
    "Hidden": "Masqués",
    "Share shown": "Part montrée",
    "{n} % shown": "{n} % montré",
    "What left before, and who is in both": "Sorties antérieures, et qui est dans les deux",
    "The persons behind this request are not known any more: nothing can be compared.": (
        "Les personnes derrière cette demande ne sont plus connues : aucune comparaison n'est possible."
    ),
    "Nothing left this enclosure before.": "Rien n'est encore sorti de cet enclos.",
    "Rows are numbers of this request, columns are earlier releases. A number below {k} is not told, neither of "
    "those in both nor of those in one alone; others are told as multiples of it.": (
        "Chaque ligne est un nombre de cette demande, chaque colonne une sortie antérieure. Un effectif inférieur à "
        "{k} n'est pas donné, ni pour les personnes communes, ni pour celles d'un seul côté ; les autres sont donnés "
        "en multiples de ce seuil."
    ),
    "{n} of {of} numbers and {m} of {all} releases are shown: those that share most, and the newest.": (
        "Nombres montrés : {n} sur {of} ; sorties montrées : {m} sur {all} (celles qui ont le plus de personnes en "
        "commun, et les plus récentes)."
    ),
    "Which earlier release shares persons with which number; the table beside says the same.": (
        "Quelle sortie antérieure a des personnes en commun avec quel nombre ; le tableau à côté dit la même chose."
    ),
    "Square with =: the very same persons. Full disc with ≈: all of them, or all but a few. Ring with a disc: "
    "some, by the disc's surface. Point: nobody, or a few.": (
        "Carré avec = : exactement les mêmes personnes. Disque plein avec ≈ : toutes, ou toutes sauf quelques-unes. "
        "Anneau avec disque : certaines, selon la surface du disque. Point : personne, ou quelques-unes."
    ),
    "same": "les mêmes",
    "nearly all": "toutes, ou presque",
    "few": "aucune, ou peu",
    "all": "tous",
    "who have it": "ceux qui l'ont",
    "who have it not": "ceux qui ne l'ont pas",
    "Earlier releases": "Sorties antérieures",
    "Column": "Colonne",
    "Left": "Sorti le",
    "The same as a table": "La même chose en tableau",
    "Number of": "Nombre de",
    "Persons": "Personnes",
    "Who is in both": "Qui est dans les deux",
    "a number of this request": "un nombre de cette demande",
    "(and {n} more)": "(et {n} {n:autre|autres})",
    "The numbers as they would leave": "Les nombres tels qu'ils sortiraient",
    "hidden": "masqué",
    "by a rule: it rests on too few, or would give such a number away.": (
        "par une règle : il repose sur trop peu de personnes, ou permettrait de déduire un tel nombre."
    ),
    "same left": "mêmes personnes",
    "the persons of a number that left before.": "les personnes d'un nombre déjà sorti.",
    "shares": "en commun",
    "some of its persons are in a release shown above.": "certaines de ses personnes sont dans une sortie ci-dessus.",
    "counted": "compté",
    "its persons are known; none of them, or a few, are in what left.": (
        "ses personnes sont connues ; aucune, ou peu, ne sont dans ce qui est sorti."
    ),
    "about {n}": "environ {n}",
    "No mark: no number of persons of its own; its form was checked.": (
        "Sans marque : ce n'est pas un effectif de personnes ; sa forme a été vérifiée."
    ),
    "Group": "Groupe",
    "Stratum": "Strate",
    "Variable": "Variable",
    "Level": "Niveau",
    "Further": "Autre",
    "Estimate": "Estimation",
    "Value": "Valeur",
    "Mark": "Marque",
    "Hash of the table": "Empreinte du tableau",
    "The study that leaves with it": "L'étude qui sort avec",
    "Read it": "Lire l'étude",
    "Questions to the project": "Questions au projet",
    "Question {n}": "Question {n}",
    "Answer": "Réponse",
    "not answered yet": "sans réponse",
    "Nobody can accept before.": "Personne ne peut accepter avant.",
    "passed": "respectée",
    "Nobody asked anything.": "Personne n'a rien demandé.",
    "Ask the project": "Demander au projet",
    "Who asks is shown to nobody.": "L'auteur de la question n'est montré à personne.",
    "Ask": "Demander",
    "It is decided.": "La décision est prise.",
    "Your vote is in. How it ends shows when the other person has voted.": (
        "Vous avez voté. L'issue sera connue quand l'autre personne aura voté."
    ),
    "You vote on exactly what this page shows; how another person votes shows to nobody before both have. It "
    "cannot be taken back.": (
        "Votre vote porte exactement sur ce que montre cette page ; le vote de l'autre personne n'est montré à "
        "personne avant que les deux aient voté. Un vote est définitif."
    ),
    "It may leave": "La sortie est possible",
    "Yes: I accept": "Oui : j'accepte",
    "No: I refuse": "Non : je refuse",
    "Why": "Pourquoi",
    "A sentence; it is shown when both have voted, without a name.": (
        "Une phrase ; elle est montrée quand les deux ont voté, sans nom."
    ),
    "Hash of what is voted on": "Empreinte de ce qui est voté",
    "What happened so far": "Ce qui s'est passé jusqu'ici",
    "It was asked for.": "La sortie a été demandée.",
    "Policy let it go.": "La sortie est automatique, selon la politique.",
    "A question was put.": "Une question a été posée.",
    "The project answered.": "Le projet a répondu.",
    "A vote was given.": "Un vote a été donné.",
    "A person accepted.": "Une personne a accepté.",
    "A person refused.": "Une personne a refusé.",
    "It left.": "Le résultat est sorti.",
    "You have not voted yet.": "Vous n'avez pas encore voté.",
    "Requests that you voted on, the newest first": "Demandes sur lesquelles vous avez voté, la plus récente d'abord",
    "State": "État",
    "Until the decision": "Jusqu'à la décision",
    "open": "non décidée",
    "requests so far": "demandes à ce jour",
    "decided": "décidées",
    "let go by policy, without votes": "sorties automatiques, sans vote",
    "longest until the decision": "délai de décision le plus long",
    "The newest decisions of people": "Les dernières décisions prises par des personnes",
    "Time from asking to the second vote, in the order in which they were asked.": (
        "Durée de la demande au second vote, dans l'ordre des demandes."
    ),
    "Time until the decision": "Durée jusqu'à la décision",
    "Asked on": "Demandée le",
    "Waited": "Attente",
    "Nothing was decided by people yet.": "Aucune décision n'a encore été prise par des personnes.",
    "Request {request}": "Demande {request}",
    "to vote": "Voter",
    "refuses": "refuse",
}
