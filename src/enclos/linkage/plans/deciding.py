"""From pairs of stays to persons: candidates are kept with their weight, and a threshold decides among them."""

from __future__ import annotations

from enclos.linkage.model import MARGIN, Method
from enclos.linkage.plans.stays import HOSPITAL_STAYS, PATIENT_NUMBERS, PERSON_NUMBERS

SCORED = "enclos_scored_pairs"
"""(stay, patient, other, person, weight, own): pairs of stays; ``own`` is the part of the weight that another stay of
the same two would add, since it does not come from what they are (sex, birth month)."""
CANDIDATES = "enclos_candidates"


def ranked_by_weight() -> str:
    """SELECT text: (patient, person, weight, n_stays) of scored pairs.

    A stay of the PMSI belongs to one stay of the hospital: it goes to the patient whose stay weighs most, and to none
    when two weigh the same. A patient and a person weigh what their heaviest pair weighs, and what each other pair of
    stays adds by itself; a stay speaks once for each person.
    """
    return (
        "SELECT patient, person, CAST(max(weight) + sum(own) - arg_max(own, (weight, own)) AS DOUBLE) AS weight, "
        "count(*) AS n_stays FROM ("
        "SELECT patient, person, stay, max(weight) AS weight, greatest(arg_max(own, (weight, own)), 0) AS own FROM ("
        f"SELECT *, max(weight) OVER (PARTITION BY other) AS best FROM {SCORED} "
        "QUALIFY weight = best AND min(patient) OVER (PARTITION BY other, weight) "
        "= max(patient) OVER (PARTITION BY other, weight)) GROUP BY ALL) GROUP BY ALL"
    )


def plan_keep_candidates(method: Method, ranked: str, several: str | None) -> tuple[str, ...]:
    """Replace what is kept of a method: each patient with stays, and its two heaviest persons.

    In: ranked — (patient, person, weight, n_stays); several — (patient, n_several), or None
    """
    name = method.value
    more = f"LEFT JOIN ({several}) AS m ON m.patient = s.owner" if several else ""
    n_several = "coalesce(any_value(m.n_several), 0)" if several else "0"
    return (
        f"DELETE FROM vault.indirect_patients WHERE method = '{name}'",
        f"DELETE FROM vault.indirect_candidates WHERE method = '{name}'",
        (
            f"INSERT INTO vault.indirect_patients SELECT '{name}', p.source, p.patient, count(*), {n_several} "
            f"FROM {HOSPITAL_STAYS} AS s JOIN {PATIENT_NUMBERS} AS p ON p.patient_no = s.owner {more} GROUP BY ALL"
        ),
        (
            f"INSERT INTO vault.indirect_candidates SELECT '{name}', p.source, p.patient, r.place, q.source, "
            "q.person_key, "
            "r.weight, r.n_stays FROM (SELECT *, row_number() OVER (PARTITION BY patient "
            f"ORDER BY weight DESC, n_stays DESC, person) AS place FROM ({ranked})) AS r "
            f"JOIN {PATIENT_NUMBERS} AS p ON p.patient_no = r.patient "
            f"JOIN {PERSON_NUMBERS} AS q ON q.person_no = r.person WHERE r.place <= 2"
        ),
    )


def plan_decide(method: Method, threshold: float) -> tuple[str, ...]:
    """Replace the indirect links by what a threshold makes of a method's candidates.

    Deterministic: one person only reaches the threshold. Probabilistic: the heaviest person reaches it, and is MARGIN
    heavier than the next. Two persons that no rule tells apart leave the patient alone.
    """
    close = f"next.weight >= {threshold!r}"
    if method is Method.PROBABILISTIC:
        close = f"next.weight > first.weight - {MARGIN!r}"
    group = f"CASE WHEN first.weight IS NULL OR first.weight < {threshold!r} THEN "
    group += "CASE WHEN p.n_several > 0 THEN 'multiple' ELSE 'none' END "
    group += f"WHEN coalesce({close}, false) THEN 'multiple' "
    group += "WHEN p.method = 'probabilistic' THEN 'linked' WHEN first.weight >= 7 THEN 'group_1' ELSE 'group_2' END"
    joined = " AND ".join("{0}." + key + " = p." + key for key in ("method", "source", "source_person_key"))
    return (
        "DELETE FROM vault.indirect_links",
        (
            "INSERT INTO vault.indirect_links SELECT p.source, p.source_person_key, p.method, "
            f"{threshold!r}, {group} AS outcome, first.snds_source, first.snds_person_key, first.weight, first.n_stays "
            "FROM vault.indirect_patients AS p "
            f"LEFT JOIN vault.indirect_candidates AS first ON {joined.format('first')} AND first.place = 1 "
            f"LEFT JOIN vault.indirect_candidates AS next ON {joined.format('next')} AND next.place = 2 "
            f"WHERE p.method = '{method.value}'"
        ),
        (
            "UPDATE vault.indirect_links SET snds_source = NULL, snds_person_key = NULL "
            "WHERE outcome IN ('multiple', 'none')"
        ),
    )


def plan_group_counts() -> str:
    """Patients by hospital and outcome."""
    return "SELECT source, outcome, count(*) FROM vault.indirect_links GROUP BY ALL ORDER BY ALL"


def plan_against_direct(snds_persons: str) -> str:
    """Of patients with a direct link: how many the indirect one gives the same person, another person, none."""
    holder = "SELECT source, person_key, person FROM " + snds_persons
    return (
        f"WITH holders AS ({holder}), direct AS (SELECT l.source, l.source_person_key, min(h.person) AS person "
        "FROM vault.links AS l JOIN holders AS h ON h.source = l.snds_source AND h.person_key = l.snds_person_key "
        "GROUP BY ALL HAVING count(DISTINCT h.person) = 1) "
        "SELECT count(*) FILTER (WHERE h.person = d.person), count(*) FILTER (WHERE h.person <> d.person), "
        "count(*) FILTER (WHERE h.person IS NULL) FROM direct AS d JOIN vault.indirect_links AS i "
        "ON i.source = d.source AND i.source_person_key = d.source_person_key "
        "LEFT JOIN holders AS h ON h.source = i.snds_source AND h.person_key = i.snds_person_key"
    )


def plan_measured_indirect(chaining: str) -> str:
    """Hospital patients of the truth who have stays, against their indirect link.

    In: registered table enclos_truth (true_person, source, source_person_id)
    Out: concerned (whose person has a stay of the PMSI under a usable pseudonym), verdict (linked to nobody 0, to the
        true person 1, to another 2), how many
    """
    return (
        "WITH held AS (SELECT source, source_person_id AS person_key, min(true_person) AS true_person, "
        "string_split(source_person_id, '/')[1] AS psa FROM enclos_truth GROUP BY ALL), "
        f"stayed AS (SELECT DISTINCT h.true_person FROM held AS h JOIN {chaining} AS c ON c._source = h.source "
        "AND c.NIR_ANO_17 = h.psa AND (c.RNG_NAI IS NULL OR string_split(h.person_key, '/')[2] = "
        "CAST(TRY_CAST(c.RNG_NAI AS BIGINT) AS VARCHAR)) "
        "WHERE coalesce(c.NIR_RET, '0') = '0' AND coalesce(c.NAI_RET, '0') = '0' AND coalesce(c.SEX_RET, '0') = '0') "
        "SELECT t.true_person IN (SELECT true_person FROM stayed), CASE WHEN i.snds_person_key IS NULL THEN 0 "
        "WHEN h.true_person = t.true_person THEN 1 ELSE 2 END, count(*) FROM enclos_truth AS t "
        "JOIN vault.indirect_links AS i ON i.source = t.source AND i.source_person_key = t.source_person_id "
        "LEFT JOIN held AS h ON h.source = i.snds_source AND h.person_key = i.snds_person_key GROUP BY ALL"
    )
