"""Stays of hospitals and of the PMSI in one shape, so that they can be compared.

The names of intermediate tables are the steps of the reasoning, in order: told stays (as each side wrote them), codes
(each with the number that stands for it), then the comparison tables. Of these the told stays and the codes hold health
values; they are dropped as soon as the comparison tables, which hold numbers, are made.
"""

from __future__ import annotations

from enclos.linkage.plans.direct import SNDS_PERSONS

KNOWN = "enclos_known_pseudonyms"
"""(source, psa, rank, person, person_key, birth_month): SNDS pseudonyms that are somebody's."""
TOLD_HOSPITAL = "enclos_told_hospital"
TOLD_NATIONAL = "enclos_told_national"
BLINDED_CODES = "enclos_blinded_codes"
"""(code, blind): the keyed number of each diagnosis and act."""
PATIENT_NUMBERS = "enclos_patient_numbers"
"""(patient_no, source, patient)."""
PERSON_NUMBERS = "enclos_person_numbers"
"""(person_no, source, person, person_key)."""
HOSPITAL_STAYS = "enclos_hospital_stays"
NATIONAL_STAYS = "enclos_national_stays"
"""Comparison tables: unique_id, owner (a patient or a person), finess, entry_on, exit_on, sex, birth_month,
principal, codes, acts, acts_key."""
COMPARED: tuple[str, ...] = (
    "unique_id",
    "finess",
    "entry_on",
    "exit_on",
    "sex",
    "birth_month",
    "principal",
    "codes",
    "acts",
    "acts_key",
)
"""What a scorer is given of a comparison table: no owner; principal, codes, acts and acts_key are keyed numbers."""

_YEAR = "substr(_table, 6, 2)"
_CODE = "upper(replace(replace(trim({}), '.', ''), ' ', ''))"
_IS_CIM10, _IS_CCAM = "^[A-Z][0-9]{2}", "^[A-Z]{4}[0-9]{3}"
_IS_FINESS = "^[0-9][0-9AB][0-9]{7}$"
_FICTITIOUS = "[xX]{16}[xXdDsS]"
_LAST_OF_REFERENCE = "regexp_extract({}, '([^/]+)$', 1)"


def _latest(rows: str, key: str) -> str:
    order = "_delivery DESC, _line DESC"
    return f"(SELECT * FROM {rows} QUALIFY row_number() OVER (PARTITION BY _source, {key} ORDER BY {order}) = 1)"


def _month_number(year: str, month: str) -> str:
    """Months since year 0, so that neighbours differ by one."""
    return f"(CAST({year} AS INTEGER) * 12 + CAST({month} AS INTEGER) - 1)"


def _of_date(day: str) -> str:
    return _month_number(f"year({day})", f"month({day})")


def told_by_fhir(patients: str, encounters: str, conditions: str, procedures: str, organizations: str) -> str:
    """SELECT text: stays of hospitals that send FHIR; consultations and emergencies without a stay are left out."""

    def text(path: str, row: str = "resource") -> str:
        return f"json_extract_string({row}, '{path}')"

    def last(path: str, row: str = "resource") -> str:
        return _LAST_OF_REFERENCE.format(text(path, row))

    def code(rule: str) -> str:
        each = _CODE.format("c")
        codes = f"list_transform({text('$.code.coding[*].code')}, c -> {each})"
        return f"list_filter({codes}, c -> regexp_matches(c, '{rule}'))[1]"

    born = text("$.birthDate")
    visits = (
        f"SELECT _source, id AS stay, resource, {last('$.subject.reference')} AS patient, "
        f"TRY_CAST(left({text('$.period.start')}, 10) AS DATE) AS entry_on, "
        f"TRY_CAST(left({text('$.period.end')}, 10) AS DATE) AS exit_on, "
        f"{last('$.serviceProvider.reference')} AS house FROM {_latest(encounters, 'id')} "
        f"WHERE {text('$.class.code')} IN ('IMP', 'ACUTE', 'NONAC', 'AMB', 'SS')"
    )
    people = (
        f"SELECT _source, id AS patient, CASE {text('$.gender')} WHEN 'male' THEN 1 WHEN 'female' THEN 2 END AS sex, "
        f"CASE WHEN regexp_matches({born}, '^[0-9]{{4}}-(0[1-9]|1[0-2])') THEN "
        f"{_month_number(f'left({born}, 4)', f'substr({born}, 6, 2)')} END AS birth_month "
        f"FROM {_latest(patients, 'id')}"
    )
    houses = (
        "SELECT _source, id AS house, list_filter(json_extract_string(resource, '$.identifier[*].value'), "
        f"v -> regexp_matches(v, '{_IS_FINESS}'))[1] AS finess FROM {_latest(organizations, 'id')}"
    )
    told = (
        "SELECT _source, stay, _each, json_extract_string(_each, '$.use.text') AS used, "
        f"{_LAST_OF_REFERENCE.format(text('$.condition.reference', '_each'))} AS condition, "
        f"TRY_CAST({text('$.rank', '_each')} AS INTEGER) AS place "
        "FROM (SELECT _source, stay, unnest(json_extract(resource, '$.diagnosis[*]')) AS _each FROM visits)"
    )
    return (
        f"WITH visits AS MATERIALIZED ({visits}), people AS ({people}), houses AS ({houses}), "
        f"found AS MATERIALIZED (SELECT _source, id, {last('$.encounter.reference')} AS stay, "
        f"{code(_IS_CIM10)} AS code FROM {_latest(conditions, 'id')}), told AS ({told}), "
        "principal AS (SELECT t._source, t.stay, arg_min(f.code, (t.used IS DISTINCT FROM 'DP', t.place)) AS code "
        "FROM told AS t JOIN found AS f ON f._source = t._source AND f.id = t.condition GROUP BY ALL), "
        "diagnoses AS (SELECT _source, stay, list(DISTINCT code) FILTER (WHERE code IS NOT NULL) AS codes FROM found "
        "GROUP BY ALL), "
        f"acts AS (SELECT _source, stay, list(DISTINCT left(code, 7)) FILTER (WHERE code IS NOT NULL) AS codes FROM "
        f"(SELECT _source, {last('$.encounter.reference')} AS stay, {code(_IS_CCAM)} AS code "
        f"FROM {_latest(procedures, 'id')}) GROUP BY ALL) "
        "SELECT v._source AS source, v.patient, v.stay, h.finess, v.entry_on, v.exit_on, p.sex, p.birth_month, "
        "c.code AS principal, d.codes, a.codes AS acts FROM visits AS v "
        "LEFT JOIN people AS p ON p._source = v._source AND p.patient = v.patient "
        "LEFT JOIN houses AS h ON h._source = v._source AND h.house = v.house "
        "LEFT JOIN principal AS c ON c._source = v._source AND c.stay = v.stay "
        "LEFT JOIN diagnoses AS d ON d._source = v._source AND d.stay = v.stay "
        "LEFT JOIN acts AS a ON a._source = v._source AND a.stay = v.stay"
    )


def told_by_omop(persons: str, visits: str, conditions: str, procedures: str, care_sites: str) -> str:
    """SELECT text: stays of hospitals that send OMOP."""
    diagnosis, act = _CODE.format("condition_source_value"), _CODE.format("procedure_source_value")
    principal = (
        "(condition_status_source_value IS DISTINCT FROM 'DP', condition_status_concept_id IS DISTINCT FROM 32902)"
    )
    return (
        "WITH found AS (SELECT _source, visit_occurrence_id AS stay, "
        f"arg_min({diagnosis}, {principal}) AS principal, list(DISTINCT {diagnosis}) AS codes "
        f"FROM {_latest(conditions, 'condition_occurrence_id')} WHERE condition_source_value IS NOT NULL "
        "GROUP BY ALL), "
        f"done AS (SELECT _source, visit_occurrence_id AS stay, list(DISTINCT left({act}, 7)) AS codes "
        f"FROM {_latest(procedures, 'procedure_occurrence_id')} WHERE procedure_source_value IS NOT NULL GROUP BY ALL) "
        "SELECT v._source AS source, CAST(v.person_id AS VARCHAR) AS patient, "
        "CAST(v.visit_occurrence_id AS VARCHAR) AS stay, c.care_site_source_value AS finess, "
        "v.visit_start_date AS entry_on, v.visit_end_date AS exit_on, "
        "CASE p.gender_concept_id WHEN 8507 THEN 1 WHEN 8532 THEN 2 END AS sex, "
        f"{_month_number('p.year_of_birth', 'p.month_of_birth')} AS birth_month, "
        "f.principal, f.codes, a.codes AS acts "
        f"FROM {_latest(visits, 'visit_occurrence_id')} AS v "
        f"LEFT JOIN {_latest(persons, 'person_id')} AS p ON p._source = v._source AND p.person_id = v.person_id "
        f"LEFT JOIN {_latest(care_sites, 'care_site_id')} AS c ON c._source = v._source "
        "AND c.care_site_id = v.care_site_id "
        "LEFT JOIN found AS f ON f._source = v._source AND f.stay = v.visit_occurrence_id "
        "LEFT JOIN done AS a ON a._source = v._source AND a.stay = v.visit_occurrence_id "
        "WHERE v.visit_concept_id IN (9201, 262, 9202)"
    )


def told_by_plain(patients: str, stays: str, diagnoses: str, acts: str) -> str:
    """SELECT text: stays of hospitals that send plain CSV."""
    diagnosis, act = _CODE.format("code_cim10"), _CODE.format("code_ccam")
    return (
        f"WITH found AS (SELECT _source, sejour_id, arg_min({diagnosis}, rang IS DISTINCT FROM 'DP') AS principal, "
        f"list(DISTINCT {diagnosis}) AS codes FROM {diagnoses} WHERE code_cim10 IS NOT NULL GROUP BY ALL), "
        f"done AS (SELECT _source, sejour_id, list(DISTINCT left({act}, 7)) AS codes FROM {acts} "
        "WHERE code_ccam IS NOT NULL GROUP BY ALL) "
        "SELECT v._source AS source, v.patient_id AS patient, v.sejour_id AS stay, v.finess, "
        "CAST(v.entree AS DATE) AS entry_on, CAST(v.sortie AS DATE) AS exit_on, "
        "CASE p.sex WHEN 'M' THEN 1 WHEN 'F' THEN 2 END AS sex, "
        f"{_of_date('p.birth_date')} AS birth_month, f.principal, f.codes, a.codes AS acts "
        f"FROM {_latest(stays, 'sejour_id')} AS v "
        f"LEFT JOIN {_latest(patients, 'patient_id')} AS p ON p._source = v._source AND p.patient_id = v.patient_id "
        "LEFT JOIN found AS f ON f._source = v._source AND f.sejour_id = v.sejour_id "
        "LEFT JOIN done AS a ON a._source = v._source AND a.sejour_id = v.sejour_id "
        "WHERE v.mode IS DISTINCT FROM 'urgences'"
    )


def plan_told_hospital(selects: tuple[str, ...]) -> str:
    """Fill TOLD_HOSPITAL; a stay without patient or dates cannot be compared."""
    union = " UNION ALL ".join(f"(FROM ({select}))" for select in selects)
    return (
        f"CREATE OR REPLACE TEMP TABLE {TOLD_HOSPITAL} AS SELECT * FROM ({union}) "
        "WHERE patient IS NOT NULL AND patient <> '' AND entry_on IS NOT NULL"
    )


def plan_known(beneficiaries: str, archive: str) -> str:
    """Fill KNOWN from SNDS_PERSONS: with the birth month that the SNDS has, which the PMSI has not."""
    rows = f"SELECT *, 1 AS _order FROM {beneficiaries} UNION ALL SELECT *, 0 FROM {archive}"
    month = _month_number(
        "BEN_NAI_ANN", "CASE WHEN TRY_CAST(BEN_NAI_MOI AS INTEGER) BETWEEN 1 AND 12 THEN BEN_NAI_MOI END"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {KNOWN} AS SELECT p.source, b.psa, b.rank, p.person, p.person_key, "
        "b.birth_month "
        f"FROM {SNDS_PERSONS} AS p JOIN (SELECT _source, BEN_NIR_PSA AS psa, BEN_RNG_GEM AS rank, "
        f"arg_max({month}, (_order, _delivery)) AS birth_month FROM ({rows}) GROUP BY ALL) AS b "
        "ON b._source = p.source AND p.person_key = b.psa || '/' || CAST(b.rank AS VARCHAR)"
    )


def plan_told_national(chaining: str, resumes: str, diagnoses: str, acts: str) -> str:
    """Fill TOLD_NATIONAL: stays of T_MCOaaC and B that somebody known has, with their diagnoses and acts.

    A stay whose pseudonym is a stand-in, or whose NIR, birth or sex was not accepted (return codes), is nobody's. The
    pair of pseudonym and rank decides; a pseudonym that belongs to one person is that person without its rank.
    """
    keys = ("_source", "year", "ETA_NUM", "RSA_NUM")
    listed = ", ".join(keys)

    def same(one: str, other: str) -> str:
        return " AND ".join(f"{one}.{key} = {other}.{key}" for key in keys)

    def yearly(rows: str) -> str:
        return f"(SELECT *, {_YEAR} AS year FROM {rows})"

    sure = " AND ".join(f"coalesce({code}, '0') = '0'" for code in ("NIR_RET", "NAI_RET", "SEX_RET"))
    one = f"QUALIFY row_number() OVER (PARTITION BY {listed} ORDER BY _delivery DESC, _line) = 1"
    return (
        f"CREATE OR REPLACE TEMP TABLE {TOLD_NATIONAL} AS WITH chained AS (SELECT * FROM {yearly(chaining)} "
        f"WHERE {sure} AND NOT regexp_full_match(NIR_ANO_17, '{_FICTITIOUS}') {one}), "
        f"stays AS (SELECT * FROM {yearly(resumes)} {one}), "
        f"alone AS (SELECT source, psa, min(person) AS person, min(person_key) AS person_key, "
        f"min(birth_month) AS birth_month FROM {KNOWN} GROUP BY ALL HAVING count(DISTINCT person) = 1), "
        f"found AS (SELECT {listed}, list(DISTINCT {_CODE.format('ASS_DGN')}) AS codes FROM {yearly(diagnoses)} "
        "WHERE ASS_DGN IS NOT NULL GROUP BY ALL), "
        f"done AS (SELECT {listed}, list(DISTINCT left({_CODE.format('CDC_ACT')}, 7)) AS codes FROM {yearly(acts)} "
        "WHERE CDC_ACT IS NOT NULL GROUP BY ALL) "
        "SELECT c._source AS source, coalesce(k.person, o.person) AS person, c.ETA_NUM AS finess, "
        "CAST(c.EXE_SOI_DTD AS DATE) AS entry_on, CAST(c.EXE_SOI_DTF AS DATE) AS exit_on, "
        "TRY_CAST(b.COD_SEX AS INTEGER) AS sex, coalesce(k.birth_month, o.birth_month) AS birth_month, "
        f"{_CODE.format('b.DGN_PAL')} AS principal, "
        f"list_filter(list_concat([{_CODE.format('b.DGN_PAL')}, {_CODE.format('b.DGN_REL')}], f.codes), "
        "c -> c IS NOT NULL AND c <> '') AS codes, a.codes AS acts "
        f"FROM chained AS c JOIN stays AS b ON {same('b', 'c')} "
        f"LEFT JOIN {KNOWN} AS k ON k.source = c._source AND k.psa = c.NIR_ANO_17 "
        "AND k.rank = TRY_CAST(c.RNG_NAI AS BIGINT) "
        "LEFT JOIN alone AS o ON o.source = c._source AND o.psa = c.NIR_ANO_17 "
        f"LEFT JOIN found AS f ON {same('f', 'c')} LEFT JOIN done AS a ON {same('a', 'c')} "
        "WHERE coalesce(k.person, o.person) IS NOT NULL AND c.EXE_SOI_DTD IS NOT NULL"
    )


def plan_codes() -> str:
    """Every distinct code of both sides."""
    parts = [
        f"SELECT unnest(list_concat(coalesce(codes, []), coalesce(acts, []), [principal])) AS code FROM {told}"
        for told in (TOLD_HOSPITAL, TOLD_NATIONAL)
    ]
    return f"SELECT DISTINCT code FROM ({' UNION ALL '.join(parts)}) WHERE code IS NOT NULL ORDER BY code"


def plan_numbers() -> tuple[str, ...]:
    """Fill PATIENT_NUMBERS and PERSON_NUMBERS, in the order of sources and keys so that they are the same again."""
    return (
        (
            f"CREATE OR REPLACE TEMP TABLE {PATIENT_NUMBERS} AS SELECT row_number() OVER (ORDER BY source, patient) "
            f"AS patient_no, source, patient FROM (SELECT DISTINCT source, patient FROM {TOLD_HOSPITAL})"
        ),
        (
            f"CREATE OR REPLACE TEMP TABLE {PERSON_NUMBERS} AS SELECT row_number() OVER (ORDER BY source, person) "
            f"AS person_no, source, person, person_key FROM (SELECT source, person, min(person_key) AS person_key "
            f"FROM {KNOWN} GROUP BY ALL)"
        ),
    )


def plan_comparable(told: str, into: str, owners: str, owner: str, name: str) -> str:
    """Make a comparison table of a told one: owners become numbers, codes their keyed numbers.

    In: owners — the table of numbers; owner — its number's column; name — the owner's column in both
    """
    lists = (
        f"SELECT unique_id, list(DISTINCT b.blind ORDER BY b.blind) AS blinds FROM (SELECT unique_id, "
        f"unnest({{}}) AS code FROM numbered) AS u JOIN {BLINDED_CODES} AS b ON b.code = u.code GROUP BY ALL"
    )
    return (
        f"CREATE OR REPLACE TEMP TABLE {into} AS WITH numbered AS MATERIALIZED (SELECT row_number() OVER (ORDER BY "
        f"source, {name}, finess, entry_on, exit_on, principal, codes, acts) AS unique_id, t.* FROM {told} AS t), "
        f"diagnoses AS ({lists.format('codes')}), "
        f"acts AS ({lists.format('acts')}) "
        f"SELECT t.unique_id, o.{owner} AS owner, t.finess, t.entry_on, t.exit_on, t.sex, t.birth_month, "
        "p.blind AS principal, coalesce(d.blinds, []) AS codes, coalesce(a.blinds, []) AS acts, "
        "CASE WHEN a.blinds IS NULL THEN 0 ELSE hash(a.blinds) END AS acts_key "
        f"FROM numbered AS t JOIN {owners} AS o ON o.source = t.source AND o.{name} = t.{name} "
        f"LEFT JOIN {BLINDED_CODES} AS p ON p.code = t.principal "
        "LEFT JOIN diagnoses AS d ON d.unique_id = t.unique_id LEFT JOIN acts AS a ON a.unique_id = t.unique_id"
    )


def plan_forget_values() -> tuple[str, ...]:
    """Drop what holds codes in the clear."""
    return tuple(f"DROP TABLE IF EXISTS {name}" for name in (TOLD_HOSPITAL, TOLD_NATIONAL, BLINDED_CODES))


def plan_forget_stays() -> tuple[str, ...]:
    """Drop the comparison tables and everything they were made of."""
    names = (KNOWN, PATIENT_NUMBERS, PERSON_NUMBERS, HOSPITAL_STAYS, NATIONAL_STAYS)
    return (*plan_forget_values(), *(f"DROP TABLE IF EXISTS {name}" for name in names))
