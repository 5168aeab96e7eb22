"""Who is whom, and how often identities are irregular."""

from collections import Counter
from math import sqrt
from pathlib import Path

import pytest

from enclos.synthetic import make_france
from unit.synthetic.conftest import PERSONS, Ask, asker


@pytest.fixture(scope="module")
def ask_many(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """12 000 persons of one year, for rates."""
    folder = tmp_path_factory.mktemp("identities") / "france"
    make_france(folder, 12_000, (2019, 2019), 8)
    return asker(folder)


def near(found: object, expected: float, n: int) -> bool:
    return abs(float(str(found)) - expected) < 4 * sqrt(expected * (1 - expected) / n)


def test_every_person_has_its_snds_pseudonyms_and_they_are_those_delivered(ask: Ask) -> None:
    assert ask("SELECT count(*), count(DISTINCT true_person) FROM truth_persons") == [(PERSONS, PERSONS)]
    delivered = "SELECT BEN_NIR_PSA || '/' || BEN_RNG_GEM FROM IR_BEN_R"
    true = "SELECT source_person_id FROM truth_identities WHERE source = 'snds'"
    assert ask(f"({delivered} EXCEPT {true}) UNION ALL ({true} EXCEPT {delivered})") == []
    assert ask(
        "SELECT count(*) FROM truth_persons AS p, unnest(p.snds) AS s(key) JOIN IR_BEN_R AS b "
        "ON s.key = BEN_NIR_PSA || '/' || BEN_RNG_GEM WHERE p.ben_idt_ano <> b.BEN_IDT_ANO "
        "OR p.sex::VARCHAR <> b.BEN_SEX_COD OR year(p.birth_on) <> b.BEN_NAI_ANN::INT"
    ) == [(0,)]


def test_persons_of_two_pseudonyms_change_once_and_keep_one_identity(ask_many: Ask) -> None:
    two = "SELECT true_person FROM truth_persons WHERE len(snds) = 2"
    n_two = int(str(ask_many(f"SELECT count(*) FROM ({two})")[0][0]))
    assert near(n_two / 12_000, 0.0085, 12_000)
    assert ask_many(
        "SELECT count(*) FROM (SELECT true_person, source_person_id, min(EXE_SOI_DTD) AS first, "
        "max(EXE_SOI_DTD) AS last "
        "FROM truth_identities JOIN ER_PRS_F ON source_person_id = BEN_NIR_PSA || '/' || BEN_RNG_GEM "
        f"WHERE true_person IN ({two}) GROUP BY ALL) AS a JOIN (SELECT true_person, source_person_id, min(EXE_SOI_DTD) "
        "AS first FROM truth_identities JOIN ER_PRS_F ON source_person_id = BEN_NIR_PSA || '/' || BEN_RNG_GEM "
        "GROUP BY ALL) AS b USING (true_person) WHERE a.first < b.first AND a.last > b.first"
    ) == [(0,)], "care under the first pseudonym ends before the second begins"
    assert ask_many(
        f"SELECT count(DISTINCT ben_idt_ano), count(*) FROM truth_persons WHERE true_person IN ({two})"
    ) == [(n_two, n_two)]


def test_twins_share_pseudonym_sex_and_birth_and_differ_by_rank(ask_many: Ask) -> None:
    shared = ask_many(
        "SELECT count(*), count(DISTINCT (BEN_SEX_COD, BEN_NAI_ANN, BEN_NAI_MOI)), count(DISTINCT BEN_RNG_GEM), "
        "count(DISTINCT BEN_IDT_ANO) FROM IR_BEN_R GROUP BY BEN_NIR_PSA HAVING count(*) > 1"
    )
    assert len(shared) > 5
    assert set(shared) == {(2, 1, 2, 2)}


def test_an_unknown_nir_leaves_the_pseudonym_and_rank_as_identity(ask_many: Ask) -> None:
    assert ask_many(
        "SELECT count(*) FROM IR_BEN_R WHERE BEN_IDT_ANO <> coalesce(BEN_NIR_ANO, BEN_NIR_PSA || BEN_RNG_GEM) "
        "OR (BEN_IDT_TOP = '1') <> (BEN_NIR_ANO IS NOT NULL)"
    ) == [(0,)]
    assert near(ask_many("SELECT avg((BEN_IDT_TOP = '0')::INT) FROM IR_BEN_R")[0][0], 0.015, 12_000)


def test_hospital_patients_are_linked_as_their_nir_allows(ask_many: Ask) -> None:
    hospital = "truth_identities WHERE source LIKE 'hosp-%'"
    n = int(str(ask_many(f"SELECT count(*) FROM {hospital}")[0][0]))
    assert n > 300
    assert near(ask_many(f"SELECT avg(linkable::INT) FROM {hospital}")[0][0], 0.95 * 0.99, n)
    assert near(ask_many("SELECT count(*) FROM LINK_HOSPITAL")[0][0] / n, 0.95, n)  # type: ignore[operator]
    assert ask_many(
        "SELECT count(*) FROM truth_identities AS t LEFT JOIN (SELECT h.source, h.patient_id, s.BEN_NIR_PSA || '/' || "
        "s.BEN_RNG_GEM AS key FROM LINK_HOSPITAL AS h JOIN LINK_SNDS AS s USING (source, id_temp)) AS l "
        "ON l.source = t.source AND l.patient_id = t.source_person_id LEFT JOIN truth_identities AS i "
        "ON i.source = 'snds' AND i.source_person_id = l.key WHERE t.source LIKE 'hosp-%' "
        "AND (t.linkable <> (l.key IS NOT NULL) OR (t.linkable AND i.true_person IS DISTINCT FROM t.true_person))"
    ) == [(0,)], "an answer exists exactly for the linkable, and it is the person"
    assert ask_many("SELECT count(*) - count(DISTINCT (source, id_temp)) FROM LINK_HOSPITAL") == [(0,)]


def test_no_temporary_id_or_pseudonym_tells_the_patient_number(ask: Ask) -> None:
    assert ask("SELECT count(*) FROM LINK_HOSPITAL WHERE contains(id_temp, regexp_extract(patient_id, '[0-9]+'))") == [
        (0,)
    ]


def test_hospital_stays_are_the_stays_of_the_pmsi_but_for_shifted_dates(ask: Ask) -> None:
    """hosp-c under its FINESS: same person, entry and principal diagnosis, except about one in a hundred."""
    missing = ask(
        "WITH here AS (SELECT t.true_person, v.visit_start_date AS entry, c.condition_source_value AS code "
        "FROM visit_occurrence AS v JOIN condition_occurrence AS c USING (visit_occurrence_id) "
        "JOIN truth_identities AS t ON t.source = 'hosp-c' AND t.source_person_id = v.person_id "
        "WHERE c.condition_status_source_value = 'DP'), "
        "pmsi AS (SELECT t.true_person, left(c.EXE_SOI_DTD, 10) AS entry, b.DGN_PAL AS code "
        "FROM T_MCOB AS b JOIN T_MCOC AS c USING (ETA_NUM, RSA_NUM, SOR_ANN) JOIN truth_identities AS t "
        "ON t.source = 'snds' AND t.source_person_id = NIR_ANO_17 || '/' || RNG_NAI "
        "WHERE ETA_NUM = '750999036' AND SEJ_TYP IS NULL) "
        "SELECT count(*), count(*) FILTER (WHERE h.code IS NULL) FROM pmsi AS p "
        "LEFT JOIN here AS h USING (true_person, entry, code)"
    )[0]
    n_stays, n_missing = (int(str(value)) for value in missing)
    assert n_stays > 50
    assert n_missing <= 5


def test_without_traps_identities_are_regular(ask_plain: Ask) -> None:
    assert ask_plain("SELECT count(*) FROM IR_BEN_R") == [(PERSONS,)]
    assert ask_plain("SELECT DISTINCT BEN_RNG_GEM, BEN_IDT_TOP, BEN_CDI_NIR FROM IR_BEN_R") == [("1", "1", "00")]
    numbers = Counter(ask_plain("SELECT source, true_person FROM truth_identities WHERE source <> 'snds'"))
    assert set(numbers.values()) == {1}


def test_truth_names_no_person_twice_under_one_number(france: Path, ask: Ask) -> None:
    assert ask("SELECT count(*) - count(DISTINCT (source, source_person_id)) FROM truth_identities") == [(0,)]


# -- mother and child


@pytest.mark.parametrize("asked", ["ask", "ask_old"])
def test_the_stay_of_a_birth_names_the_true_mother(asked: str, request: pytest.FixtureRequest) -> None:
    ask: Ask = request.getfixturevalue(asked)
    name = {"ask": "ID_MAM_ENF", "ask_old": "NIR_ANO_MAM"}[asked]
    ((n_named, n_true),) = ask(
        f"SELECT count(*), count(*) FILTER (WHERE EXISTS (SELECT 1 FROM truth_persons AS child "
        "JOIN truth_persons AS mother ON child.mother = mother.true_person "
        "WHERE list_contains(list_transform(child.snds, lambda key: split_part(key, '/', 1)), c.NIR_ANO_17) "
        f"AND list_contains(list_transform(mother.snds, lambda key: split_part(key, '/', 1)), c.{name}))) "
        f"FROM T_MCOC AS c WHERE c.{name} IS NOT NULL AND c.{name} <> '' AND c.NIR_ANO_17 <> 'xxxxxxxxxxxxxxxxx'"
    )
    assert n_named == n_true > 10


def test_nearly_everybody_born_in_the_data_has_a_mother_of_that_age(ask: Ask) -> None:
    ((n_born, n_known, n_plausible),) = ask(
        "SELECT count(*), count(child.mother), count(*) FILTER (WHERE mother.sex = 2 "
        "AND date_diff('year', mother.birth_on, child.birth_on) BETWEEN 18 AND 42) FROM truth_persons AS child "
        "LEFT JOIN truth_persons AS mother ON mother.true_person = child.mother "
        "WHERE child.birth_on >= DATE '2019-01-01'"
    )
    assert int(str(n_known)) == int(str(n_plausible)) > 0.98 * int(str(n_born))
    assert ask("SELECT count(mother) FROM truth_persons WHERE birth_on < DATE '2019-01-01'") == [(0,)]


def test_twins_have_one_mother(ask: Ask) -> None:
    assert ask(
        "SELECT count(*) FROM (SELECT split_part(snds[1], '/', 1) AS psa FROM truth_persons WHERE mother IS NOT NULL "
        "GROUP BY psa HAVING count(DISTINCT mother) > 1)"
    ) == [(0,)]
