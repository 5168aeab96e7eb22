"""How the resources of a FHIR delivery cross."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from enclos.pseudonyms.model import CrossedTable, LeftBehind
from enclos.pseudonyms.plans import persons, plain
from enclos.pseudonyms.plans.resources import claims, judging, places
from enclos.pseudonyms.plans.resources.tables import RESOURCE_TABLES
from enclos.pseudonyms.steps.tables import OpenUnit, balanced, never_crosses, not_mapped

_REFERRED = (
    "Encounter",
    "Claim",
    "Medication",
    "Device",
    "Organization",
    "Location",
    "Practitioner",
    "PractitionerRole",
)
"""Resources that others refer to."""
_MAPPED = {table.resource: table for table in RESOURCE_TABLES}


def cross_resources(unit: OpenUnit) -> list[CrossedTable]:
    """A hospital's FHIR resources; types that no table takes are counted."""
    unit.engine.execute(persons.plan_patients(unit.unit.source))
    at = {name: unit.rows(name, ("id", "resource")) for name in (*unit.n_landed, *_REFERRED)}
    _hold_places_and_professionals(unit, at)
    visits = judging.visits_of(at["Encounter"], at["Claim"])
    unit.hold_keys(plain.VISIT_KEYS, visits, ("_source", "visit"), "visit", "visit_key")
    unit.engine.execute(judging.plan_ranks(at["Encounter"]))
    for family in judging.CODES_OF:
        unit.engine.execute(judging.plan_codes_of(family, at[family]))
    return [account for family in unit.n_landed for account in _cross_type(unit, family, at[family])]


def _cross_type(unit: OpenUnit, family: str, rows: str) -> list[CrossedTable]:
    if family in _MAPPED:
        found = [unit.cross(family, _MAPPED[family].into, judging.judged_resource(_MAPPED[family], rows))]
        if family == "Observation":
            found.append(unit.cross_parts("Observation.component", "h_lab", judging.judged_components(rows)))
        return found
    other = _OTHERS.get(family)
    return [not_mapped(unit, family)] if other is None else other(unit, rows)


def _claims(unit: OpenUnit, rows: str) -> list[CrossedTable]:
    return [
        unit.cross("Claim", "h_visit", claims.judged_claims(rows)),
        unit.cross_parts("Claim.diagnosis", "h_condition", claims.judged_claim_diagnoses(rows)),
        unit.cross_parts("Claim.procedure", "h_procedure", claims.judged_claim_acts(rows)),
    ]


def _medications(unit: OpenUnit, _rows: str) -> list[CrossedTable]:
    return [never_crosses(unit, "Medication", LeftBehind.LOOKED_UP)]


def _hold_places_and_professionals(unit: OpenUnit, at: Mapping[str, str]) -> None:
    organizations, locations = at["Organization"], at["Location"]
    practitioners, roles = at["Practitioner"], at["PractitionerRole"]
    rows = places.places_of(organizations, locations)
    unit.hold_keys(places.PLACE_KEYS, rows, ("_source", "place"), "place", "place_key")
    rows = places.practitioners_of(practitioners)
    unit.hold_keys(places.PRACTITIONERS, rows, ("_source", "practitioner"), "practitioner", "provider_key")
    unit.engine.execute(places.plan_place_marks(organizations, locations))
    unit.engine.execute(places.plan_provider_marks(practitioners, roles))
    unit.engine.execute(places.plan_roles(roles))


def _roles(unit: OpenUnit, roles: str) -> list[CrossedTable]:
    n_joined, *others = (int(n) for n in unit.engine.rows(places.plan_joined_roles(roles))[0])
    reasons = (LeftBehind.SUPERSEDED, LeftBehind.NO_PROVIDER, LeftBehind.DUPLICATE_KEY)
    left = {reason.value: n for reason, n in zip(reasons, others, strict=True) if n}
    family = "PractitionerRole"
    return [balanced(CrossedTable(unit.unit.source, family, "h_provider", unit.n_landed[family], n_joined, left))]


_OTHERS: dict[str, Callable[[OpenUnit, str], list[CrossedTable]]] = {
    "Claim": _claims,
    "Organization": lambda unit, rows: [
        unit.cross("Organization", "h_place", places.judged_places("Organization", rows))
    ],
    "Location": lambda unit, rows: [unit.cross("Location", "h_place", places.judged_places("Location", rows))],
    "Practitioner": lambda unit, rows: [unit.cross("Practitioner", "h_provider", places.judged_practitioners(rows))],
    "PractitionerRole": _roles,
    "Medication": _medications,
}
"""Resource types that are more than one table of records."""
