"""Saved cohorts: replaced by name, kept whole, sealed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole, SecretKey
from enclos.lexicon.refusals import Refusal
from enclos.stores import cohort_file, files
from enclos.stores.cohort_file import SCHEMA, CohortFile, remove_cohorts

NAME = KeyName(KeyRole.PERMIT, "FR-TEST-0001")
KEY = SecretKey(NAME, bytes(range(32)))
CANARY = 987_654_321_987


def rows(*persons: int) -> pa.Table:
    """One row for each person."""
    return pa.Table.from_pylist(
        [
            {"subject_id": person, "cohort_start_date": date(2020, 1, 5), "cohort_end_date": date(2020, 1, 9)}
            for person in persons
        ],
        schema=pa.schema(list(SCHEMA)[1:]),
    )


def kept(file: CohortFile) -> set[tuple[int, int]]:
    table = file.rows()
    return set(zip(table["cohort_definition_id"].to_pylist(), table["subject_id"].to_pylist(), strict=True))


def save(file: CohortFile, cohorts: dict[str, pa.Table]) -> dict[str, int]:
    """Save cohorts, each by a definition that says how many rows it has."""
    return file.replace(cohorts, {name: f'{{"rows": {table.num_rows}}}' for name, table in cohorts.items()})


def test_a_cohort_takes_the_place_of_that_of_the_same_name_and_keeps_its_id(tmp_path: Path) -> None:
    file = CohortFile(tmp_path, KEY)
    assert kept(file) == set()
    assert save(file, {"statin": rows(1, 2), "12": rows(3), "bleed": rows()}) == {
        "statin": 1_000_000,
        "12": 12,
        "bleed": 1_000_001,
    }
    assert save(file, {"1": rows(7), "bleed": rows(4), "other": rows(5)}) == {
        "1": 1,
        "bleed": 1_000_001,
        "other": 1_000_002,
    }
    assert kept(CohortFile(tmp_path, KEY)) == {
        (1, 7),
        (12, 3),
        (1_000_000, 1),
        (1_000_000, 2),
        (1_000_001, 4),
        (1_000_002, 5),
    }
    definitions = {name: file.definition(name) for name in ("statin", "bleed", "12", "never")}
    assert definitions == {"statin": '{"rows": 2}', "bleed": '{"rows": 1}', "12": '{"rows": 1}', "never": None}


def test_rows_that_were_saved_without_their_definition_have_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = CohortFile(tmp_path, KEY)
    with monkeypatch.context() as before:
        before.setattr(cohort_file, "_DEFINITIONS", b"nothing read this")
        save(file, {"old": rows(1)})
    assert (kept(file), file.definition("old")) == ({(1_000_000, 1)}, None)
    save(file, {"new": rows(2)})
    assert (file.definition("old"), file.definition("new")) == (None, '{"rows": 1}')


def test_what_lies_on_disk_is_sealed_and_opens_under_its_key_only(tmp_path: Path) -> None:
    save(CohortFile(tmp_path, KEY), {"a": rows(CANARY)})
    (content,) = [path.read_bytes() for path in tmp_path.rglob("*.sealed")]
    assert CANARY.to_bytes(8, "little") not in content and b"PAR1" not in content
    for other, flipped in ((KEY, 1), (SecretKey(NAME, bytes(32)), 0)):
        next(tmp_path.rglob("*.sealed")).write_bytes(content[:-1] + bytes([content[-1] ^ flipped]))
        with pytest.raises(Refusal) as caught:
            CohortFile(tmp_path, other).rows()
        assert caught.value.code in {Code.STORAGE_BROKEN, Code.KEY_MISSING}


def test_a_process_that_dies_while_it_saves_leaves_the_cohorts_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = CohortFile(tmp_path, KEY)
    save(file, {"a": rows(1)})

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "fsync", dies)
    with pytest.raises(KeyboardInterrupt):
        save(file, {"a": rows(2), "b": rows(3)})
    monkeypatch.undo()
    assert kept(file) == {(1_000_000, 1)}
    save(file, {"b": rows(3)})
    assert kept(file) == {(1_000_000, 1), (1_000_001, 3)}


def test_cohorts_can_be_taken_away_without_a_key(tmp_path: Path) -> None:
    remove_cohorts(tmp_path)
    save(CohortFile(tmp_path, KEY), {"a": rows(1)})
    remove_cohorts(tmp_path)
    assert kept(CohortFile(tmp_path, KEY)) == set()
