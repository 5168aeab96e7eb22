"""Locations and care sites: their numbers follow from what they are, so that a new one changes no other's."""

from __future__ import annotations

from collections.abc import Sequence

from enclos.contracts.omop import omop_tables


def commune_sql(department: str, commune: str) -> str:
    """The INSEE code of a commune from the SNDS's department and commune; the department alone where there is none.

    209 is Corsica without saying which of its two departments: it stays 20. 097 is overseas: the commune's first digit
    says which department. A commune 999 is one that nobody knows.

    Source: the SNDS writes 075 for Paris, 209 for Corsica and 971 or 097 overseas; an INSEE code has five characters.
    """
    dept = f"lpad(trim({department}), 3, '0')"
    two = f"CASE WHEN {dept} LIKE '0%' AND {dept} <> '097' THEN right({dept}, 2) ELSE left(ltrim({dept}, '0'), 2) END"
    alone = f"CASE WHEN left({dept}, 2) = '97' THEN {dept} WHEN {dept} = '097' THEN NULL ELSE {two} END"
    return (
        f"CASE WHEN coalesce(trim({department}), '') IN ('', '000', '0') THEN NULL "
        f"WHEN coalesce(trim({commune}), '') IN ('', '000', '0', '999') THEN {alone} "
        f"ELSE {two} || lpad(trim({commune}), 3, '0') END"
    )


def number_sql(*parts: str) -> str:
    """A place's number: 53 bits of a hash, which every program can hold; the build refuses two places with one."""
    return f"CAST(hash({', '.join(parts)}) >> 11 AS BIGINT)"


def locations_sql(ben: str, omop_location: str, h_place: str) -> str:
    """Every place where somebody lives or is cared for.

    Out: one row per place: location_id, kind (insee, omop or place), source, original (the delivered id or key), code,
    and the delivered OMOP columns; of a hospital's place its postal code, state and country alone.
    """
    kept = [column for column in omop_tables()["location"].names if column != "location_id"]
    listed = ", ".join(f'"{column}"' for column in kept)
    nothing = ", ".join(
        f'CAST(NULL AS {omop_tables()["location"].column(column).sql_type}) AS "{column}"' for column in kept
    )
    told = {"state": "left(state, 2)", "zip": "zip", "country_source_value": "country"}
    of_place = ", ".join(
        f'CAST({told.get(column, "NULL")} AS {omop_tables()["location"].column(column).sql_type}) AS "{column}"'
        for column in kept
    )
    return f"""
        SELECT {number_sql("kind", "source", "original", "code")} AS location_id, *
        FROM (SELECT DISTINCT 'insee' AS kind, '' AS source, CAST(0 AS BIGINT) AS original,
                     {commune_sql("BEN_RES_DPT", "BEN_RES_COM")} AS code, {nothing} FROM {ben}
              UNION ALL
              SELECT 'omop', source, location_id, NULL, {listed} FROM {omop_location}
              QUALIFY row_number() OVER (PARTITION BY source, location_id ORDER BY hash({listed})) = 1
              UNION ALL
              SELECT 'place', source, place_key, NULL, {of_place} FROM {h_place}
              WHERE zip IS NOT NULL OR state IS NOT NULL OR country IS NOT NULL)
        WHERE kind <> 'insee' OR code IS NOT NULL
    """


def location_rows_sql() -> str:
    """The ``location`` table, from the staged locations."""
    values = {
        "location_id": "location_id",
        "state": "CASE kind WHEN 'insee' THEN left(code, 2) ELSE state END",
        "zip": "CASE kind WHEN 'insee' THEN CASE WHEN length(code) = 5 THEN code END ELSE zip END",
        "county": "CASE kind WHEN 'insee' THEN left(code, CASE WHEN code LIKE '97%' THEN 3 ELSE 2 END) ELSE county END",
        "location_source_value": "CASE kind WHEN 'insee' THEN code ELSE location_source_value END",
        "country_source_value": "CASE kind WHEN 'insee' THEN 'FR' ELSE country_source_value END",
    }
    columns = ", ".join(f'{values.get(name, name)} AS "{name}"' for name in omop_tables()["location"].names)
    return f"SELECT {columns} FROM stage_locations ORDER BY location_id"


def care_sites_sql(prs: str, stays: Sequence[str], h_visit: str, h_place: str, omop_care_site: str) -> str:
    """Every place where care is given.

    In: stays — the relations that hold stays of the PMSI
    Out: one row per place: care_site_id, kind (finess, hospital, place or omop), code (FINESS or source), original.
    """
    kept = [name for name in omop_tables()["care_site"].names if name != "care_site_id"]
    listed = ", ".join(f'"{column}"' for column in kept)
    nothing = ", ".join(
        f'CAST(NULL AS {omop_tables()["care_site"].column(column).sql_type}) AS "{column}"' for column in kept
    )
    told = {"place_of_service_source_value": "kind"}
    of_place = ", ".join(
        f'CAST({told.get(column, "NULL")} AS {omop_tables()["care_site"].column(column).sql_type}) AS "{column}"'
        for column in kept
    )
    return f"""
        SELECT {number_sql("kind", "code", "original")} AS care_site_id, *
        FROM (SELECT 'finess' AS kind, code, CAST(0 AS BIGINT) AS original, {nothing}
              FROM (SELECT DISTINCT ETB_EXE_FIN AS code FROM {prs}
                    {" ".join(f"UNION SELECT DISTINCT ETA_NUM FROM {relation}" for relation in stays)})
              UNION ALL SELECT DISTINCT 'hospital', source, 0, {nothing} FROM {h_visit}
              UNION ALL SELECT 'place', source, place_key, {of_place} FROM {h_place}
              UNION ALL SELECT 'omop', source, care_site_id, {listed} FROM {omop_care_site}
              QUALIFY row_number() OVER (PARTITION BY source, care_site_id ORDER BY hash({listed})) = 1)
        WHERE coalesce(code, '') <> ''
    """


def care_site_rows_sql() -> str:
    """The ``care_site`` table, from the staged care sites."""
    values = {
        "care_site_id": "s.care_site_id",
        "place_of_service_concept_id": "coalesce(s.place_of_service_concept_id, 0)",
        "location_id": "l.location_id",
        "care_site_source_value": "CASE s.kind WHEN 'omop' THEN s.care_site_source_value WHEN 'place' THEN NULL "
        "ELSE s.code END",
    }
    columns = ", ".join(f'{values.get(name, f"s.{name}")} AS "{name}"' for name in omop_tables()["care_site"].names)
    return f"""
        SELECT {columns} FROM stage_care_sites AS s
        LEFT JOIN stage_locations AS l ON s.kind = l.kind AND l.source = s.code
          AND l.original = CASE s.kind WHEN 'omop' THEN s.location_id WHEN 'place' THEN s.original END
        ORDER BY s.care_site_id
    """
