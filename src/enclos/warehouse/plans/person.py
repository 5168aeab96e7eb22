"""PERSON: one row per person, whatever the number of pseudonyms and sources.

The national reference comes first, then an OMOP delivery, then a hospital's patient file. Within the reference, a
person has a row per pseudonym: each attribute comes from the most recently used row that knows it.
"""

from __future__ import annotations

from enclos.contracts.columns import Column, TableContract
from enclos.contracts.view import PERSON_SOURCE_TABLE
from enclos.warehouse import concepts
from enclos.warehouse.plans.places import commune_sql
from enclos.warehouse.plans.traps import known_date_sql

_BORN = "BEN_NAI_ANN BETWEEN 1880 AND 2100"
"""A year that somebody alive in the data can be born in."""


def _latest(value: str, known: str) -> str:
    """The value on the most recently used row that knows it; equal dates are settled by the value itself."""
    return f"max_by({value}, (used_on, inserted_on, {value})) FILTER (WHERE {known})"


def ages_sql(prs: str, ben: str) -> str:
    """A year of birth for persons whose reference gives none, from their age at care.

    BEN_AMA_COD is an age in years, or 1000 plus months below two years. Each line leaves two years open; the latest
    year that no line excludes holds.

    Out: person_id, birth_year; only persons without a year of birth.
    """
    months = "EXE_SOI_DTD - to_months(BEN_AMA_COD - 1000)"
    return f"""
        SELECT p.person_id,
               min(CASE WHEN BEN_AMA_COD >= 1000 THEN year({months}) ELSE year(EXE_SOI_DTD) - BEN_AMA_COD END)
                   AS birth_year
        FROM {prs} AS p
        SEMI JOIN (SELECT person_id FROM {ben} GROUP BY person_id HAVING NOT bool_or(coalesce({_BORN}, false))) AS b
          ON b.person_id = p.person_id
        WHERE (BEN_AMA_COD BETWEEN 0 AND 130 OR BEN_AMA_COD BETWEEN 1000 AND 1023)
          AND EXE_SOI_DTD >= DATE '1900-01-01'
        GROUP BY p.person_id
    """


def persons_sql(ben: str, omop_person: str, h_patient: str) -> str:
    """The persons of a bucket, with what later steps ask about them.

    In: the staged ages.
    Out: one row per person_id: known_by_snds, sex and birth, birth_on, residence (INSEE code) or delivered location,
    insured_on, snds_death_on, patient_death_on.
    Empty: a person without a birth year in any source has no row.
    """
    never = "DATE '0001-01-01'"
    omop_columns = (
        "gender_concept_id, year_of_birth, month_of_birth, day_of_birth, birth_datetime, race_concept_id, "
        "ethnicity_concept_id, location_id, care_site_id, provider_id, gender_source_value, gender_source_concept_id, "
        "race_source_value, race_source_concept_id, ethnicity_source_value, ethnicity_source_concept_id"
    )
    return f"""
        WITH ben AS (
            SELECT *, coalesce({known_date_sql("MAX_TRT_DTD")}, {never}) AS used_on,
                   coalesce({known_date_sql("BEN_DTE_INS")}, {never}) AS inserted_on,
                   {commune_sql("BEN_RES_DPT", "BEN_RES_COM")} AS residence,
                   CASE WHEN BEN_NAI_MOI BETWEEN 1 AND 12 THEN BEN_NAI_MOI ELSE 0 END AS month
            FROM {ben}
        ),
        snds AS (
            SELECT person_id,
                   {_latest("BEN_SEX_COD", "BEN_SEX_COD IN (1, 2)")} AS sex,
                   {_latest("BEN_NAI_ANN * 100 + month", _BORN)} AS birth,
                   {_latest("residence", "residence IS NOT NULL")} AS residence,
                   min({known_date_sql("BEN_DTE_INS")}) AS insured_on,
                   {_latest("BEN_DCD_DTE", "BEN_DCD_DTE >= DATE '1900-01-01'")} AS snds_death_on
            FROM ben GROUP BY person_id
        ),
        aged AS (
            SELECT s.* REPLACE (coalesce(s.birth, a.birth_year * 100) AS birth)
            FROM snds AS s LEFT JOIN stage_ages AS a USING (person_id)
        ),
        omop AS (
            SELECT person_id, source AS omop_source, {omop_columns} FROM {omop_person}
            QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY source, hash({omop_columns})) = 1
        ),
        patient AS (
            SELECT person_id, min(sex) FILTER (WHERE sex IN ('F', 'M')) AS sex,
                   min({known_date_sql("birth_on")}) AS birth_on, min({known_date_sql("death_on")}) AS patient_death_on
            FROM {h_patient} GROUP BY person_id
        ),
        everybody AS (
            SELECT person_id FROM snds UNION SELECT person_id FROM omop UNION SELECT person_id FROM patient
        ),
        joined AS (
            SELECT e.person_id, s.person_id IS NOT NULL AS known_by_snds,
                   CASE WHEN s.sex = 1 THEN {concepts.MALE} WHEN s.sex = 2 THEN {concepts.FEMALE}
                        WHEN coalesce(o.gender_concept_id, 0) <> 0 THEN o.gender_concept_id
                        WHEN p.sex = 'M' THEN {concepts.MALE} WHEN p.sex = 'F' THEN {concepts.FEMALE} ELSE 0
                   END AS gender_concept_id,
                   CASE WHEN s.birth IS NOT NULL THEN s.birth // 100 WHEN o.person_id IS NOT NULL THEN o.year_of_birth
                        ELSE year(p.birth_on) END AS year_of_birth,
                   CASE WHEN s.birth IS NOT NULL THEN nullif(s.birth % 100, 0)
                        WHEN o.person_id IS NOT NULL THEN o.month_of_birth ELSE month(p.birth_on) END AS month_of_birth,
                   CASE WHEN s.birth IS NOT NULL THEN NULL WHEN o.person_id IS NOT NULL THEN o.day_of_birth
                        ELSE day(p.birth_on) END AS day_of_birth,
                   CASE WHEN s.birth IS NULL THEN o.birth_datetime END AS birth_datetime,
                   coalesce(o.race_concept_id, 0) AS race_concept_id,
                   coalesce(o.ethnicity_concept_id, 0) AS ethnicity_concept_id,
                   coalesce(CAST(s.sex AS VARCHAR), o.gender_source_value, p.sex) AS gender_source_value,
                   o.gender_source_concept_id, o.race_source_value, o.race_source_concept_id, o.ethnicity_source_value,
                   o.ethnicity_source_concept_id, o.omop_source, o.location_id AS omop_location,
                   o.care_site_id AS omop_care_site, o.provider_id AS omop_provider,
                   o.person_id IS NOT NULL AS known_by_omop, s.residence,
                   s.insured_on, s.snds_death_on, p.patient_death_on
            FROM everybody AS e
            LEFT JOIN aged AS s USING (person_id) LEFT JOIN omop AS o USING (person_id)
            LEFT JOIN patient AS p USING (person_id)
        )
        SELECT *, coalesce(try(make_date(year_of_birth, coalesce(month_of_birth, 1), coalesce(day_of_birth, 1))),
                           make_date(year_of_birth, 1, 1)) AS birth_on
        FROM joined WHERE year_of_birth IS NOT NULL OR known_by_omop
    """


PERSON_SOURCE = TableContract(PERSON_SOURCE_TABLE, (Column("person_id", "BIGINT"), Column("source", "VARCHAR")))
"""Which sources delivered a person: what a permit's population of one source is drawn from. Not a table of OMOP."""


def person_sources_sql(ben: str, omop_person: str, h_patient: str) -> str:
    """The sources of the staged persons."""
    union = " UNION ".join(f"SELECT person_id, source FROM {relation}" for relation in (ben, omop_person, h_patient))
    return f"""
        SELECT person_id, source FROM ({union}) WHERE person_id IN (SELECT person_id FROM stage_known)
        ORDER BY person_id, source
    """


def person_rows_sql() -> str:
    """The ``person`` rows of the bucket; the source's own identifier is nowhere to be had."""
    return """
        SELECT p.person_id, p.gender_concept_id, p.year_of_birth, p.month_of_birth, p.day_of_birth, p.birth_datetime,
               p.race_concept_id, p.ethnicity_concept_id, coalesce(h.location_id, l.location_id) AS location_id,
               w.provider_id, c.care_site_id,
               NULL AS person_source_value, p.gender_source_value, p.gender_source_concept_id, p.race_source_value,
               p.race_source_concept_id, p.ethnicity_source_value, p.ethnicity_source_concept_id
        FROM stage_persons AS p
        LEFT JOIN stage_locations AS h ON h.kind = 'insee' AND h.code = p.residence
        LEFT JOIN stage_locations AS l
          ON l.kind = 'omop' AND l.source = p.omop_source AND l.original = p.omop_location
        LEFT JOIN stage_care_sites AS c
          ON c.kind = 'omop' AND c.code = p.omop_source AND c.original = p.omop_care_site
        LEFT JOIN stage_providers AS w ON w.source = p.omop_source AND w.key = p.omop_provider
        ORDER BY p.person_id
    """
