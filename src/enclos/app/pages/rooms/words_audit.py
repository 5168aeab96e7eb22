"""What the auditor's pages say in French."""

from __future__ import annotations

from enclos.app.pages.acts_words import FRENCH_ACTS

FRENCH_AUDIT = {
    **FRENCH_ACTS,
    "Audit": "Audit",
    "Ledger": "Journal",
    "Broken off": "Interruptions",
    "Verify": "Vérifier",
    "Monthly review": "Revue mensuelle",
    "Seals and witnesses": "Scellements et témoins",
    "Entry {index}": "Entrée {index}",
    "All that was done, refused or tried. People are salted digests; names stand where a permit lists the person, "
    "or it is an operator.": (
        "Tout ce qui a été fait, refusé ou tenté. Les personnes y sont des empreintes salées ; leur nom figure si une "
        "autorisation les mentionne, ou s'il s'agit d'un exploitant."
    ),
    "What was begun and has no outcome, what broke off, and what ended while the clock showed an earlier time. A "
    "study that runs now is here too; whatever else has no outcome was cut off: a fault, or somebody.": (
        "Ce qui a commencé et n'a pas d'issue, ce qui s'est interrompu, et ce qui a fini alors que l'horloge "
        "indiquait une heure antérieure. Une étude en cours y figure aussi ; tout le reste sans issue a été coupé, "
        "par une panne ou par quelqu'un."
    ),
    "proved to stand in the ledger": "inscription au journal prouvée",
    "What": "Quoi",
    "When": "Quand",
    "Who": "Qui",
    "Digest": "Empreinte",
    "Permit": "Autorisation",
    "Rule": "Règle",
    "Form": "Genre",
    "Entry before": "Entrée précédente",
    "Entry after": "Entrée suivante",
    "Its intent: entry {n}": "Son intention : entrée {n}",
    "Its outcome: entry {n}": "Son issue : entrée {n}",
    "What it says": "Ce qu'elle dit",
    "Facts": "Faits",
    "This is no day: write YYYY-MM-DD.": "Ce n'est pas un jour : écrivez AAAA-MM-JJ.",
    "Name": "Nom",
    "Value": "Valeur",
    "As it was hashed": "Telle qu'elle a été condensée en empreinte",
    "The proof": "La preuve",
    "{n} hashes lead from this entry to the root of the ledger of {size} entries, which its key has signed. It was "
    "checked for this page; anybody can check it with the key alone.": (
        "{n} {n:empreinte mène|empreintes mènent} de cette entrée à la racine du journal de {size} "
        "{size:entrée|entrées}, que sa clé a signée. La preuve a été vérifiée pour cette page ; chacun peut la "
        "vérifier avec la seule clé."
    ),
    "Keep the proof as a file": "Enregistrer la preuve dans un fichier",
    "Key": "Clé",
    "intent: what was about to be done": "intention : ce qui allait être fait",
    "outcome: how it ended": "issue : comment cela s'est terminé",
    "event: at once": "événement : sur le moment",
    "Search the ledger": "Chercher dans le journal",
    "anything": "tout",
    "An id, or the beginning of a digest.": "Un identifiant, ou le début d'une empreinte.",
    "How it ended": "Issue",
    "any way": "toutes",
    "From": "Du",
    "To": "Au",
    "Search": "Chercher",
    "Everything": "Tout afficher",
    "done": "fait",
    "refused": "refusé",
    "interrupted": "interrompu",
    "no outcome": "sans issue",
    "broken off in any way": "interrompu d'une façon ou d'une autre",
    "outcome lies further on": "issue plus loin",
    "has an outcome": "a une issue",
    "at once": "sur le moment",
    "Every entry of a month is read and proved; detectors say what a person must look at. The ledger notes that "
    "you reviewed it.": (
        "Chaque entrée d'un mois est lue et prouvée ; des détecteurs signalent ce qu'une personne doit examiner. Le "
        "journal note que vous l'avez passé en revue."
    ),
    "Month": "Mois",
    "Year and month, as 2026-10; the last whole one when empty.": (
        "Année et mois, comme 2026-10 ; à défaut, le dernier mois entier."
    ),
    "Review": "Passer en revue",
    "Entries, the newest first": "Entrées, les plus récentes d'abord",
    "Entry": "Entrée",
    "Nothing of this kind was found here.": "Rien de tel n'a été trouvé ici.",
    "To the newest": "Aux plus récentes",
    "{n} entries were read": "{n} {n:entrée lue|entrées lues}",
    "Look further back": "Chercher plus loin",
    "entries": "entrées",
    "sealed days": "jours scellés",
    "Origin": "Origine",
    "Last entry": "Dernière entrée",
    "First seal": "Premier scellement",
    "The signed checkpoint": "Le point de contrôle signé",
    "Size and root of the ledger under its key. Who keeps it can prove later that nothing before it was changed.": (
        "Taille et racine du journal, sous sa clé. Qui le conserve peut prouver plus tard que rien d'antérieur n'a "
        "changé."
    ),
    "Seals": "Scellements",
    "Each day ends with a seal: the checkpoint of that moment, put when a later day begins. Whether they hold says "
    "a verification.": (
        "Chaque jour se clôt par un scellement : le point de contrôle de cet instant, posé quand commence un jour "
        "suivant. Une vérification dit s'ils sont valides."
    ),
    "The newest seals": "Les derniers scellements",
    "Day": "Jour",
    "Entries at its end": "Entrées à la clôture",
    "File": "Fichier",
    "No day is over yet.": "Aucun jour n'est encore terminé.",
    "Witnesses": "Témoins",
    "A witness runs on a machine of somebody else, reads the published ledger by the clock and signs what it saw. "
    "The enclosure does not know its witnesses, and could not be believed about them: ask one for its checkpoint "
    "and give it to a verification.": (
        "Un témoin fonctionne sur la machine d'un tiers, lit le journal publié à heures fixes et signe ce qu'il a vu. "
        "L'enclos ne connaît pas ses témoins, et on ne pourrait le croire à leur sujet : demandez à l'un d'eux son "
        "point de contrôle, et fournissez-le à une vérification."
    ),
    "The whole ledger is read again: every entry, every hash up to the signed root, that time never runs back, "
    "that each outcome follows its intent, and each day's seal.": (
        "Tout le journal est relu : chaque entrée, chaque empreinte jusqu'à la racine signée, la marche du temps, qui "
        "ne recule jamais, chaque issue, qui suit son intention, et le scellement de chaque jour."
    ),
    "The last verification": "La dernière vérification",
    "None yet since this service was started.": "Aucune encore depuis le démarrage de ce service.",
    "{n} % read": "{n} % lu",
    "It holds": "Le journal est intègre",
    "Nothing was altered, lost or reordered in {n} entries.": (
        "Rien n'a été altéré, perdu ni réordonné ({n} {n:entrée|entrées})."
    ),
    "It does not hold": "Le journal n'est pas intègre",
    "{n} faults in all. Keep the files as they are and report it to the access body.": (
        "{n} {n:défaut|défauts} en tout. Laissez les fichiers tels quels et prévenez l'organisme d'accès."
    ),
    "Begun": "Commencée",
    "Seconds": "Secondes",
    "Entries": "Entrées",
    "Without outcome": "Sans issue",
    "Days whose seal holds": "Jours dont le scellement est valide",
    "Witness": "Témoin",
    "{name}: the {n} entries that it saw on {day} are all there": (
        "{name} : {n} {n:entrée vue|entrées vues} le {day}, {n:toujours présente|toutes présentes}"
    ),
    "none was given": "aucun n'a été donné",
    "Root": "Racine",
    "What it holds": "Contenu du journal",
    "Acts by what was done": "Actes par type",
    "Number": "Nombre",
    "Verify now": "Vérifier maintenant",
    "This service reads its own files: who does not trust it verifies elsewhere, from the files that it publishes, "
    "with a program of 150 lines. A key and a witness's checkpoint from another place make this page say more.": (
        "Ce service lit ses propres fichiers : sans se fier à lui, on vérifie ailleurs, à partir des fichiers qu'il "
        "publie, avec un programme de 150 lignes. Une clé et le point de contrôle d'un témoin, obtenus ailleurs, "
        "renforcent ce que dit cette page."
    ),
    "Verifying key that you trust": "Clé de vérification à laquelle vous vous fiez",
    "One line, as in ledger.vkey; without it the enclosure's own key is believed.": (
        "Une ligne, comme dans ledger.vkey ; à défaut, on se fie à la clé de l'enclos."
    ),
    "Checkpoint of a witness": "Point de contrôle d'un témoin",
    "The file checkpoint of a witness; without it nobody can see that the newest entries were taken off.": (
        "Le fichier checkpoint d'un témoin ; sans lui, personne ne peut voir que les dernières entrées ont été "
        "retirées."
    ),
    "Key of that witness": "Clé de ce témoin",
    "The line of its witness.vkey.": "La ligne de son witness.vkey.",
}
