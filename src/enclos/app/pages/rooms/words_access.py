"""What the access body's pages say in French."""

from __future__ import annotations

from enclos.app.pages.acts_words import FRENCH_ACTS
from enclos.app.pages.review_words import DETECTORS, FRENCH_REVIEW
from enclos.app.pages.rooms.words_applications import FRENCH_APPLICATIONS

_DETECTED = {text: FRENCH_REVIEW[text] for text in DETECTORS.values()}
_OF_REVIEWS = (
    "findings", "uses of data", "denials", "rows of results", "exports", "To look at", "No detector found anything.",
    "from", "to", "number", "Denials", "Privileged operations", "operation", "outcome", "The ledger in {month}", "acts",
)  # fmt: skip

FRENCH_ACCESS = {
    **FRENCH_APPLICATIONS,
    **FRENCH_ACTS,
    **_DETECTED,
    **{text: FRENCH_REVIEW[text] for text in _OF_REVIEWS},
    "Access": "Accès",
    "Overview": "Vue d'ensemble",
    "Permits": "Autorisations",
    "Calendar": "Calendrier",
    "Reviews": "Revues",
    "Permit {permit}": "Autorisation {permit}",
    "Amend {permit}": "Modifier {permit}",
    "Renew {permit}": "Renouveler {permit}",
    "Revoke {permit}": "Révoquer {permit}",
    # the overview
    "applications to decide": "demandes à traiter",
    "permits in force": "autorisations en vigueur",
    "days due within 90 days": "échéances sous 90 jours",
    "deletions that are late": "suppressions en retard",
    "Applications to decide": "Demandes à traiter",
    "All applications": "Toutes les demandes",
    "asked for on": "déposée le",
    "Nothing waits for a decision.": "Rien n'attend de décision.",
    "What falls due": "Échéances",
    "The whole calendar": "Tout le calendrier",
    "Nothing falls due within 90 days.": "Aucune échéance sous 90 jours.",
    # states and days
    "amended": "modifiée",
    "renewed": "renouvelée",
    "expired": "expirée",
    "day": "jour",
    "left": "délai",
    "done": "fait",
    "its day has passed": "jour passé",
    "to decide now": "à décider maintenant",
    "today": "aujourd'hui",
    "To do now": "À faire maintenant",
    "To come": "À venir",
    "Months that are over, the latest first": "Mois écoulés, le plus récent d'abord",
    "{n} days late": "{n} {n:jour|jours} de retard",
    "in {n} days": "dans {n} {n:jour|jours}",
    "reminder: is it to be renewed?": "rappel : faut-il la renouveler ?",
    "end": "fin",
    "revoked": "révoquée",
    "last day to delete what was kept": "dernier jour pour supprimer ce qui a été conservé",
    "last day to publish results": "dernier jour pour publier les résultats",
    # permits
    "No permit was granted yet.": "Aucune autorisation n'a encore été accordée.",
    "state": "état",
    "users": "utilisateurs",
    "until": "jusqu'au",
    "version": "version",
    "version {n}": "version {n}",
    "It was opened on snapshot {n}: {persons} persons.": (
        "Ouverte sur l'instantané {n} : {persons} {persons:personne|personnes}."
    ),
    "Amend": "Modifier",
    "Renew": "Renouveler",
    "Revoke": "Révoquer",
    "Open it on the newest snapshot": "L'ouvrir sur le dernier instantané",
    "Users work under a permit once it is opened. No health row is copied. Open it again after an amendment of persons "
    "or days, and after a build that shall count.": (
        "Les utilisateurs peuvent s'en servir une fois qu'elle est ouverte. Aucune donnée de santé n'est copiée. "
        "Rouvrez-la après une modification des personnes ou des jours, et après la construction d'un instantané à "
        "prendre en compte."
    ),
    "Open": "Ouvrir",
    "Versions": "Versions",
    "reason": "motif",
    "digest": "empreinte",
    "An amendment may change users, purpose and data. Legal basis and validity stay; who prolongs renews, who ends "
    "revokes.": (
        "Une modification peut changer les utilisateurs, la finalité et les données. La base légale et la durée de "
        "validité ne changent pas : pour prolonger, renouvelez ; pour mettre fin, révoquez."
    ),
    "Reason, which stays with the version": "Motif, conservé avec la version",
    "Say why: the reason stays with the version.": "Indiquez le motif : il est conservé avec la version.",
    "Sign the amendment": "Signer la modification",
    "It ends on {day}. Its legal basis allows {n} renewals of at most {years} years [{source}].": (
        "Elle se termine le {day}. Sa base légale permet {n} {n:renouvellement|renouvellements} de {years} "
        "{years:an|ans} au plus [{source}]."
    ),
    "It was renewed as often as that: what goes on needs a new permit.": (
        "Ces renouvellements ont tous eu lieu : pour continuer, il faut une nouvelle autorisation."
    ),
    "New end": "Nouvelle fin",
    "Sign the renewal": "Signer le renouvellement",
    "A revocation is for ever and takes effect at once.": "Une révocation est définitive et prend effet aussitôt.",
    "Running work of its users ({n}) stops; their next query, study or export is refused.": (
        "Les travaux en cours de ses utilisateurs ({n}) s'arrêtent ; toute nouvelle requête, étude ou sortie leur est "
        "refusée."
    ),
    "Saved cohorts go now. What else was kept is deleted within six months, by {day} [EHDS Art. 68(12)].": (
        "Les cohortes enregistrées sont supprimées immédiatement. Le reste de ce qui a été conservé l'est sous six "
        "mois, avant le {day} [règlement EEDS, art. 68(12)]."
    ),
    "What was released stays public, and the register says that the permit was revoked.": (
        "Ce qui est sorti reste public, et le registre public indique que l'autorisation a été révoquée."
    ),
    "Write the permit's id: {id}": "Écrivez l'identifiant de l'autorisation : {id}",
    "This is not its id.": "Ce n'est pas cet identifiant.",
    "Revoke for ever": "Révoquer définitivement",
    "Leave it as it is": "La laisser telle quelle",
    # calendar
    "Month by month": "Mois par mois",
    "Permits in time": "Les autorisations dans le temps",
    "Full: in force. Hatched: six months in which what was kept under it is deleted [EHDS Art. 68(12)]. The line is "
    "today.": (
        "Plein : en vigueur. Hachuré : les six mois où ce qui a été conservé est supprimé [règlement EEDS, art. "
        "68(12)]. Le trait marque aujourd'hui."
    ),
    "ends": "finit",
    "deleted by": "supprimé avant",
    "{n} more permits are in the list below.": (
        "{n} {n:autre autorisation figure|autres autorisations figurent} dans la liste ci-dessous."
    ),
    # reviews
    "Each review reads the whole ledger, proves it, and is noted in it.": (
        "Chaque revue lit tout le journal, en vérifie les preuves, et y est inscrite."
    ),
    "A month of the ledger": "Un mois du journal",
    "Month": "Mois",
    "Review the month": "Passer le mois en revue",
    "Access in a year": "Les accès d'une année",
    "Year": "Année",
    "Review the year": "Passer l'année en revue",
    "Use of permits": "Utilisation des autorisations",
    "Nobody used data.": "Aucune donnée n'a été utilisée.",
    "rule": "règle",
    "Nobody was refused.": "Aucun refus.",
    "Access in {year}": "Les accès en {year}",
    "To do": "À faire",
    "Nothing is to be done.": "Il n'y a rien à faire.",
    "Users of {permit}": "Utilisateurs de {permit}",
    "role": "rôle",
    "refusals": "refus",
    "has access": "a accès",
    "listed until": "inscrit jusqu'au",
    "last use": "dernière utilisation",
    "uses": "utilisations",
    "yes": "oui",
    "no": "non",
    "investigator": "investigateur",
    "researcher": "chercheur",
    "data-manager": "gestionnaire de données",
}
