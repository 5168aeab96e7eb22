"""A made-up vocabulary as large as Athena's: 2 million concepts, 10 million relationships, as a folder to be delivered.

``python bench/vocabulary.py FOLDER [CONCEPTS]`` writes it. Codes and numbers are invented; only sizes and shares are
like those of a download: most concepts are of vocabularies that no delivery bears.
"""

from __future__ import annotations

import sys
from pathlib import Path

CONCEPTS = 2_000_000
SHARES = (
    *(
        ("RxNorm Extension", "Drug", 45),
        ("SNOMED", "Condition", 20),
        ("RxNorm", "Drug", 13),
        ("LOINC", "Measurement", 10),
    ),
    *(
        ("ICD10PCS", "Procedure", 5),
        ("BDPM", "Drug", 3),
        ("CIM10", "Condition", 2),
        ("CCAM", "Procedure", 1),
        ("ATC", "Drug", 1),
    ),
)
"""Vocabulary, domain of its concepts, hundredths of the concepts."""
STANDARD = ("RxNorm Extension", "SNOMED", "RxNorm", "LOINC")
FIRST = 600_000_000
"""Where the invented numbers begin: above those of the synthetic France's own vocabulary."""


def write_vocabulary(folder: Path, n_concepts: int = CONCEPTS) -> None:
    """Write CONCEPT, CONCEPT_RELATIONSHIP, CONCEPT_ANCESTOR and DRUG_STRENGTH, five relationships a concept."""
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    engine = duckdb.connect(config={"threads": "2", "memory_limit": "4GiB"})
    bounds, low = [], 0
    for vocabulary, domain, share in SHARES:
        bounds.append(f"({low}, {low + share}, '{vocabulary}', '{domain}')")
        low += share
    standard = ", ".join(f"'{name}'" for name in STANDARD)
    engine.execute(f"""
        CREATE TABLE concept AS
        SELECT {FIRST} + n AS concept_id, 'Invented concept ' || n || ' of ' || v.name AS concept_name,
               v.domain AS domain_id,
               v.name AS vocabulary_id, CASE WHEN v.domain = 'Drug' AND n % 50 = 0 THEN 'Ingredient' ELSE 'Invented' END
               AS concept_class_id,
               CASE WHEN v.name IN ({standard}) AND n // 100 % 3 > 0 THEN 'S' END AS standard_concept,
               CASE v.name WHEN 'BDPM' THEN lpad(CAST(n AS VARCHAR), 7, '0') ELSE 'Z' || n END AS concept_code,
               '19700101' AS valid_start_date,
               CASE WHEN n % 17 = 0 THEN '20200101' ELSE '20991231' END AS valid_end_date,
               CASE WHEN n % 17 = 0 AND n // 100 % 3 = 0 THEN 'U' END AS invalid_reason
        FROM range({n_concepts}) AS r(n) JOIN (VALUES {", ".join(bounds)}) AS v(low, high, name, domain)
          ON n % 100 >= v.low AND n % 100 < v.high
    """)
    engine.execute(
        "CREATE TABLE target AS SELECT CAST(row_number() OVER (ORDER BY concept_id) - 1 AS UBIGINT) AS n, concept_id "
        "FROM concept WHERE standard_concept = 'S'"
    )
    n_standard = engine.execute("SELECT count(*) FROM target").fetchall()[0][0]
    columns = "'19700101' AS valid_start_date, '20991231' AS valid_end_date, NULL AS invalid_reason"
    maps = f"""
        SELECT c.concept_id AS one, coalesce(t.concept_id, c.concept_id) AS two, 'Maps to' AS name,
               'Mapped from' AS back
        FROM (SELECT concept_id, CASE WHEN standard_concept IS NULL THEN hash(concept_id) % {n_standard} END AS at
              FROM concept) AS c
        LEFT JOIN target AS t ON t.n = c.at
    """
    replaced = f"""
        SELECT c.concept_id, t.concept_id, 'Concept replaced by', 'Concept replaces'
        FROM (SELECT concept_id, hash(concept_id, 'new') % {n_standard} AS at
              FROM concept WHERE invalid_reason = 'U') AS c
        JOIN target AS t ON t.n = c.at
    """
    above = f"""
        SELECT c.concept_id, t.concept_id, 'Is a', 'Subsumes'
        FROM (SELECT concept_id, hash(concept_id, k) % {n_standard} AS at FROM concept, range(2) AS r(k)
              WHERE k = 0 OR concept_id % 2 = 0) AS c
        JOIN target AS t ON t.n = c.at
    """
    writes = {
        "CONCEPT": "FROM concept",
        "CONCEPT_RELATIONSHIP": f"""
            WITH pair AS ({maps} UNION ALL {replaced} UNION ALL {above})
            SELECT one AS concept_id_1, two AS concept_id_2, name AS relationship_id, {columns} FROM pair
            UNION ALL SELECT two, one, back, {columns} FROM pair
        """,
        "CONCEPT_ANCESTOR": f"""
            SELECT t.concept_id AS ancestor_concept_id, c.concept_id AS descendant_concept_id,
                   1 AS min_levels_of_separation, 1 AS max_levels_of_separation
            FROM (SELECT concept_id, hash(concept_id, 'up', k) % {n_standard} AS at FROM target, range(2) AS r(k)) AS c
            JOIN target AS t ON t.n = c.at
        """,
        "DRUG_STRENGTH": f"""
            SELECT concept_id AS drug_concept_id, {FIRST} + 50 * (concept_id % 1000) AS ingredient_concept_id,
                   concept_id % 500 AS amount_value, 8576 AS amount_unit_concept_id, NULL AS numerator_value,
                   NULL AS numerator_unit_concept_id, NULL AS denominator_value, NULL AS denominator_unit_concept_id,
                   28 AS box_size, {columns} FROM concept WHERE domain_id = 'Drug'
        """,
    }
    for name, rows in writes.items():
        engine.execute(f"COPY ({rows}) TO '{folder / name}.csv' (DELIMITER '\t', HEADER, QUOTE '', ESCAPE '')")


if __name__ == "__main__":
    write_vocabulary(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else CONCEPTS)
