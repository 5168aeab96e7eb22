"""Why rows and patients are left out, as reports name it by a code, in French."""

from __future__ import annotations

from enclos.app.pages.words import Language

FRENCH_ROW_REASONS = {
    # lines that were not landed
    "encoding": "encodage invalide",
    "field_count": "nombre de champs inattendu",
    "json": "JSON invalide",
    "missing_key": "clé absente",
    "quoting": "guillemets mal fermés",
    "resource": "autre type de ressource",
    "too_long": "ligne trop longue",
    "value": "valeur non conforme",
    # landed lines that are not in the snapshot
    "cash_benefit": "prestation en espèces",
    "complement": "complément",
    "death_known": "décès déjà connu",
    "described_anew": "décrit à nouveau",
    "doubled_finess": "FINESS géographique en doublon",
    "eras_rebuilt": "ère recalculée",
    "feeds_a_rule": "sert à une règle",
    "generated": "séjour généré",
    "handed_over": "rétrocession hospitalière",
    "information_line": "ligne pour information",
    "initial_cause": "cause initiale répétée",
    "inter_hospital": "prestation inter-établissements",
    "later_phase": "phase ultérieure d'un acte",
    "majoration": "majoration",
    "no_amount": "séjour sans valorisation",
    "no_birth_year": "sans année de naissance",
    "no_code": "sans code",
    "no_date": "sans date",
    "no_nature": "sans nature de prestation",
    "no_order": "prescription sans ordre",
    "no_person": "personne inconnue",
    "no_row": "ligne citée non livrée",
    "no_stay": "séjour non livré",
    "private_stay": "séjour privé, présent au PMSI",
    "public_hospital": "hôpital public, présent au PMSI",
    "repeated_key": "clé répétée",
    "return_code": "code retour en erreur",
    "same_row": "ligne identique",
    "ungroupable": "GHM en erreur",
    "within_rights": "période donnée par les droits",
    # patients by what their stays told
    "group_1": "groupe 1",
    "group_2": "groupe 2",
    "linked": "appariés",
    "multiple": "plusieurs candidats",
    "none": "aucun candidat",
}


def row_reason(code: str, language: Language) -> str:
    """What a reason is called on a page; one without French as its code reads."""
    plain = code.replace("_", " ")
    return FRENCH_ROW_REASONS.get(code, plain) if language is Language.FR else plain
