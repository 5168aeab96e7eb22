"""Hospital CSV files (docs/hospital-csv.md) in the one shape of hospital records."""

from __future__ import annotations

from dataclasses import dataclass

from enclos.contracts.pseudonymised import PSEUDONYMISED
from enclos.pseudonyms.model import LeftBehind
from enclos.pseudonyms.plans.persons import PATIENTS
from enclos.pseudonyms.plans.shape import in_shape, superseded

VISIT_KEYS = "enclos_visit_keys"
"""(_source, visit, visit_key, and of CSV files _line, start_at, end_at): each hospital visit."""
VISIT_HASHES = "enclos_visit_hashes"
"""(_source, visit, visit_key)."""


@dataclass(frozen=True, slots=True)
class PlainTable:
    """How a delivered table becomes a hospital record table."""

    table: str
    into: str
    columns: tuple[str, ...]
    identity: tuple[str, ...]
    """What makes a row the same in another delivery; empty: all columns."""
    values: str
    """SELECT text over ``r``, the row, and ``v``, its visit's key."""
    stays: str
    """CASE branches: what else keeps a row behind."""
    stay_line: str = "CAST(NULL AS BIGINT)"
    """SELECT text: the landed line of the stay, where the row has its day from there."""


def _no(column: str, reason: LeftBehind) -> str:
    return f" WHEN r.{column} IS NULL THEN '{reason.value}'"


_CLASSES = (
    "CASE r.mode WHEN 'hospitalisation' THEN 'inpatient' WHEN 'ambulatoire' THEN 'outpatient' "
    "WHEN 'urgences' THEN 'emergency' END"
)
_DONE_ON = "coalesce(r.date, CAST(v.start_at AS DATE))"

PLAIN_TABLES: tuple[PlainTable, ...] = (
    PlainTable(
        "PATIENT",
        "h_patient",
        ("patient_id", "sex", "birth_date", "death_date"),
        ("patient_id",),
        "CASE WHEN r.sex IN ('F', 'M') THEN r.sex ELSE 'U' END AS sex, r.birth_date AS birth_on, "
        "r.death_date AS death_on",
        "",
    ),
    PlainTable(
        "SEJOUR",
        "h_visit",
        ("sejour_id", "patient_id", "entree", "sortie", "mode"),
        ("sejour_id",),
        f"v.visit_key, {_CLASSES} AS visit_class, r.entree AS start_at, r.sortie AS end_at",
        _no("entree", LeftBehind.NO_DATE),
    ),
    PlainTable(
        "DIAGNOSTIC",
        "h_condition",
        ("sejour_id", "patient_id", "code_cim10", "rang"),
        (),
        "v.visit_key, 'CIM10' AS vocabulary, r.code_cim10 AS code, r.rang AS rank, "
        "CAST(v.start_at AS DATE) AS start_on, CAST(v.end_at AS DATE) AS end_on",
        _no("code_cim10", LeftBehind.NO_CODE) + f" WHEN v.start_at IS NULL THEN '{LeftBehind.NO_DATE.value}'",
        "v._line",
    ),
    PlainTable(
        "ACTE",
        "h_procedure",
        ("sejour_id", "patient_id", "code_ccam", "date"),
        (),
        f"v.visit_key, 'CCAM' AS vocabulary, r.code_ccam AS code, {_DONE_ON} AS done_on",
        _no("code_ccam", LeftBehind.NO_CODE) + f" WHEN {_DONE_ON} IS NULL THEN '{LeftBehind.NO_DATE.value}'",
        "CASE WHEN r.date IS NULL THEN v._line END",
    ),
    PlainTable(
        "ADMINISTRATION",
        "h_drug",
        ("sejour_id", "patient_id", "code_atc", "debut", "fin", "quantite"),
        (),
        "v.visit_key, 'ATC' AS vocabulary, r.code_atc AS code, 'administration' AS kind, r.debut AS start_at, "
        "r.fin AS end_at, r.quantite AS quantity",
        _no("code_atc", LeftBehind.NO_CODE) + _no("debut", LeftBehind.NO_DATE),
    ),
    PlainTable(
        "BIOLOGIE",
        "h_lab",
        ("sejour_id", "patient_id", "code_loinc", "date_heure", "valeur", "unite_ucum", "borne_inf", "borne_sup"),
        (),
        "v.visit_key, 'LOINC' AS vocabulary, r.code_loinc AS code, r.date_heure AS taken_at, r.valeur AS value, "
        "r.unite_ucum AS unit, 'laboratory' AS category, r.borne_inf AS range_low, r.borne_sup AS range_high",
        _no("code_loinc", LeftBehind.NO_CODE)
        + _no("date_heure", LeftBehind.NO_DATE)
        + _no("valeur", LeftBehind.NO_QUANTITY),
    ),
)


def visits_of(stays: str) -> str:
    """The visits of a hospital, each once: ``visit`` and its times."""
    latest = superseded(stays, ("sejour_id",), unique=True)
    times = "entree AS start_at, sortie AS end_at"
    return f"(SELECT _source, _line, sejour_id AS visit, {times} FROM {latest} WHERE NOT _superseded)"


def plan_visit_keys(visits: str) -> str:
    """Fill VISIT_KEYS from VISIT_HASHES and the visits' times."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {VISIT_KEYS} AS SELECT h.*, v._line, v.start_at, v.end_at "
        f"FROM {VISIT_HASHES} AS h JOIN {visits} AS v ON v._source = h._source AND v.visit = h.visit"
    )


def judged_plain(table: PlainTable, rows: str) -> str:
    """Every row of a table with its person and its visit."""
    latest = superseded(rows, table.identity or table.columns, unique=bool(table.identity))
    visit = "r.sejour_id" if "sejour_id" in table.columns else "NULL"
    return in_shape(
        PSEUDONYMISED[table.into],
        f"SELECT r._source AS source, p.person_id, r._delivery, r._line, {table.stay_line} AS _chained, "
        f"{table.values}, CASE WHEN r._superseded "
        f"THEN '{LeftBehind.SUPERSEDED.value}' WHEN p.person_id IS NULL THEN '{LeftBehind.NO_PERSON.value}'"
        f"{table.stays} END AS _left FROM {latest} AS r "
        f"LEFT JOIN {PATIENTS} AS p ON p._source = r._source AND p.patient = r.patient_id "
        f"LEFT JOIN {VISIT_KEYS} AS v ON v._source = r._source AND v.visit = {visit}",
    )
