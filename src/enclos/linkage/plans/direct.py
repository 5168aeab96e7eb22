"""Direct linkage: circuits, and who is one person.

The names of intermediate tables are the steps of the reasoning, in order: snds_persons, circuit, answers, outcomes;
source_persons, person_nodes, edges.
"""

from __future__ import annotations

from enclos.contracts.vault import snds_person_key

SNDS_PERSONS = "enclos_snds_persons"
CIRCUIT = "enclos_circuit"
ANSWERS = "enclos_answers"
PATIENT_ANSWERS = "enclos_patient_answers"
SOURCE_PERSONS = "enclos_source_persons"
PERSON_NODES = "enclos_person_nodes"
LABELS = "enclos_labels"

_BEFORE_ARCHIVE = 1 << 40
"""Lifts the number of a delivery above that of any delivery of the archive."""


def plan_snds_persons(beneficiaries: str, archive: str) -> str:
    """Each SNDS pseudonym (BEN_NIR_PSA and rank) with its person: BEN_IDT_ANO, else BEN_NIR_ANO, else itself.

    A pseudonym in several deliveries takes the latest one's person, IR_BEN_R before its archive IR_BEN_R_ARC. One whose
    BEN_CDI_NIR says that the identity is a stand-in is nobody's. Source: facts on IR_BEN_R, § 1.4.
    """
    key = snds_person_key("BEN_NIR_PSA", "BEN_RNG_GEM")
    rows = f"SELECT *, {_BEFORE_ARCHIVE} + _delivery AS _age FROM {beneficiaries}"
    rows += f" UNION ALL SELECT *, _delivery FROM {archive}"
    return (
        f"CREATE OR REPLACE TEMP TABLE {SNDS_PERSONS} AS SELECT _source AS source, {key} AS person_key, "
        f"arg_max(coalesce(nullif(BEN_IDT_ANO, ''), nullif(BEN_NIR_ANO, ''), {key}), _age) AS person FROM ({rows}) "
        "GROUP BY ALL HAVING coalesce(lpad(trim(arg_max(BEN_CDI_NIR, _age)), 2, '0') IN ('00', '03', '04'), true)"
    )


def plan_circuit(hospital_rows: str) -> str:
    """Each (hospital, patient, temporary id) of the open circuits, and whether two patients share the id."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {CIRCUIT} AS SELECT source, patient_id, id_temp, "
        "min(patient_id) OVER (PARTITION BY source, id_temp) <> max(patient_id) OVER (PARTITION BY source, id_temp) "
        f"AS shared FROM (SELECT DISTINCT source, patient_id, id_temp FROM {hospital_rows})"
    )


def plan_answers(national_rows: str, snds_source: str) -> str:
    """Each (hospital, temporary id) with the pseudonym that the national side answers.

    In: snds_source — an SQL expression: the source whose pseudonyms are answered
    """
    key = snds_person_key("BEN_NIR_PSA", "BEN_RNG_GEM")
    return (
        f"CREATE OR REPLACE TEMP TABLE {ANSWERS} AS SELECT DISTINCT source, id_temp, {snds_source} AS snds_source, "
        f"{key} AS snds_person_key FROM {national_rows}"
    )


def plan_patient_answers() -> str:
    """One row per patient of the open circuits: how many shared ids, answers and SNDS persons."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {PATIENT_ANSWERS} AS SELECT c.source, c.patient_id, "
        "count(DISTINCT c.id_temp) FILTER (WHERE c.shared) AS n_shared_ids, "
        "count(DISTINCT a.snds_person_key) AS n_answers, count(DISTINCT p.person) AS n_persons "
        f"FROM {CIRCUIT} AS c LEFT JOIN {ANSWERS} AS a ON a.source = c.source AND a.id_temp = c.id_temp "
        f"LEFT JOIN {SNDS_PERSONS} AS p ON p.source = a.snds_source AND p.person_key = a.snds_person_key "
        "GROUP BY c.source, c.patient_id"
    )


def plan_outcome_counts() -> str:
    """Patients by hospital and by what was found of them."""
    return (
        f"SELECT source, n_shared_ids > 0, n_answers > 0, least(n_persons, 2), count(*) FROM {PATIENT_ANSWERS} "
        "GROUP BY ALL ORDER BY ALL"
    )


def plan_keep_links() -> str:
    """Add to the links what the circuits found, but for patients who share an id; what is there stays once."""
    return (
        "INSERT INTO vault.links SELECT DISTINCT c.source, c.patient_id, a.snds_source, a.snds_person_key "
        f"FROM {CIRCUIT} AS c JOIN {ANSWERS} AS a ON a.source = c.source AND a.id_temp = c.id_temp "
        f"JOIN {PATIENT_ANSWERS} AS p ON p.source = c.source AND p.patient_id = c.patient_id "
        "WHERE p.n_shared_ids = 0 AND NOT EXISTS (SELECT 1 FROM vault.links AS l WHERE l.source = c.source "
        "AND l.source_person_key = c.patient_id AND l.snds_source = a.snds_source "
        "AND l.snds_person_key = a.snds_person_key)"
    )


def national_answers(national_rows: str, third_rows: str) -> str:
    """A FROM-able expression: what the national side answers each hospital, through a third party's numbers or not."""
    columns = "n.BEN_NIR_PSA, n.BEN_RNG_GEM, n._source, n._delivery"
    return (
        f"(SELECT n.source, n.id_temp, {columns} FROM {national_rows} AS n "
        f"WHERE n.source NOT IN (SELECT third_party FROM {third_rows}) UNION ALL "
        f"SELECT t.source, t.id_temp, {columns} FROM {third_rows} AS t JOIN {national_rows} AS n "
        "ON n.source = t.third_party AND n.id_temp = t.id_third)"
    )


def national_halves(national_rows: str, third_rows: str) -> str:
    """A FROM-able expression: (source, _delivery), which hospitals the national side has answered, and where."""
    return (
        f"(SELECT source, _delivery FROM {national_rows} WHERE source NOT IN (SELECT third_party FROM {third_rows}) "
        f"UNION ALL SELECT t.source, n._delivery FROM (SELECT DISTINCT source, third_party FROM {third_rows}) AS t "
        f"JOIN (SELECT DISTINCT source, _delivery FROM {national_rows}) AS n ON n.source = t.third_party)"
    )


def plan_circuit_halves(hospital_rows: str, national_rows: str) -> str:
    """Each hospital of the open link deliveries: whether its own half and the national half have come."""
    return (
        "SELECT source, bool_or(own), bool_or(national) FROM ("
        f"SELECT DISTINCT source, true AS own, false AS national FROM {hospital_rows} UNION ALL "
        f"SELECT DISTINCT source, false, true FROM {national_rows}) GROUP BY source ORDER BY source"
    )


def plan_hospitals_by_delivery(hospital_rows: str, national_rows: str, third_rows: str) -> str:
    """Which hospitals each open link delivery speaks of."""
    return (
        f"SELECT DISTINCT _delivery, source FROM (SELECT _delivery, source FROM {hospital_rows} UNION ALL "
        f"SELECT _delivery, source FROM {national_rows} UNION ALL SELECT _delivery, source FROM {third_rows}) "
        "ORDER BY ALL"
    )


def plan_source_persons(fhir: str, plain: str, omop: str) -> str:
    """Every source person and the person it is before any link: pseudonyms by BEN_IDT_ANO, patients each alone."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {SOURCE_PERSONS} AS SELECT source, person_key, person FROM {SNDS_PERSONS} "
        f"UNION ALL SELECT DISTINCT _source, id, id FROM {fhir} "
        f"UNION ALL SELECT DISTINCT _source, patient_id, patient_id FROM {plain} "
        f"UNION ALL SELECT DISTINCT _source, CAST(person_id AS VARCHAR), CAST(person_id AS VARCHAR) FROM {omop}"
    )


def plan_person_nodes() -> str:
    """A number for each person-before-links, in the order of sources and keys, so that it is the same again."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {PERSON_NODES} AS SELECT source, person, "
        "row_number() OVER (ORDER BY source, person) - 1 AS node "
        f"FROM (SELECT DISTINCT source, person FROM {SOURCE_PERSONS})"
    )


def plan_edges(*, indirect: bool = True) -> str:
    """One edge per hospital patient and SNDS person, with the number of SNDS persons of that patient.

    A patient without any direct link has the indirect one that the threshold in force gives.
    """
    links = (
        "(SELECT source, source_person_key, snds_source, snds_person_key FROM vault.links UNION ALL "
        "SELECT source, source_person_key, snds_source, snds_person_key FROM vault.indirect_links AS i "
        "WHERE snds_person_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM vault.links AS l "
        "WHERE l.source = i.source AND l.source_person_key = i.source_person_key))"
        if indirect
        else "vault.links"
    )
    return (
        "SELECT node, snds_node, count(*) OVER (PARTITION BY node) AS n_persons FROM ("
        "SELECT DISTINCT h.node AS node, s.node AS snds_node FROM " + links + " AS l "
        f"JOIN {PERSON_NODES} AS h ON h.source = l.source AND h.person = l.source_person_key "
        f"JOIN {SNDS_PERSONS} AS p ON p.source = l.snds_source AND p.person_key = l.snds_person_key "
        f"JOIN {PERSON_NODES} AS s ON s.source = p.source AND s.person = p.person)"
    )


def plan_clusters() -> str:
    """Every source person with its cluster: the smallest node of its component."""
    return (
        "CREATE OR REPLACE TABLE vault.clusters AS SELECT f.source AS source, f.person_key AS source_person_key, "
        f"coalesce(l.label, n.node) AS cluster FROM {SOURCE_PERSONS} AS f "
        f"JOIN {PERSON_NODES} AS n ON n.source = f.source AND n.person = f.person "
        f"LEFT JOIN {LABELS} AS l ON l.node = n.node"
    )


def plan_measured() -> str:
    """Every hospital patient of the truth, against the cluster it is in.

    In: registered tables: enclos_truth (true_person, source, source_person_id, linkable), enclos_true_persons
        (true_person, snds: the pseudonyms of the person)
    Out: one row per (known, linkable, verdict) with the number of patients; known: the true person has an SNDS
        pseudonym; verdict: linked to nobody (0), only to pseudonyms of the true person (1), to another's (2)
    """
    return (
        "WITH pseudonyms AS (SELECT t.true_person, c.cluster FROM enclos_truth AS t JOIN vault.clusters AS c "
        "ON c.source = t.source AND c.source_person_key = t.source_person_id "
        f"WHERE t.source IN (SELECT source FROM {SNDS_PERSONS})), "
        "holders AS (SELECT cluster, min(true_person) AS one, max(true_person) AS other FROM pseudonyms "
        "GROUP BY cluster) SELECT len(p.snds) > 0 AS known, t.linkable, "
        "CASE WHEN h.cluster IS NULL THEN 0 WHEN h.one = t.true_person AND h.other = t.true_person THEN 1 ELSE 2 END, "
        "count(*) FROM enclos_truth AS t LEFT JOIN vault.clusters AS c ON c.source = t.source "
        "AND c.source_person_key = t.source_person_id LEFT JOIN holders AS h ON h.cluster = c.cluster "
        "LEFT JOIN enclos_true_persons AS p ON p.true_person = t.true_person "
        f"WHERE t.source NOT IN (SELECT source FROM {SNDS_PERSONS}) GROUP BY ALL"
    )


def plan_forget() -> tuple[str, ...]:
    """Drop every intermediate table; some hold temporary ids."""
    names = (SNDS_PERSONS, CIRCUIT, ANSWERS, PATIENT_ANSWERS, SOURCE_PERSONS, PERSON_NODES, LABELS)
    return tuple(f"DROP TABLE IF EXISTS {name}" for name in names)
