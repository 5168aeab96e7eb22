"""``explain`` names the delivered lines from which an independent reader recomputes a row's code and date."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest

from enclos.app.lineage import explain_row
from enclos.app.snapshots import reading_snapshot
from enclos.contracts.delivered.snds import NINE_KEYS
from enclos.synthetic import make_france
from factories.enclosure import open_home, refused, run_cli
from oracle.warehouse import care_trap

pytestmark = pytest.mark.xdist_group("explain")
COLUMNS = {
    "condition_occurrence": ("condition_source_value", "condition_start_date"),
    "drug_exposure": ("drug_source_value", "drug_exposure_start_date"),
    "procedure_occurrence": ("procedure_source_value", "procedure_date"),
    "measurement": ("measurement_source_value", "measurement_date"),
}


DISPENSED = ("PHA_PRS_C13", "EXE_SOI_DTD", "PFS_EXE_NUM")


MANY = 10**9


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


@cache
def contents(deliveries: Path) -> dict[str, list[str]]:
    """The lines of every delivered file, by the SHA-256 of what is in it."""
    files = [content(path) for path in deliveries.rglob("*") if path.is_file() and path.name != "delivery.json"]
    return {hashlib.sha256(file).hexdigest(): file.decode().splitlines() for file in files if file}


def record(lines: list[str], number: int) -> dict[str, Any]:
    """A line of a file, read without the engine; CSV has its header in the first."""
    if lines[0].startswith("{"):
        found: dict[str, Any] = json.loads(lines[number - 1])
        return found
    separator = max(",;\t", key=lines[0].count)
    head, row = csv.reader([lines[0], lines[number - 1]], delimiter=separator)
    return dict(zip(head, row, strict=True))


def named(france: Path, told: dict[str, Any]) -> list[dict[str, Any]]:
    files = contents(france / "deliveries")
    return [record(files[each["sha256"]], each["line"]) for each in told["sources"]]


def values(found: Any) -> Iterator[str]:
    """Every value of a record, however deep."""
    if isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from values(value)
    else:
        yield str(found)


def delays(lines: list[dict[str, Any]]) -> set[int]:
    """How long after the day that a line names its row may be, in any field; a week of SSR is seven days."""
    said = {int(value) for line in lines for name, value in line.items() if "DEL" in name and str(value).isdigit()}
    weeks = {int(line["RHS_NUM"]) for line in lines if line.get("RHS_NUM")}
    return {0} | said | {7 * week + day for week in weeks for day in range(-13, 1)}


def sample(home: Any, table: str, n: int, where: str = "true") -> list[dict[str, Any]]:
    key = "person_id" if table in ("person", "death") else f"{table}_id"
    with reading_snapshot(home) as (engine, snapshot):
        rows = engine.query(f"SELECT * FROM {snapshot.relation(table)} WHERE {where} ORDER BY {key}").to_pylist()
    return Random(7).sample(rows, min(n, len(rows)))  # noqa: S311


@pytest.fixture(scope="module")
def france(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Few persons over one year: every kind of delivery, traps included."""
    folder: Path = tmp_path_factory.mktemp("explain") / "france"
    make_france(folder, 120, (2019, 2019), 3)
    return folder


@pytest.fixture(scope="module")
def home(france: Path) -> Path:
    folder = france.parent / "home"
    run_cli("init", folder, "--buckets", 2)
    settings = folder / "enclos.toml"
    told = settings.read_text()
    assert "threads = 2" in told
    settings.write_text(told.replace("threads = 2", "threads = 1"))  # over few lines two wait longer than they work
    run_cli("ingest", folder, *sorted((france / "deliveries").iterdir()))
    run_cli("link", folder)
    run_cli("build", folder)
    return folder


@pytest.fixture(scope="module")
def vault(home: Path) -> Iterator[Any]:
    with open_home(home) as enclosure:
        yield enclosure


@pytest.mark.slow
@pytest.mark.parametrize("table", sorted(COLUMNS))
def test_the_lines_tell_the_code_and_the_day(france: Path, vault: Any, table: str) -> None:
    """One row of each kind: a claim, a stay, a hospital's record, a certificate."""
    code, day = COLUMNS[table]
    kind = next(name for name in sample(vault, table, 1)[0] if name.endswith("type_concept_id"))
    kinds = {row[kind] for row in sample(vault, table, MANY)}
    for row in [row for each in sorted(kinds) for row in sample(vault, table, 1, f"{kind} = {each}")]:
        told = explain_row(vault, table, row[f"{table}_id"])
        lines = named(france, told)
        said = {value.replace(".", "").lstrip("0") for line in lines for value in values(line)}
        assert row[code].replace(".", "").lstrip("0") in said
        days = {value[:10] for line in lines for value in values(line)}
        assert any((row[day] - timedelta(days=delay)).isoformat() in days for delay in delays(lines))
        assert told["rules"]["enclos mapping"]


def test_a_dispensing_names_its_packs_and_their_prestations_and_no_other_line(
    france: Path, home: Path, vault: Any
) -> None:
    """An independent reader joins packs with prestations on the nine keys and groups them as docs/warehouse.md says."""
    groups: defaultdict[tuple[str, ...], set[tuple[str, int]]] = defaultdict(set)
    files = contents(france / "deliveries")
    prestations: dict[tuple[str, ...], tuple[str, int, dict[str, Any]]] = {}
    packs = []
    for sha, lines in files.items():
        if "PRS_NAT_REF" in lines[0] or "PHA_PRS_C13" in lines[0]:
            for number in range(2, len(lines) + 1):
                row = record(lines, number)
                if "PHA_PRS_C13" in row:
                    packs.append((sha, number, row))
                else:
                    prestations[tuple(row[key] for key in NINE_KEYS)] = (sha, number, row)
    for sha, number, row in packs:
        of, at, care = prestations[tuple(row[key] for key in NINE_KEYS)]
        whole = {**care, **row}
        judged = {key: int(value) if value.isdigit() else None for key, value in whole.items()}
        if care_trap({**judged, "ETE_MCO_DDP": None}) is None and int(row["PHA_ACT_QSN"]) > 0:
            key = (care["BEN_NIR_PSA"], care["BEN_RNG_GEM"], *(whole[name] for name in DISPENSED))
            groups[key] |= {(sha, number), (of, at)}
    whole_groups = list(groups.values())
    for row in sample(vault, "drug_exposure", 2, "drug_type_concept_id = 32869"):
        told = explain_row(vault, "drug_exposure", row["drug_exposure_id"])
        assert {(each["sha256"], each["line"]) for each in told["sources"]} in whole_groups
        assert told["rules"]["days of this row"] in ("pack-size-1", "one-box-30-1")
        shown = json.dumps(told)
        assert not any(psa in shown for psa, *_ in groups)
        kept = b"".join(path.read_bytes() for path in (home / "ledger").rglob("*") if path.is_file())
        assert str(row["drug_exposure_id"]).encode() not in kept


def test_a_row_tells_its_rule_the_traps_it_passed_and_the_steps_to_its_concept(vault: Any) -> None:
    (row,) = sample(vault, "drug_exposure", 1, "drug_type_concept_id = 32869 AND drug_concept_id > 0")
    told = explain_row(vault, "drug_exposure", row["drug_exposure_id"])
    (verdict,) = told["verdicts"]
    assert (verdict["rule"], verdict["mapped"], verdict["reasons"]) == (
        "snds-1/pha/drug_exposure",
        verdict["n_lines"],
        {},
    )
    assert {"information_line", "public_hospital", "no_date"} <= {each["trap"] for each in verdict["passed"]}
    steps = told["vocabulary"]
    assert [step["step"] for step in steps] == ["source concept", "Maps to"]
    assert [step["concept_id"] for step in steps] == [row["drug_source_concept_id"], row["drug_concept_id"]]
    assert (steps[0]["code"], steps[-1]["standard"]) == (row["drug_source_value"], True)


def test_a_cost_names_the_lines_that_add_up_to_it(france: Path, vault: Any) -> None:
    in_town = "cost_type_concept_id <> 32855 AND cost_type_concept_id <> 32854 AND total_charge > 0"
    (row,) = sample(vault, "cost", 1, in_town)
    lines = named(france, explain_row(vault, "cost", row["cost_id"]))
    assert round(sum(float(line["PRS_PAI_MNT"]) for line in lines), 2) == row["total_charge"]
    assert round(sum(float(line["BSE_REM_MNT"] or 0) for line in lines), 2) == row["paid_by_primary"]


def test_a_payers_period_names_the_lines_that_the_scheme_paid(france: Path, vault: Any) -> None:
    (row,) = sample(vault, "payer_plan_period", 1, "payer_source_value <> 'AME'")
    lines = named(france, explain_row(vault, "payer_plan_period", row["payer_plan_period_id"]))
    paid = [line for line in lines if "RGM_GRG_COD" in line]
    assert {line["RGM_GRG_COD"] for line in paid} == {row["payer_source_value"]}
    first, last = (row[f"payer_plan_period_{side}_date"].isoformat() for side in ("start", "end"))
    assert all(first <= line["EXE_SOI_DTD"][:10] <= last for line in paid)


def test_a_device_names_its_line(france: Path, vault: Any) -> None:
    (row,) = sample(vault, "device_exposure", 1)
    lines = named(france, explain_row(vault, "device_exposure", row["device_exposure_id"]))
    said = {value.lstrip("0") for line in lines for value in values(line)}
    assert row["device_source_value"].lstrip("0") in said


def test_an_era_names_its_records_and_their_lines(vault: Any) -> None:
    (era,) = sample(vault, "drug_era", 1, "drug_exposure_count = 2")
    told = explain_row(vault, "drug_era", era["drug_era_id"])
    assert {each["table"] for each in told["records"]} == {"drug_exposure"}
    assert len(told["records"]) == 2
    lines = {
        (each["sha256"], each["line"])
        for record in told["records"]
        for each in explain_row(vault, "drug_exposure", record["id"])["sources"]
    }
    assert {(each["sha256"], each["line"]) for each in told["sources"]} == lines


def test_a_row_of_an_omop_delivery_names_its_own_line(france: Path, vault: Any) -> None:
    with reading_snapshot(vault) as (engine, snapshot):
        of_hospitals = f"SELECT person_id FROM {snapshot.relation('person_source')} WHERE source = "
        (row, *_) = engine.query(
            f"SELECT * FROM {snapshot.relation('drug_exposure')} WHERE drug_type_concept_id <> 32869 "
            f"AND person_id IN ({of_hospitals} 'hosp-c') AND person_id NOT IN ({of_hospitals} 'hosp-a') "
            f"AND person_id NOT IN ({of_hospitals} 'hosp-b') AND person_id NOT IN ({of_hospitals} 'hosp-d') "
            "ORDER BY drug_exposure_id LIMIT 1"
        ).to_pylist()
    told = explain_row(vault, "drug_exposure", row["drug_exposure_id"])
    (line,) = named(france, told)
    assert told["crossed_as"] == ["omop_drug_exposure"]
    assert int(line["drug_concept_id"]) == row["drug_concept_id"]
    assert line["drug_exposure_start_date"] == row["drug_exposure_start_date"].isoformat()


@pytest.mark.parametrize(
    "table", ["person", "death", "observation_period", "visit_occurrence", "visit_detail", "condition_era"]
)
def test_rows_without_a_code_have_lines_too(france: Path, vault: Any, table: str) -> None:
    (row,) = sample(vault, table, 1)
    told = explain_row(vault, table, row["person_id" if table in ("person", "death") else f"{table}_id"])
    assert named(france, told)


def test_neither_an_unknown_table_nor_an_unknown_number_is_explained(home: Path) -> None:
    assert refused("explain", home, "concept", 1)[:2] == (4, "WHS-07")
    assert refused("explain", home, "drug_exposure", 1)[:2] == (4, "WHS-07")
