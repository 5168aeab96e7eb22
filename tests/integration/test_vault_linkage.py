"""The direct circuit on a real vault: temporary ids end with it, and a repeated or interrupted run does no harm."""

from __future__ import annotations

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAsPromised
from enclos.linkage.steps import link, measure_links
from factories.deliveries import NOON, open_vault, write_circuit, write_patients, write_snds

TEMPORARY = "IDTEMP7QX"


@pytest.fixture
def bench(tmp_path):
    with open_vault(tmp_path / "enclosure") as opened:
        yield opened


def accept_all(bench, *folders):
    for folder in folders:
        bench.accept(folder)


def circuit(tmp_path, name="1"):
    return write_circuit(
        tmp_path,
        "hosp-a",
        [("p1", f"{TEMPORARY}-{name}"), ("p2", f"t2-{name}")],
        [(f"{TEMPORARY}-{name}", "a/1")],
        name,
    )


def sealed_link_files(bench):
    return list((bench.folder / "vault" / "landed").rglob("LINK_*/*.parquet"))


def test_after_validation_neither_key_nor_file_of_a_temporary_id_is_left(bench, tmp_path):
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"]}), write_patients(tmp_path, "hosp-a", ["p1", "p2"]))
    accept_all(bench, *circuit(tmp_path))
    kept = {path: path.read_bytes() for path in sealed_link_files(bench)}
    assert len(kept) == 2
    assert len([name for name in bench.keys.names() if name.startswith("vault/link-")]) == 2
    report = bench.link()
    assert (report.destroyed, report.already, report.waiting) == (2, False, ())
    assert [hospital.as_json() for hospital in report.hospitals] == [
        {
            "source": "hosp-a",
            "patients": 2,
            "linked": 1,
            "unlinked": 1,
            "conflicts": 0,
            "reasons": {"linked": 1, "no_answer": 1, "unknown_person": 0, "conflict": 0},
        }
    ]
    assert sealed_link_files(bench) == []
    assert [name for name in bench.keys.names() if "link-" in name] == []
    # the files put back by a backup stay unreadable: their key is gone, and they never were plain
    assert not [path for path, content in kept.items() if TEMPORARY.encode() in content]
    subject = bench.engine.scalar("SELECT key_subject FROM vault.landed WHERE kind = 'link' LIMIT 1")
    with pytest.raises(NotAsPromised) as refused:
        bench.keys.secret(KeyName(KeyRole.VAULT, subject))
    assert refused.value.code is Code.KEY_MISSING
    for table in ("deliveries", "landed", "rejects", "links", "link_rounds", "link_reports", "clusters", "person_map"):
        cells = bench.engine.query(f"SELECT * FROM vault.{table}").to_pylist()
        assert TEMPORARY not in str(cells), table


def test_a_second_run_says_that_there_is_nothing_new(bench, tmp_path):
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"]}), *circuit(tmp_path))
    first = bench.link()
    links = bench.engine.rows("SELECT * FROM vault.links")
    again = bench.link()
    assert again.already
    assert again.hospitals == first.hospitals
    assert bench.engine.rows("SELECT * FROM vault.links") == links


def test_half_a_circuit_waits_for_the_other_half(bench, tmp_path):
    own, national = circuit(tmp_path)
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"]}), own)
    report = bench.link()
    assert (report.waiting, report.already, report.destroyed) == (("hosp-a",), True, 0)
    bench.accept(national)
    assert bench.link().hospitals[0].n_linked == 1


def test_without_any_snds_person_a_circuit_waits(bench, tmp_path):
    accept_all(bench, *circuit(tmp_path))
    assert bench.link().waiting == ("hosp-a",)
    bench.accept(write_snds(tmp_path, {"ida": ["a/1"]}))
    assert bench.link().hospitals[0].n_linked == 1


def test_a_run_that_died_before_destroying_is_completed_by_the_next(bench, tmp_path):
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"]}), *circuit(tmp_path))

    class Dies:
        def destroy_link(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        link(bench.engine, bench.landing, Dies(), linked_at=NOON)
    assert len(sealed_link_files(bench)) == 2
    report = bench.link()
    assert (report.destroyed, report.already, report.hospitals[0].n_linked) == (2, True, 1)
    assert sealed_link_files(bench) == []


def test_destroyed_files_delivered_again_are_known(bench, tmp_path):
    folders = circuit(tmp_path)
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"]}), *folders)
    bench.link()
    assert all(bench.accept(folder).already for folder in folders)
    assert sealed_link_files(bench) == []


def test_a_later_circuit_merges_two_persons_and_the_smaller_number_stays(bench, tmp_path):
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"]}), write_patients(tmp_path, "hosp-a", ["p1", "p2"]))
    bench.number()
    before = bench.persons()
    assert len(set(before.values())) == 3
    accept_all(bench, *circuit(tmp_path))
    bench.link()
    report = bench.number()
    after = bench.persons()
    assert (report.n_merged, report.n_moved, report.n_new, report.n_persons) == (1, 1, 0, 2)
    assert after["hosp-a", "p1"] == after["snds", "a/1"]
    assert after["hosp-a", "p2"] == before["hosp-a", "p2"]
    counters = dict(bench.engine.rows("SELECT person_id, min(counter) FROM vault.person_map GROUP BY person_id"))
    assert counters[after["snds", "a/1"]] == 0


def test_links_are_measured_against_the_truth(bench, tmp_path):
    accept_all(bench, write_snds(tmp_path, {"ida": ["a/1"], "bob": ["b/1"]}))
    accept_all(bench, write_patients(tmp_path, "hosp-a", ["p1", "p2", "p3", "p4"]))
    accept_all(
        bench, *write_circuit(tmp_path, "hosp-a", [("p1", "1"), ("p2", "2"), ("p3", "3")], [("1", "a/1"), ("2", "a/1")])
    )
    bench.link()
    truth = [
        (1, "snds", "a/1", True),
        (2, "snds", "b/1", True),
        (1, "hosp-a", "p1", True),  # found
        (2, "hosp-a", "p2", True),  # linked to another
        (2, "hosp-a", "p3", True),  # not found though linkable
        (3, "hosp-a", "p4", False),  # not in the SNDS at all
    ]
    names = ("true_person", "source", "source_person_id", "linkable")
    identities = pa.table(dict(zip(names, map(list, zip(*truth, strict=True)), strict=True)))
    persons = pa.table({"true_person": [1, 2, 3], "snds": pa.array([["a/1"], ["b/1"], []], pa.list_(pa.string()))})
    measured = measure_links(bench.engine, bench.landing, identities, persons).as_json()["direct"]
    assert (measured["recall"], measured["recall_all"], measured["false_links"]) == (1 / 3, 1 / 3, 1)
