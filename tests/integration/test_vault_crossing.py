"""What crosses the wall: every landed row accounted for, in the contract's shape, without any identity."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow.parquet as pq
import pytest

from enclos.contracts.pseudonymised import PSEUDONYMISED, VOCABULARY
from enclos.lexicon.codes import Code
from enclos.lexicon.ids import MAX_PERSONS
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAsPromised
from enclos.pseudonyms.steps import cross
from factories import small_france as france
from factories.deliveries import csv_text, open_vault, write_delivery, write_snds


@pytest.fixture
def bench(tmp_path):
    with open_vault(tmp_path / "enclosure", threads=2) as opened:
        yield opened


def accept(bench, *folders):
    for folder in folders:
        bench.accept(folder)


def left(account) -> dict[str, dict[str, int]]:
    """Reasons of what stayed, by table; tables that crossed whole are left out."""
    return {table.table: dict(table.left_behind) for table in account.tables if table.left_behind}


def person(bench, source, key) -> int:
    return bench.persons()[source, key]


def test_a_delivery_of_every_kind_crosses_and_adds_up(bench, tmp_path):
    accept(bench, *france.everything(tmp_path))
    bench.link()
    account = bench.cross()
    assert all(table.is_balanced for table in account.tables)
    assert left(account) == {
        "KI_CCI_R": {"no_person": 1},
        "ER_PRS_F": {"no_person": 1, "twins_untold": 1},
        "ER_PHA_F": {"no_person": 1, "no_prestation": 1},
        "ER_ETE_F": {"no_prestation": 1},
        "T_MCOaaB": {"fictitious_nir": 1, "no_stay": 1, "twins_untold": 1},
        "T_MCOaaD": {"no_stay": 1},
        "T_MCOaaC": {"no_stay": 1},
        "Encounter": {"not_done": 1},
        "Condition": {"no_person": 1, "not_done": 1},
        "Observation": {"no_quantity": 1},
        "Medication": {"looked_up": 1},
        "DIAGNOSTIC": {"no_code": 1},
        "condition_occurrence": {"no_person": 1},
        "note": {"free_text": 1},
    }


def test_every_table_has_the_contracts_columns_types_and_buckets(bench, tmp_path):
    accept(bench, *france.everything(tmp_path))
    bench.link()
    bench.cross(n_buckets=3)
    zone = bench.crossing
    assert set(zone.tables()) >= {"ben", "imb", "cci", "prs", "pha", "cam", "mco_b", "mco_d", "mco_um", "mco_a"}
    assert set(zone.tables()) >= {"h_patient", "h_visit", "h_condition", "h_procedure", "h_drug", "h_lab"}
    for name in zone.tables():
        contract = PSEUDONYMISED.get(name) or VOCABULARY[name]
        described = bench.engine.rows(f"DESCRIBE SELECT * FROM {zone.relation(name, None)}")
        assert [(row[0], row[1]) for row in described] == [(c.name, c.sql_type) for c in contract], name
        if "bucket" not in contract.names:
            continue
        wrong = "bucket <> person_id % 3 OR person_id IS NULL OR person_id < 0 OR source IS NULL"
        whole = bench.engine.scalar(f"SELECT count(*) FROM {zone.relation(name, None)}")
        assert bench.engine.scalar(f"SELECT count(*) FROM {zone.relation(name, None)} WHERE {wrong}") == 0, name
        assert bench.engine.scalar(f"SELECT max(person_id) FROM {zone.relation(name, None)}") < MAX_PERSONS
        parts = [zone.relation(name, [bucket]) for bucket in range(3)]
        counts = [bench.engine.scalar(f"SELECT count(*) FROM {part}") for part in parts if part]
        assert sum(counts) == whole, name
    assert zone.relation("omop_death", None) is None


def test_claims_carry_the_context_of_their_prestation(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path))
    bench.cross()
    ida, zoe = person(bench, "snds", f"{france.IDA_PSA}/1"), person(bench, "snds", f"{france.TWIN_PSA}/2")
    assert person(bench, "snds", f"{france.IDA_OLD_PSA}/1") == ida
    packs = bench.crossed("pha", "person_id", "PHA_ACT_QSN", "EXE_SOI_DTD", "ETE_IND_TAA", "ETB_EXE_FIN")
    day = date(2019, 1, 10)
    expected = [(ida, 1, day, 1, "2A000001"), (ida, 2, day, 1, "2A000001"), (zoe, 3, day, None, None)]
    assert sorted(packs, key=str) == sorted(expected, key=str)
    assert [row[1:] for row in bench.crossed("cam", "person_id", "CAM_PRS_IDE", "PRS_ACT_QTE", "executant_key")] == [
        ("DEQP003", 1.0, None)
    ]
    amounts = bench.crossed("prs", "PRS_PAI_MNT", "PRS_ACT_QTE", "person_id")
    assert (-12.5, -1.0, ida) in amounts
    assert len(amounts) == 5
    executants = {row[0] for row in bench.crossed("prs", "executant_key")}
    assert len(executants) == 2 and None in executants


def test_a_pseudonym_with_one_holder_needs_no_rank_and_twins_do(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path), france.stays(tmp_path))
    bench.cross()
    bob = person(bench, "snds", f"{france.BOB_PSA}/1")
    assert bob in {row[0] for row in bench.crossed("prs", "person_id")}
    assert [row[0] for row in bench.crossed("mco_b", "person_id")] == sorted(
        [person(bench, "snds", f"{france.IDA_PSA}/1"), person(bench, "snds", f"{france.TWIN_PSA}/2")]
    )


def test_the_rows_of_a_stay_share_its_key_and_dates(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.stays(tmp_path))
    bench.cross()
    stays = {
        row[0]: row[1:]
        for row in bench.crossed("mco_b", "stay_key", "ETA_NUM", "EXE_SOI_DTD", "EXE_SOI_DTF", "NIR_RET")
    }
    assert len(stays) == 2
    assert set(stays.values()) == {("2A0000014", date(2019, 4, 1), date(2019, 4, 5), "0")}
    diagnoses = bench.crossed("mco_d", "stay_key", "ASS_DGN")
    assert {key for key, _ in diagnoses} == set(stays)
    assert sorted(code for _, code in diagnoses) == ["E119", "I10", "J45+0"]
    assert {row[0] for row in bench.crossed("mco_um", "stay_key")} | {
        row[0] for row in bench.crossed("mco_a", "stay_key")
    } == set(stays)
    assert all(0 <= key < 2**63 for key in stays)


def test_resources_become_hospital_records(bench, tmp_path):
    accept(bench, france.fhir(tmp_path))
    bench.cross()
    (ida,) = {p for (_, _), p in bench.persons().items()}
    visit = bench.crossed("h_visit", "visit_key")[0][0]
    assert bench.crossed("h_patient", "person_id", "sex", "birth_on", "death_on") == [
        (ida, "F", date(1950, 3, 1), date(2020, 5, 6))
    ]
    assert bench.crossed("h_visit", "visit_class", "start_at", "end_at") == [
        ("inpatient", datetime(2019, 4, 1, 8), datetime(2019, 4, 5, 18))  # noqa: DTZ001 - the hospital's own clock
    ]
    assert bench.crossed("h_condition", "visit_key", "vocabulary", "code", "rank", "start_on") == [
        (visit, "CIM10", "I21.0", "DP", date(2019, 4, 1))
    ]
    assert bench.crossed("h_procedure", "visit_key", "vocabulary", "code", "done_on") == [
        (visit, "CCAM", "DDQH009", date(2019, 4, 2))
    ]
    assert bench.crossed("h_drug", "kind", "vocabulary", "code", "quantity", "visit_key") == [
        ("administration", "ATC", "C10AA01", 40.0, visit),
        ("prescription", "ATC", "B01AC06", None, None),
        ("prescription", "ATC", "C10AA01", None, None),
    ]
    assert bench.crossed("h_lab", "code", "value", "unit", "range_low", "range_high", "visit_key") == [
        ("2160-0", 88.5, "umol/L", 45.0, 84.0, visit)
    ]


def test_plain_files_become_the_same_records(bench, tmp_path):
    accept(bench, france.plain(tmp_path))
    bench.cross()
    visit = bench.crossed("h_visit", "visit_key")[0][0]
    assert bench.crossed("h_visit", "visit_class") == [("inpatient",)]
    first, last = date(2019, 4, 1), date(2019, 4, 5)
    assert bench.crossed("h_condition", "visit_key", "vocabulary", "code", "rank", "start_on", "end_on") == [
        (visit, "CIM10", "I210", "DP", first, last)
    ]
    assert bench.crossed("h_procedure", "visit_key", "code", "done_on") == [(visit, "DDQH009", first)]
    assert bench.crossed("h_drug", "kind", "code", "quantity", "visit_key") == [
        ("administration", "C10AA01", 40.0, visit)
    ]
    assert bench.crossed("h_lab", "code", "value", "unit", "visit_key") == [("2160-0", 88.5, "umol/L", visit)]


def test_an_older_omop_is_upgraded_and_empties_what_identifies(bench, tmp_path):
    accept(bench, france.omop(tmp_path))
    bench.cross()
    columns = ("visit_occurrence_id", "admitted_from_concept_id", "discharged_to_source_value", "visit_source_value")
    assert bench.crossed("omop_visit_occurrence", *columns) == [
        (1, 8870, "home", "1"),  # a value of this visit alone was its number
        (2, 8870, "home", "inpatient"),
        (3, 8870, "home", "inpatient"),
    ]
    assert bench.crossed("omop_location", "source", "location_id", "address_1", "zip") == [("hosp-c", 1, None, "20000")]
    assert bench.crossed("concept", "concept_id") == [(192671,)]
    ((provider, speciality),) = bench.crossed("omop_provider", "provider_id", "specialty_source_value")
    assert speciality == "cardiology"
    assert provider != 10_101_010_101  # the hospital's own number may be the national one
    assert {row[0] for row in bench.crossed("omop_visit_occurrence", "provider_id")} == {provider}


def test_a_cost_crosses_with_the_person_of_its_visit(bench, tmp_path):
    costs = [
        {"cost_id": n, "cost_event_id": event, "cost_domain_id": domain, "cost_type_concept_id": 32814, "total_paid": n}
        for n, event, domain in ((1, 1, "Visit"), (2, 1, "Visit"), (3, 1, "Note"), (4, 99, "Visit"))
    ]
    accept(bench, france.omop(tmp_path, **{"cost.csv": csv_text(costs, ",")}))
    account = bench.cross()
    ((visitor,),) = set(bench.crossed("omop_visit_occurrence", "person_id"))
    columns = ("person_id", "cost_id", "cost_event_id", "total_paid")
    assert sorted(bench.crossed("omop_cost", *columns)) == [(visitor, 1, 1, 1.0), (visitor, 2, 1, 2.0)]
    assert left(account)["cost"] == {"points_to_rows": 1, "no_person": 1}


def test_a_relation_of_two_persons_crosses_and_others_stay(bench, tmp_path):
    relations = [
        {
            "domain_concept_id_1": domain,
            "fact_id_1": 11,
            "domain_concept_id_2": domain,
            "fact_id_2": other,
            "relationship_concept_id": 40478925,
        }
        for domain, other in ((56, 12), (56, 99), (57, 2))
    ]
    accept(bench, france.omop(tmp_path, **{"fact_relationship.csv": csv_text(relations, ",")}))
    account = bench.cross()
    ((visitor,),) = set(bench.crossed("omop_visit_occurrence", "person_id"))
    persons = {person for (person,) in bench.crossed("omop_person", "person_id")}
    assert bench.crossed("omop_fact_relationship", "person_id", "other_id") == [(visitor, *(persons - {visitor}))]
    stayed = [dict(each.left_behind) for each in account.tables if each.table == "fact_relationship"]
    assert stayed == [{"no_person": 1}, {"points_to_rows": 1}]


def test_rows_that_name_rows_cross_with_the_person_of_these(bench, tmp_path):
    """An episode's events, and relations of rows; what names a number that nobody has stays."""
    episode = {"person_id": 11, "episode_concept_id": 4, "episode_start_date": "2019-03-01"}
    episode |= {"episode_object_concept_id": 0, "episode_type_concept_id": 32817}
    events = [{"episode_id": n, "event_id": 1, "episode_event_field_concept_id": 1147070} for n in (40, 41)]
    links = [
        {
            "domain_concept_id_1": 8,
            "fact_id_1": 1,
            "domain_concept_id_2": 8,
            "fact_id_2": other,
            "relationship_concept_id": 5,
        }
        for other in (1, 99)
    ]
    files = {
        "episode.csv": csv_text([episode | {"episode_id": 40}], ","),
        "episode_event.csv": csv_text(events, ","),
        "fact_relationship.csv": csv_text(links, ","),
    }
    accept(bench, france.omop(tmp_path, **files))
    account = bench.cross()
    ((visitor,),) = set(bench.crossed("omop_visit_occurrence", "person_id"))
    assert bench.crossed("omop_episode", "person_id", "episode_id") == [(visitor, 40)]
    assert bench.crossed("omop_episode_event", "person_id", "episode_id", "event_id") == [(visitor, 40, 1)]
    assert bench.crossed("omop_fact_link", "person_id", "fact_id_1", "fact_id_2") == [(visitor, 1, 1)]
    assert left(account)["episode_event"] == left(account)["fact_relationship"] == {"no_person": 1}


def test_a_delivered_vocabulary_takes_the_place_of_a_hospitals(bench, tmp_path):
    accept(bench, france.omop(tmp_path))
    bench.cross()
    accept(bench, france.vocabulary(tmp_path))
    account = bench.cross()
    assert bench.crossed("concept", "concept_id") == [(1,)]
    assert left(account)["concept"] == {"superseded": 1}


def test_a_linked_patient_and_the_snds_person_have_one_number(bench, tmp_path):
    accept(bench, *france.everything(tmp_path))
    bench.link()
    bench.cross()
    ida, bob = person(bench, "snds", f"{france.IDA_PSA}/1"), person(bench, "snds", f"{france.BOB_PSA}/1")
    assert set(bench.crossed("h_patient", "source", "person_id")) == {("hosp-a", ida), ("hosp-d", bob)}


def test_no_identity_stands_in_what_crosses_neither_in_content_nor_in_names(bench, tmp_path):
    accept(bench, *france.everything(tmp_path))
    bench.link()
    bench.cross()
    zone = bench.crossing
    for name in zone.tables():
        content = str(bench.engine.query(f"SELECT * FROM {zone.relation(name, None)}").to_pydict())
        assert france.CANARY.lower() not in content.lower(), name
    root = bench.folder / "crossing"
    assert not [path for path in root.rglob("*") if france.CANARY.lower() in str(path.relative_to(root)).lower()]
    files = [path for path in root.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        assert france.CANARY.encode() not in path.read_bytes()
    with pytest.raises(OSError, match="encrypted"):  # nor can it be read without the key
        pq.read_table(next(path for path in files if path.suffix == ".parquet"))
    identities = {key for _, key in bench.persons()} | {key.split("/")[0] for _, key in bench.persons()}
    numbers = {str(p) for p in bench.persons().values()}
    assert not identities & numbers


def test_the_same_again_writes_nothing_and_another_number_of_buckets_everything(bench, tmp_path):
    accept(bench, *france.everything(tmp_path))
    bench.link()
    first = bench.cross()
    again = bench.cross()
    assert (again.n_units_written, again.n_units_kept) == (0, first.n_units_written)
    assert again.tables == first.tables
    assert bench.cross(n_buckets=5).n_units_kept == 0
    assert len(list((bench.folder / "crossing").iterdir())) == first.n_units_written + 1


def test_a_new_flux_crosses_alone(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path))
    bench.cross()
    accept(bench, france.claims(tmp_path, "2019-03-01", "dcir-2"))
    account = bench.cross()
    assert (account.n_units_written, account.n_units_kept) == (1, 2)
    assert len(bench.crossed("prs")) == 10


def test_rows_that_waited_for_their_person_cross_when_it_comes(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path))
    assert left(bench.cross())["ER_PRS_F"]["no_person"] == 1
    accept(bench, write_snds(tmp_path, {"late": [f"{france.UNKNOWN_PSA}/1"]}, name="late"))
    assert left(bench.cross())["ER_PRS_F"] == {"twins_untold": 1}
    late = person(bench, "snds", f"{france.UNKNOWN_PSA}/1")
    assert late in {row[0] for row in bench.crossed("prs", "person_id")}


def test_a_merger_changes_the_number_everywhere(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path), france.fhir(tmp_path))
    bench.cross()
    apart = {row[0] for row in bench.crossed("h_patient", "person_id")}
    accept(bench, *france.circuits(tmp_path)[:2])
    bench.link()
    bench.cross()
    (together,) = {row[0] for row in bench.crossed("h_patient", "person_id")}
    assert together == person(bench, "snds", f"{france.IDA_PSA}/1")
    everywhere = {row[0] for name in ("prs", "ben", "h_visit") for row in bench.crossed(name, "person_id")}
    assert together in everywhere
    assert not (apart - {together}) & everywhere


def test_a_second_beneficiary_under_a_pseudonym_makes_twins_of_rows_that_crossed(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path))
    bench.cross()
    bob = person(bench, "snds", f"{france.BOB_PSA}/1")
    assert bob in {row[0] for row in bench.crossed("prs", "person_id")}
    accept(bench, write_snds(tmp_path, {"twin": [f"{france.BOB_PSA}/2"]}, name="twin"))
    account = bench.cross()
    assert left(account)["ER_PRS_F"]["twins_untold"] == 2
    assert bob not in {row[0] for row in bench.crossed("prs", "person_id")}


def test_persons_that_a_flux_does_not_name_leave_it_as_it_crossed(bench, tmp_path):
    accept(bench, france.references(tmp_path), france.claims(tmp_path))
    bench.cross()
    accept(bench, write_snds(tmp_path, {"new": ["SOMEBODYNEW/1"]}, name="new"))
    account = bench.cross()
    assert (account.n_units_written, account.n_units_kept) == (1, 1)


def test_a_later_reference_supersedes_row_by_row(bench, tmp_path):
    accept(bench, france.references(tmp_path))
    accept(bench, france.references(tmp_path, "later", BEN_RES_COM="033", illness_end="2020-01-01"))
    account = bench.cross()
    assert left(account) == {
        "IR_BEN_R": {"superseded": 5},
        "IR_IMB_R": {"superseded": 1},
        "KI_CCI_R": {"no_person": 1, "superseded": 1},
    }
    assert {row[0] for row in bench.crossed("ben", "BEN_RES_COM")} == {"033"}
    assert bench.crossed("imb", "IMB_ALD_DTF") == [(date(2020, 1, 1),)]


def test_rows_that_repeat_a_key_cross_once_and_are_counted(bench, tmp_path):
    doubled = france.csv_text(
        [france.prestation(1, france.IDA_PSA), france.prestation(1, france.IDA_PSA, PRS_ACT_QTE=2)]
    )
    packs = france.csv_text([{**france.NINE, "PRS_ORD_NUM": "1", "PHA_PRS_C13": 1, "PHA_ACT_QSN": 1}])
    establishment = {**france.NINE, "PRS_ORD_NUM": "1", "ETE_IND_TAA": 1}
    files = {
        "ER_PRS_F.csv": doubled,
        "ER_PHA_F.csv": packs,
        "ER_ETE_F.csv": france.csv_text([establishment, {**establishment, "ETE_IND_TAA": 0}]),
    }
    accept(bench, france.references(tmp_path), write_delivery(tmp_path / "d", "snds-dcir", "snds", files))
    account = bench.cross()
    assert left(account)["ER_PRS_F"] == {"duplicate_key": 1}
    assert left(account)["ER_ETE_F"] == {"duplicate_key": 1}
    assert bench.crossed("prs", "PRS_ACT_QTE", "ETE_IND_TAA") == [(1.0, 1)]
    assert len(bench.crossed("pha")) == 1


def test_a_crossing_that_died_is_completed_and_not_read_before(bench, tmp_path):
    accept(bench, *france.everything(tmp_path))
    bench.link()
    bench.number()
    zone = bench.crossing
    records = bench.keys.blocks(KeyName(KeyRole.RECORD))
    n_published = 0

    def dies(what, done, total):
        nonlocal n_published
        n_published = done
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cross(bench.engine, bench.landing, zone, records, n_buckets=4, progress=dies)
    with pytest.raises(NotAsPromised) as refused:
        zone.tables()
    assert refused.value.code is Code.CROSSING_UNBALANCED
    account = bench.cross()
    assert account.n_units_kept == n_published - 1
    assert all(table.is_balanced for table in account.tables)
    assert len(list((bench.folder / "crossing").iterdir())) == account.n_units_kept + account.n_units_written + 1


def test_an_altered_list_of_units_is_refused(bench, tmp_path):
    accept(bench, france.omop(tmp_path))
    bench.cross()
    listed = bench.folder / "crossing" / "units.sealed"
    content = bytearray(listed.read_bytes())
    content[-1] ^= 1
    listed.write_bytes(content)
    with pytest.raises(NotAsPromised) as refused:
        bench.crossing.tables()
    assert refused.value.code is Code.STORAGE_BROKEN


def test_numbers_survive_a_rebuild_of_the_crossing_and_a_new_opening(tmp_path):
    with open_vault(tmp_path / "enclosure") as bench:
        accept(bench, france.references(tmp_path), france.claims(tmp_path))
        bench.cross()
        before, keys = bench.persons(), bench.keys
        rows = bench.crossed("prs")
    for path in sorted((tmp_path / "enclosure" / "crossing").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with open_vault(tmp_path / "enclosure", keys) as bench:
        bench.cross()
        assert bench.persons() == before
        assert bench.crossed("prs") == rows


def test_what_crossed_names_the_functions_of_its_numbers(bench):
    assert bench.crossing.functions() == []
    bench.cross()
    assert bench.crossing.functions() == ["p2:ff1-aes256:1", "r2:aes256-sha256:1"]
