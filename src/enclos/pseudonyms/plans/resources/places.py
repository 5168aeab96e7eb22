"""Professionals and places: who may be referred to, by which mark, and what crosses of them.

A mark is anything a reference may end with: the resource's id, or the value of one of its identifiers. No name, no
identifier and no street crosses: a practice often bears a professional's name.
"""

from __future__ import annotations

from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.resources.fields import coding, reference, text
from enclos.pseudonyms.plans.shape import superseded

PRACTITIONERS = "enclos_practitioners"
"""(_source, practitioner, provider_key)."""
PLACE_KEYS = "enclos_place_keys"
"""(_source, place, place_key)."""
PROVIDER_MARKS = "enclos_provider_marks"
"""(_source, mark, provider_key): roles' marks lead to their practitioner."""
PLACE_MARKS = "enclos_place_marks"
"""(_source, mark, place_key)."""
ROLES = "enclos_roles"
"""(_source, provider_key, vocabulary, speciality, place_key): a practitioner's first role."""


def practitioners_of(practitioners: str) -> str:
    """The professionals of a hospital."""
    return f"(SELECT _source, {text('$.id')} AS practitioner FROM {practitioners})"


def places_of(organizations: str, locations: str) -> str:
    """The places of a hospital; an organisation and a location never share an id by meaning."""
    return (
        f"(SELECT _source, 'Organization/' || {text('$.id')} AS place FROM {organizations} "
        f"UNION ALL SELECT _source, 'Location/' || {text('$.id')} FROM {locations})"
    )


def _marks(rows: str, prefix: str = "") -> str:
    """(_source, mark, id) of a resource type."""
    listed = "json_extract_string(resource, '$.identifier[*].value')"
    return (
        f"SELECT _source, unnest(list_append({listed}, {text('$.id')})) AS mark, '{prefix}' || {text('$.id')} AS id "
        f"FROM {rows}"
    )


def plan_place_marks(organizations: str, locations: str) -> str:
    """Fill PLACE_MARKS; a mark that is both an organisation's and a location's is the organisation's."""
    union = f"{_marks(organizations, 'Organization/')} UNION ALL {_marks(locations, 'Location/')}"
    return (
        f"CREATE OR REPLACE TEMP TABLE {PLACE_MARKS} AS SELECT m._source, m.mark, "
        f"arg_max(k.place_key, (k.place, k.place_key)) AS place_key FROM ({union}) AS m JOIN {PLACE_KEYS} AS k "
        "ON k._source = m._source AND k.place = m.id WHERE m.mark IS NOT NULL GROUP BY m._source, m.mark"
    )


def plan_provider_marks(practitioners: str, roles: str) -> str:
    """Fill PROVIDER_MARKS."""
    own = (
        f"SELECT m._source, m.mark, k.provider_key FROM ({_marks(practitioners)}) AS m JOIN {PRACTITIONERS} AS k "
        "ON k._source = m._source AND k.practitioner = m.id"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {PROVIDER_MARKS} AS WITH own AS ({own}), "
        f"role AS (SELECT DISTINCT _source, {text('$.id')} AS id, {reference('$.practitioner')} AS whose FROM {roles}) "
        "SELECT _source, mark, min(provider_key) AS provider_key FROM (FROM own UNION ALL "
        "SELECT r._source, r.id, o.provider_key FROM role AS r JOIN own AS o ON o._source = r._source "
        "AND o.mark = r.whose) WHERE mark IS NOT NULL GROUP BY _source, mark"
    )


def _told_roles(roles: str) -> str:
    """Every row of PractitionerRole with its practitioner; ``nth`` 1 is the role that speaks for him."""
    latest = superseded(roles, ("id",), unique=True)
    speciality = text("$.specialty[0].coding[0].code")
    return (
        "SELECT *, row_number() OVER (PARTITION BY _superseded, provider_key ORDER BY speciality NULLS LAST, id) "
        f"AS nth FROM (SELECT r._source, r.id, r._superseded, p.provider_key, {coding('$.specialty[0]')} AS known, "
        f"{speciality} AS speciality, {reference('$.location[0]')} AS ward, {reference('$.organization')} AS house "
        f"FROM {latest} AS r LEFT JOIN {PROVIDER_MARKS} AS p ON p._source = r._source "
        f"AND p.mark = {reference('$.practitioner')})"
    )


def plan_roles(roles: str) -> str:
    """Fill ROLES."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {ROLES} AS SELECT r._source, r.provider_key, r.known.vocabulary AS vocabulary, "
        "coalesce(r.known.code, r.speciality) AS speciality, coalesce(w.place_key, h.place_key) AS place_key "
        f"FROM ({_told_roles(roles)}) AS r "
        f"LEFT JOIN {PLACE_MARKS} AS w ON w._source = r._source AND w.mark = r.ward "
        f"LEFT JOIN {PLACE_MARKS} AS h ON h._source = r._source AND h.mark = r.house "
        "WHERE NOT r._superseded AND r.provider_key IS NOT NULL AND r.nth = 1"
    )


def plan_joined_roles(roles: str) -> str:
    """How many roles speak for a practitioner, by reason where they do not."""
    return (
        "SELECT count(*) FILTER (WHERE why IS NULL), count(*) FILTER (WHERE why = 'superseded'), "
        "count(*) FILTER (WHERE why = 'stranger'), count(*) FILTER (WHERE why = 'second') FROM ("
        "SELECT CASE WHEN _superseded THEN 'superseded' WHEN provider_key IS NULL THEN 'stranger' "
        f"WHEN nth > 1 THEN 'second' END AS why FROM ({_told_roles(roles)}))"
    )


def judged_practitioners(rows: str) -> str:
    """Every professional with speciality and place."""
    latest = superseded(rows, ("id",), unique=True)
    return (
        "SELECT r._source AS source, k.provider_key, o.vocabulary, o.speciality, o.place_key, "
        f"CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' END AS _left FROM {latest} AS r "
        f"JOIN {PRACTITIONERS} AS k ON k._source = r._source AND k.practitioner = {text('$.id', 'r.resource')} "
        f"LEFT JOIN {ROLES} AS o ON o._source = k._source AND o.provider_key = k.provider_key"
    )


def judged_places(resource: str, rows: str) -> str:
    """Every organisation or location: what it is and in which department or state it lies."""
    latest = superseded(rows, ("id",), unique=True)
    address = "$.address" if resource == "Location" else "$.address[0]"
    kind = text("$.physicalType.coding[0].code" if resource == "Location" else "$.type[0].coding[0].code")
    return (
        f"SELECT r._source AS source, k.place_key, {kind} AS kind, {text(f'{address}.postalCode')} AS zip, "
        f"{text(f'{address}.state')} AS state, {text(f'{address}.country')} AS country, "
        f"CASE WHEN r._superseded THEN '{LeftBehind.SUPERSEDED.value}' END AS _left FROM {latest} AS r "
        f"JOIN {PLACE_KEYS} AS k ON k._source = r._source AND k.place = '{resource}/' || {text('$.id')}"
    )
