"""Every resource of a type with its person, its visit, who and where, and why it stays behind if it does."""

from __future__ import annotations

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import PATIENTS
from enclos.pseudonyms.plans.plain import VISIT_KEYS
from enclos.pseudonyms.plans.resources.claims import OWN_VISIT
from enclos.pseudonyms.plans.resources.fields import coding, reference, text
from enclos.pseudonyms.plans.resources.places import PLACE_MARKS, PROVIDER_MARKS
from enclos.pseudonyms.plans.resources.tables import (
    NOT_FINAL,
    OBSERVATION_CATEGORY,
    OBSERVED_AT,
    PERFORMER,
    RESULT_LEAVES,
    RESULT_VALUES,
    ResourceTable,
    result_fields,
)
from enclos.pseudonyms.plans.shape import in_shape, superseded

RANKS = "enclos_ranks"
"""(_source, condition, rank): what encounters say of their diagnoses."""
CODES_OF = {"Medication": "enclos_medications", "Device": "enclos_devices"}
"""(_source, mark, vocabulary, code): codes of resources that others refer to, by id or identifier."""
_RANKS = {"DP": "DP", "AD": "DP", "DD": "DP", "DR": "DR", "DAS": "DAS", "DA": "DAS", "CC": "DAS", "CM": "DAS"}
"""What an encounter calls a diagnosis → its rank in the PMSI's words."""


def visits_of(encounters: str, claims: str) -> str:
    """The visits of a hospital, each once; what a claim's own visit is known by is claims.OWN_VISIT."""
    return (
        f"(SELECT _source, {text('$.id')} AS visit FROM {encounters} UNION SELECT _source, {OWN_VISIT} FROM {claims})"
    )


def plan_ranks(encounters: str) -> str:
    """Fill RANKS from Encounter.diagnosis: DP, DR, DAS; the admission or discharge diagnosis is DP, others DAS."""
    shape = '[{"condition":{"reference":"VARCHAR"},"use":{"coding":[{"code":"VARCHAR"}],"text":"VARCHAR"}}]'
    ranks = " ".join(f"WHEN '{word}' THEN '{rank}'" for word, rank in _RANKS.items())
    return (
        f"CREATE OR REPLACE TEMP TABLE {RANKS} AS SELECT _source, condition, min(rank) AS rank FROM ("
        "SELECT _source, nullif(regexp_extract(d.condition.reference, '([^/:]+)$', 1), '') AS condition, "
        f"CASE coalesce(d.use.coding[1].code, d.use.text) {ranks} END AS rank FROM ("
        f"SELECT _source, unnest(from_json(json_extract(resource, '$.diagnosis'), '{shape}')) AS d FROM {encounters})) "
        "WHERE condition IS NOT NULL AND rank IS NOT NULL GROUP BY _source, condition"
    )


def plan_codes_of(resource: str, rows: str) -> str:
    """Fill the codes of Medication or Device resources."""
    path = "$.code" if resource == "Medication" else "$.type"
    marks = f"list_append(json_extract_string(resource, '$.identifier[*].value'), {text('$.id')})"
    return (
        f"CREATE OR REPLACE TEMP TABLE {CODES_OF[resource]} AS SELECT _source, mark, min(coding.vocabulary) "
        f"AS vocabulary, min(coding.code) AS code FROM (SELECT _source, unnest({marks}) AS mark, "
        f"{coding(path)} AS coding FROM {rows}) WHERE coding IS NOT NULL AND mark IS NOT NULL GROUP BY _source, mark"
    )


_PERSON = f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = r.patient"
_VISIT = f"LEFT JOIN {VISIT_KEYS} AS v ON v._source = r._source AND v.visit = r.visit"
_PROVIDER = f"LEFT JOIN {PROVIDER_MARKS} AS q ON q._source = r._source AND q.mark = r.provider"


def judged_resource(table: ResourceTable, rows: str) -> str:
    """Every resource of a type with its person and its visit."""
    latest = superseded(rows, ("id",), unique=True)
    names = PSEUDONYMISED[table.into].names
    more = [table.fields]
    values = [f"r._source AS source, p.person_id, r._delivery, r._line, {table.values}"]
    joins = [_PERSON, _VISIT]
    if "visit_key" in names:
        values.append("v.visit_key")
    if "provider_key" in names:
        more.append(f"{table.provider} AS provider")
        values.append("q.provider_key")
        joins.append(_PROVIDER)
    if table.place:
        more += [f"{mark} AS place_{n}" for n, mark in enumerate(table.place)]
        joins += [
            f"LEFT JOIN {PLACE_MARKS} AS w{n} ON w{n}._source = r._source AND w{n}.mark = r.place_{n}"
            for n in range(len(table.place))
        ]
        values.append(f"coalesce({', '.join(f'w{n}.place_key' for n in range(len(table.place)))}) AS place_key")
    if "m.code" in table.code:
        joins.append(f"LEFT JOIN {CODES_OF['Medication']} AS m ON m._source = r._source AND m.mark = r.medication")
    if "d.code" in table.code:
        joins.append(f"LEFT JOIN {CODES_OF['Device']} AS d ON d._source = r._source AND d.mark = r.device")
    if table.into == "h_condition":
        joins.append(f"LEFT JOIN {RANKS} AS k ON k._source = r._source AND k.condition = r.id")
    fields = (
        f"SELECT _source, _delivery, _line, id, _superseded, {table.patient} AS patient, {table.visit} AS visit, "
        f"{table.not_done} AS not_done, {', '.join(more)} FROM {latest}"
    )
    left = [_when("r._superseded", LeftBehind.SUPERSEDED), *_person_and_done()]
    if table.code:
        left.append(_when(f"{table.code} IS NULL", LeftBehind.NO_CODE))
    if table.dated:
        left.append(_when(f"r.{table.dated} IS NULL", LeftBehind.NO_DATE))
    left += [_when(condition, reason) for condition, reason in table.leaves]
    return in_shape(
        PSEUDONYMISED[table.into],
        f"SELECT {', '.join(values)}, CASE {' '.join(left)} END AS _left FROM ({fields}) AS r {' '.join(joins)}",
    )


def judged_components(rows: str) -> str:
    """Every component of every Observation, as a result of its own: systolic and diastolic pressure."""
    latest = superseded(rows, ("id",), unique=True)
    fields = (
        f"SELECT _source, _delivery, _line, _superseded, patient, visit, not_done, taken_at, category, provider, "
        f"{coding('$.code', 'part')} AS coding, {result_fields('part')} FROM ("
        f"SELECT _source, _delivery, _line, _superseded, {reference('$.subject')} AS patient, "
        f"{reference('$.encounter')} AS visit, "
        f"{NOT_FINAL} AS not_done, {OBSERVED_AT} AS taken_at, {OBSERVATION_CATEGORY} AS category, "
        f"{PERFORMER} AS provider, unnest(TRY_CAST(json_extract(resource, '$.component') AS JSON[])) AS part "
        f"FROM {latest})"
    )
    left = [
        _when("r._superseded", LeftBehind.SUPERSEDED),
        *_person_and_done(),
        _when("r.coding IS NULL", LeftBehind.NO_CODE),
        _when("r.taken_at IS NULL", LeftBehind.NO_DATE),
        *(_when(condition, reason) for condition, reason in RESULT_LEAVES),
    ]
    return in_shape(
        PSEUDONYMISED["h_lab"],
        "SELECT r._source AS source, p.person_id, r._delivery, r._line, v.visit_key, "
        f"r.coding.vocabulary AS vocabulary, r.coding.code AS code, r.category, r.taken_at, "
        f"{RESULT_VALUES}, q.provider_key, CASE {' '.join(left)} END "
        f"AS _left FROM ({fields}) AS r {_PERSON} {_VISIT} {_PROVIDER}",
    )


def _when(condition: str, reason: LeftBehind) -> str:
    return f"WHEN {condition} THEN '{reason.value}'"


def _person_and_done() -> list[str]:
    return [_when("p.person_id IS NULL", LeftBehind.NO_PERSON), _when("r.not_done", LeftBehind.NOT_DONE)]
