"""What the steward's pages say in French."""

from __future__ import annotations

from enclos.app.pages.acts_words import FRENCH_ACTS

FRENCH_DATA = {
    **FRENCH_ACTS,
    "Data": "Données",
    "Overview": "Vue d'ensemble",
    "Deliveries": "Livraisons",
    "Account of rows": "Compte des lignes",
    "Links": "Appariements",
    "Quality": "Qualité",
    "Snapshots": "Instantanés",
    "Objections": "Oppositions",
    "Delivery {id}": "Livraison {id}",
    "Show": "Afficher",
    "Snapshot": "Instantané",
    # the overview
    "Landing, linking, building and judging are begun on the command line or over REST; these pages show what came "
    "of it.": (
        "Réception, appariement, construction et contrôle de la qualité se lancent en ligne de commande ou par REST ; "
        "ces pages en montrent le résultat."
    ),
    "Going on now": "En cours",
    "Nothing is going on.": "Rien n'est en cours.",
    "Of the last {n} entries of the ledger. What died stays here until the enclosure is opened next.": (
        "Parmi les {n} dernières entrées du journal. Ce qui s'est interrompu reste ici jusqu'à la prochaine ouverture "
        "de l'enclos."
    ),
    "Of the last {n} entries of the ledger.": "Parmi les {n} dernières entrées du journal.",
    "Ended last": "Terminé récemment",
    "work": "travail",
    "since": "depuis",
    "permit": "autorisation",
    "entry": "entrée",
    "ended": "terminé",
    "outcome": "issue",
    "deliveries landed": "livraisons reçues",
    "deliveries not taken": "livraisons refusées",
    "newest snapshot": "dernier instantané",
    "claims complete until": "remboursements complets jusqu'au",
    # deliveries
    "rows delivered": "lignes livrées",
    "rows landed": "lignes reçues",
    "rows rejected": "lignes rejetées",
    "Each is landed whole or not at all: delivered = landed + rejected. A delivery is landed by `enclos ingest`.": (
        "Chacune est reçue en entier ou pas du tout : livré = reçu + rejeté. Une livraison se reçoit par `enclos "
        "ingest`."
    ),
    "Landed": "Reçues",
    "Not taken": "Refusées",
    "source": "source",
    "kind": "nature",
    "received": "reçue le",
    "days": "jours",
    "delivered": "livrées",
    "landed": "reçues",
    "rejected": "rejetées",
    "delivery": "livraison",
    "Nothing was delivered yet.": "Rien n'a encore été livré.",
    "Nothing was refused.": "Aucun refus.",
    "when": "quand",
    "rule": "règle",
    "Table by table": "Table par table",
    "why rejected": "motif du rejet",
    "remarks": "remarques",
    "columns under another name: {names}": "colonnes sous un autre nom : {names}",
    "columns of other years: {names}": "colonnes d'autres années : {names}",
    # the account
    "mapped": "converties",
    "cancelled": "annulées",
    "filtered": "filtrées",
    "It adds up: every delivered row is in one of the four.": (
        "Le compte est juste : chaque ligne livrée relève de l'une des quatre catégories."
    ),
    "It does not add up.": "Le compte n'est pas juste.",
    "What became of every row": "Ce que chaque ligne est devenue",
    "Mapped, cancelled (a reversal took it back), filtered (a named trap of the source), rejected (it lacks what OMOP "
    "needs); in the bars in this order.": (
        "Converties, annulées (une régularisation les reprend), filtrées (un piège connu de la source), rejetées (il "
        "y manque ce qu'OMOP exige) ; dans les barres, dans cet ordre."
    ),
    "why": "pourquoi",
    "{n} % mapped": "{n} % converties",
    "Rows without a standard concept": "Lignes sans concept standard",
    "No code of a source was translated for this snapshot.": (
        "Aucun code d'une source n'a été traduit pour cet instantané."
    ),
    "No check failed.": "Aucun contrôle n'a échoué.",
    "vocabulary": "vocabulaire",
    "rows": "lignes",
    "without": "sans",
    "codes without": "codes sans",
    # links
    "persons of sources": "personnes des sources",
    "patients linked": "patients appariés",
    "conflicts": "conflits",
    "By the direct circuit": "Par le circuit direct",
    "hospital": "hôpital",
    "patients": "patients",
    "linked": "appariés",
    "no answer": "sans réponse",
    "person unknown": "personne inconnue",
    "conflict": "conflit",
    "linked on": "appariés le",
    "{n} % linked": "{n} % appariés",
    "No circuit has run yet: `enclos link`.": "Aucun circuit n'a encore tourné : `enclos link`.",
    "By their stays": "Par les séjours",
    "method": "méthode",
    "patients by outcome": "patients par issue",
    "deterministic": "déterministe",
    "probabilistic": "probabiliste",
    "Who is one person": "Qui est une même personne",
    "persons of the source": "personnes de la source",
    "Together they are {n} persons.": "Ensemble, {n} {n:personne|personnes}.",
    # quality
    "This was not judged yet: `enclos quality`.": "Qualité pas encore contrôlée : `enclos quality`.",
    "Judged on {day} by the checks of CDM {cdm}. A check that nothing was counted for is not applicable; it never "
    "passes.": (
        "Évaluée le {day} selon les contrôles du CDM {cdm}. Un contrôle pour lequel rien n'a été compté est sans "
        "objet ; il n'est jamais réussi."
    ),
    "{n} passed, {m} failed": "{n} {n:réussi|réussis}, {m} en échec",
    # snapshots
    "Nothing was built yet: `enclos build`.": "Rien n'a encore été construit : `enclos build`.",
    "What was built and is kept": "Ce qui a été construit et conservé",
    "snapshot": "instantané",
    "built": "construit le",
    "buckets": "compartiments",
    "Snapshot {n} beside snapshot {m}": "Instantané {n} à côté de l'instantané {m}",
    "Rows of snapshot {n}": "Lignes de l'instantané {n}",
    "Rows by table": "Lignes par table",
    "difference": "différence",
    # objections
    "objections that stand": "oppositions en vigueur",
    "withdrawn": "retirées",
    "persons whom no view shows": "personnes qu'aucune vue ne montre",
    "A change of objections was stopped half-way; the next one ends it. Until then what stood is followed.": (
        "Une modification des oppositions s'est arrêtée à mi-chemin ; la suivante l'achèvera. D'ici là, l'état "
        "antérieur s'applique."
    ),
    "By source": "Par source",
    "standing": "en vigueur",
    "last recorded": "dernier enregistrement",
    "last withdrawn": "dernier retrait",
    "Nobody has objected here.": "Personne ne s'est opposé ici.",
    "Objections come by their circuit and are recorded by `enclos optout`; who objected is not shown. Revision {n} of "
    "the table that queries read.": (
        "Les oppositions arrivent par leur circuit et s'enregistrent par `enclos optout` ; qui s'est opposé n'est pas "
        "montré. Révision {n} de la table que lisent les requêtes."
    ),
}
