"""Deliveries on a real disk: accepted whole or refused whole, and never anything in between."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from enclos.contracts.delivered.document import Kind
from enclos.intake.steps import make_delivery_manifest, read_accounts
from enclos.lexicon.codes import Code
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.delivered import DeliveredFolder
from enclos.stores.keys import FileKeyStore
from factories.deliveries import NINE, csv_text, open_vault, write_delivery
from shared_data import shared

CANARY = "CANARI7QX"


def beneficiary(number: int, **changes: object) -> dict[str, object]:
    row = {
        "BEN_NIR_PSA": f"{CANARY}{number:08d}",
        "BEN_RNG_GEM": 1,
        "BEN_IDT_ANO": f"IDT{number:014d}",
        "BEN_SEX_COD": 1 + number % 2,
        "BEN_NAI_ANN": 1950,
        "BEN_DCD_DTE": "1600-01-01",
    }
    return {**row, **changes}


def beneficiaries(n_rows: int) -> str:
    return csv_text([beneficiary(i) for i in range(n_rows)])


def claims(flux: str, **changes: object) -> str:
    row = {
        **NINE,
        "FLX_DIS_DTD": flux,
        "BEN_NIR_PSA": "A",
        "BEN_RNG_GEM": 1,
        "EXE_SOI_DTD": "2019-01-05",
        "PRS_NAT_REF": 3313,
    }
    return csv_text([{**row, **changes}])


@pytest.fixture
def bench(tmp_path):
    with open_vault(tmp_path / "enclosure", threads=2) as opened:
        yield opened


def assert_nothing_kept(bench):
    assert read_accounts(bench.engine) == []
    assert (
        bench.engine.rows("SELECT delivery_id FROM vault.landed UNION ALL SELECT delivery_id FROM vault.rejects") == []
    )
    assert list((bench.folder / "vault" / "landed").iterdir()) == []


def refused(bench, folder) -> Code:
    with pytest.raises(NotAsPromised) as caught:
        bench.accept(folder)
    assert CANARY not in str(caught.value)
    return caught.value.code


def test_a_delivery_is_landed_typed_and_encrypted_with_its_account(bench, tmp_path):
    text = csv_text([beneficiary(1), beneficiary(2, BEN_DCD_DTE=""), beneficiary(3, BEN_NAI_ANN="19x0")])
    account = bench.accept(write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv.gz": text}))
    assert (account.n_delivered, account.n_landed, account.n_rejected) == (3, 2, 1)
    assert account.tables[0].reasons == {"value": 1}
    rows = bench.landed(Kind.SNDS_REF, "IR_BEN_R", ("BEN_RNG_GEM", "BEN_DCD_DTE"), hidden=("_line", "_delivery"))
    assert [(row[0], str(row[1]), row[2], row[3]) for row in rows] == [(1, "1600-01-01", 2, 1), (1, "None", 3, 1)]
    assert bench.engine.rows("SELECT line_number, reason, column_name FROM vault.rejects") == [
        (4, "value", "BEN_NAI_ANN")
    ]
    raw = bench.landing.rejected_lines(account.delivery_id)
    assert f"{CANARY}00000003;1;".encode() in bench.engine.scalar(f"SELECT raw FROM {raw}")


def test_no_value_stands_plain_in_any_file_of_the_vault(bench, tmp_path):
    bench.accept(write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": beneficiaries(50) + "x;y\n"}))
    bench.engine.execute("CHECKPOINT vault")
    files = [path for path in (bench.folder / "vault").rglob("*") if path.is_file()]
    assert len(files) >= 3
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_the_same_delivery_again_changes_nothing_and_says_so(bench, tmp_path):
    folder = write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": beneficiaries(5)})
    first = bench.accept(folder)
    before = sorted((path, path.stat().st_mtime_ns) for path in (bench.folder / "vault" / "landed").rglob("*"))
    again = bench.accept(folder)
    assert (first.already, again.already) == (False, True)
    assert again.as_json() == {**first.as_json(), "already": True}
    assert before == sorted((path, path.stat().st_mtime_ns) for path in (bench.folder / "vault" / "landed").rglob("*"))
    assert len(read_accounts(bench.engine)) == 1


def spoil(folder: Path, how: str) -> Path:
    document = json.loads((folder / "delivery.json").read_text())
    entry, file = document["files"][0], folder / document["files"][0]["path"]
    if how == "altered":
        file.write_bytes(file.read_bytes().replace(b"1950", b"1951", 1))
    elif how == "missing file":
        file.unlink()
    elif how == "more data":
        (folder / "other.csv").write_text("a\n")
    elif how == "unknown encoding":
        entry["encoding"] = "utf-16"
    elif how == "miscounted":
        entry["n_rows"] += 1
    elif how == "no document":
        (folder / "delivery.json").unlink()
        return folder
    elif how == "no json":
        (folder / "delivery.json").write_text("{")
        return folder
    (folder / "delivery.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("altered", Code.HASH_WRONG),
        ("missing file", Code.FILE_MISSING),
        ("more data", Code.FILE_MISSING),
        ("unknown encoding", Code.ENCODING_UNKNOWN),
        ("miscounted", Code.ROWS_MISCOUNTED),
        ("no document", Code.DELIVERY_UNDECLARED),
        ("no json", Code.DELIVERY_MALFORMED),
    ],
)
def test_what_is_not_as_declared_is_refused_whole(bench, tmp_path, how, code):
    good = write_delivery(tmp_path / "good", "snds-ref", "snds", {"IR_BEN_R.csv": beneficiaries(5)})
    spoiled = spoil(Path(shutil.copytree(good, tmp_path / "spoiled")), how)
    assert refused(bench, spoiled) is code
    assert_nothing_kept(bench)
    assert bench.accept(good).n_landed == 5


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("BEN_NIR_PSA;BEN_RNG_GEM\nA;1\n", Code.COLUMNS_WRONG),
        (beneficiaries(2).replace("BEN_DCD_DTE", "BEN_SURNAME"), Code.COLUMNS_WRONG),
        (beneficiaries(2).replace("BEN_DCD_DTE", "BEN_NAI_ANN"), Code.COLUMNS_WRONG),
        (beneficiaries(2).replace("\n", "\r\n", 1), Code.FILE_UNREADABLE),
        ("", Code.COLUMNS_WRONG),
    ],
)
def test_a_file_that_does_not_obey_the_layout_is_refused(bench, tmp_path, text, code):
    assert refused(bench, write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": text})) is code
    assert_nothing_kept(bench)


def test_windows_letters_are_not_taken_for_iso_8859_1(bench, tmp_path):
    text = beneficiaries(2).encode().replace(b"IDT00000000000001", b"IDT\x800000000000001")
    folder = write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": text}, encoding="iso-8859-1")
    assert refused(bench, folder) is Code.ENCODING_UNKNOWN
    assert_nothing_kept(bench)


def declare_again(folder: Path) -> Path:
    """Write a true document for whatever is in the folder now, as a careless sender would."""
    document = json.loads((folder / "delivery.json").read_text())
    for entry in document["files"]:
        entry["sha256"] = hashlib.sha256((folder / entry["path"]).read_bytes()).hexdigest()
    (folder / "delivery.json").write_text(json.dumps(document))
    return folder


def test_a_truncated_gzip_is_refused_even_when_its_hash_was_taken_after(bench, tmp_path):
    folder = write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv.gz": beneficiaries(3000)})
    file = folder / "IR_BEN_R.csv.gz"
    file.write_bytes(file.read_bytes()[:-40])
    assert refused(bench, declare_again(folder)) is Code.FILE_TRUNCATED
    assert_nothing_kept(bench)


def test_a_truncated_parquet_is_refused(bench, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    pq.write_table(pa.table({"person_id": range(1000)}), folder / "person.parquet")
    DeliveredFolder(folder).write_manifest(
        make_delivery_manifest(DeliveredFolder(folder), kind="omop", source="hosp-c").canonical()
    )
    file = folder / "person.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    assert refused(bench, declare_again(folder)) is Code.FILE_TRUNCATED


def test_a_damaged_parquet_is_refused_by_name(bench, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    table = pa.table({"person_id": np.random.default_rng(3).integers(0, 1 << 40, 5000)})
    pq.write_table(table, folder / "person.parquet", compression="zstd", use_dictionary=False)
    make = make_delivery_manifest(DeliveredFolder(folder), kind="omop", source="hosp-c")
    DeliveredFolder(folder).write_manifest(make.canonical())
    file = folder / "person.parquet"
    content = bytearray(file.read_bytes())
    content[4:60] = bytes(56)  # the header of the first page; a change within a page only the declared hash can see
    file.write_bytes(content)
    assert refused(bench, declare_again(folder)) is Code.FILE_UNREADABLE
    assert_nothing_kept(bench)


def test_the_same_file_twice_is_refused_within_a_delivery_and_across(bench, tmp_path):
    text = beneficiaries(4)
    tables = {"IR_BEN_R.csv": "IR_BEN_R", "again.csv.gz": "IR_BEN_R"}
    twice = write_delivery(tmp_path / "twice", "snds-ref", "snds", dict.fromkeys(tables, text), tables=tables)
    assert refused(bench, twice) is Code.FILE_TWICE
    assert_nothing_kept(bench)
    bench.accept(write_delivery(tmp_path / "one", "snds-ref", "snds", {"IR_BEN_R.csv": text}))
    compressed = write_delivery(tmp_path / "two", "snds-ref", "snds", {"IR_BEN_R.csv.gz": text})
    assert refused(bench, compressed) is Code.FILE_TWICE
    other_source = write_delivery(tmp_path / "three", "snds-ref", "mirror", {"IR_BEN_R.csv": text})
    assert bench.accept(other_source).n_landed == 4


def test_a_flux_delivered_again_with_other_bytes_is_refused(bench, tmp_path):
    bench.accept(write_delivery(tmp_path / "feb", "snds-dcir", "snds", {"ER_PRS_F.csv": claims("2019-02-01")}))
    again = claims("2019-02-01", PRS_NAT_REF=3314)
    assert (
        refused(bench, write_delivery(tmp_path / "feb2", "snds-dcir", "snds", {"ER_PRS_F.csv": again}))
        is Code.FLUX_TWICE
    )
    march = write_delivery(tmp_path / "mar", "snds-dcir", "snds", {"ER_PRS_F.csv": claims("2019-03-01")})
    assert bench.accept(march).n_landed == 1
    assert bench.engine.scalar("SELECT count(*) FROM vault.fluxes") == 2


def test_a_yearly_table_is_landed_once(bench, tmp_path):
    stay = "ETA_NUM;RSA_NUM;NIR_ANO_17\n2A0000014;{};P\n"
    bench.accept(write_delivery(tmp_path / "a", "snds-pmsi", "snds", {"T_MCO19C.csv": stay.format(1)}))
    again = write_delivery(tmp_path / "b", "snds-pmsi", "snds", {"T_MCO19C.csv": stay.format(2)})
    assert refused(bench, again) is Code.FLUX_TWICE
    assert (
        bench.accept(write_delivery(tmp_path / "c", "snds-pmsi", "snds", {"T_MCO20C.csv": stay.format(1)})).n_landed
        == 1
    )


def test_a_quote_that_never_ends_is_refused_until_quotes_are_declared_as_text(bench, tmp_path):
    text = beneficiaries(5).replace("IDT00000000000002", '"IDT0000000000002')
    assert (
        refused(bench, write_delivery(tmp_path / "a", "snds-ref", "snds", {"IR_BEN_R.csv": text}))
        is Code.ROWS_MISCOUNTED
    )
    assert_nothing_kept(bench)
    assert (
        bench.accept(write_delivery(tmp_path / "b", "snds-ref", "snds", {"IR_BEN_R.csv": text}, quote="")).n_landed == 5
    )


@pytest.mark.parametrize("held", ["1;2", "1;", ";1"])
def test_a_quoted_field_that_holds_the_separator_is_no_two_numbers(bench, tmp_path, held):
    good, wrong = beneficiary(1), beneficiary(2, BEN_SEX_COD="X")
    text = csv_text([good, wrong]).replace(";X;", f';"{held}";')
    account = bench.accept(write_delivery(tmp_path / "a", "snds-ref", "snds", {"IR_BEN_R.csv": text}))
    assert (account.n_landed, account.n_rejected) == (1, 1)


def test_resources_are_landed_as_they_are_and_broken_lines_rejected(bench, tmp_path):
    good = '{"resourceType":"Patient","id":"p1","name":[{"family":"é"}]}'
    lines = [
        good,
        "{",
        "[1]",
        '{"resourceType":"Encounter","id":"e"}',
        '{"resourceType":"Patient"}',
        "",
        good.replace("p1", "p2"),
    ]
    content = "\n".join(lines).encode() + b'\n{"resourceType":"Patient","id":"\xff"}\n'
    account = bench.accept(write_delivery(tmp_path / "in", "fhir-bulk", "hosp-a", {"Patient.ndjson": content}))
    assert bench.landed(Kind.FHIR_BULK, "Patient", ("id", "resource"), hidden=("_line",)) == [
        ("p1", good, 1),
        ("p2", good.replace("p1", "p2"), 7),
    ]
    assert sorted(bench.engine.rows("SELECT line_number, reason, column_name FROM vault.rejects")) == [
        (2, "json", None),
        (3, "json", None),
        (4, "resource", None),
        (5, "missing_key", "id"),
        (8, "encoding", None),
    ]
    raw = bench.landing.rejected_lines(account.delivery_id)
    assert b"\xff" in bench.engine.scalar(f"SELECT raw FROM {raw} WHERE line_number = 8")


def test_parquet_values_that_would_be_bent_are_rejected(bench, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    table = pa.table(
        {
            "PERSON_ID": pa.array([1.0, 2.5, 3.0, None, 5.0]),
            "year_of_birth": pa.array(["1950", "1950", "19.5", "1950", ""]),
            "birth_datetime": pa.array(["1950-01-01", "1950-01-01 10:00:00", None, None, None]),
        }
    )
    pq.write_table(table, folder / "person.parquet")
    declared = make_delivery_manifest(DeliveredFolder(folder), kind="omop", source="hosp-c")
    DeliveredFolder(folder).write_manifest(declared.canonical())
    bench.accept(folder)
    columns = ("person_id", "year_of_birth")
    assert bench.landed(Kind.OMOP, "person", columns, hidden=("_line",)) == [(1, 1950, 1), (5, None, 5)]
    assert sorted(bench.engine.rows("SELECT line_number, reason, column_name FROM vault.rejects")) == [
        (2, "value", "person_id"),
        (3, "value", "year_of_birth"),
        (4, "missing_key", "person_id"),
    ]


def test_a_vocabulary_has_compact_dates_and_quotes_that_are_text(bench, tmp_path):
    text = 'concept_id\tconcept_name\tvalid_start_date\n1\t5" catheter\t19700101\n2\t"odd\t2020-02-01\n3\tx\t20201301\n'
    bench.accept(write_delivery(tmp_path / "in", "vocabulary", "athena", {"CONCEPT.csv": text}, separator="\t"))
    rows = bench.landed(Kind.VOCABULARY, "concept", ("concept_id", "concept_name", "valid_start_date", "domain_id"))
    assert [(row[0], row[1], str(row[2]), row[3]) for row in rows] == [
        (1, '5" catheter', "1970-01-01", None),
        (2, '"odd', "2020-02-01", None),
    ]


def test_line_numbers_hold_in_a_large_file_read_by_several_threads(bench, tmp_path):
    n_rows, faulty = 400_000, {7, 8, 123_456, 399_999}
    lines = ["BEN_NIR_PSA;BEN_RNG_GEM;BEN_IDT_ANO;BEN_SEX_COD;BEN_NAI_ANN"]
    lines += ["few" if i in faulty else f"P{i};{i};I{i % 1000};1;1950" for i in range(n_rows)]
    bench.accept(write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": "\n".join(lines) + "\n"}))
    relation = bench.landing.relation("snds-ref", "IR_BEN_R", ("BEN_RNG_GEM",))
    assert bench.engine.rows(f"SELECT count(*), count_if(_line = BEN_RNG_GEM + 2) FROM {relation}") == [
        (n_rows - len(faulty), n_rows - len(faulty))
    ]
    assert {row[0] for row in bench.engine.rows("SELECT line_number FROM vault.rejects")} == {i + 2 for i in faulty}


def test_gibleed_is_declared_and_landed_whole(bench, tmp_path):
    """Where the reference data is absent, a small OMOP folder of the same shape stands in."""
    gibleed = shared("omop", "gibleed")
    folder = tmp_path / "gibleed"
    if gibleed is None:
        folder.mkdir()
        pq.write_table(pa.table({"person_id": [1, 2]}), folder / "person.parquet")
    else:
        shutil.copytree(gibleed, folder, copy_function=shutil.copyfile)
    folder.chmod(0o700)
    delivered = DeliveredFolder(folder)
    delivered.write_manifest(make_delivery_manifest(delivered, kind="omop", source="gibleed").canonical())
    account = bench.accept(folder)
    assert account.n_rejected == 0
    assert account.n_landed == account.n_delivered
    persons = {table.table: table.n_landed for table in account.tables}["person"]
    assert persons == (2694 if gibleed else 2)


def test_an_undeclared_folder_is_described_by_its_bytes(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "PATIENT.csv").write_bytes(b'patient_id,sex,birth_date\n"a\nb",F,1950-01-01\n')
    (folder / "SEJOUR.csv.gz").write_bytes(
        gzip.compress(b"sejour_id;patient_id;entree;sortie;mode\n1;a;;;\xe9\n", mtime=0)
    )
    declared = make_delivery_manifest(DeliveredFolder(folder), kind="hospital-csv", source="hosp-d")
    assert [(f.path, f.n_rows, f.encoding.value, f.separator) for f in declared.files] == [
        ("PATIENT.csv", 1, "utf-8", ","),
        ("SEJOUR.csv.gz", 1, "iso-8859-1", ";"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("readme.csv", b"a\n", Code.TABLE_UNKNOWN),
        ("PATIENT.csv", b"patient_id;sex\n\x80;M\n", Code.ENCODING_UNKNOWN),
        ("PATIENT.csv", b"patient_id|sex\n", Code.COLUMNS_WRONG),
        ("PATIENT.csv.gz", gzip.compress(b"patient_id;sex\n" * 500, mtime=0)[:-9], Code.FILE_TRUNCATED),
    ],
)
def test_what_cannot_be_described_is_refused(tmp_path, name, content, code):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(NotAsPromised) as caught:
        make_delivery_manifest(DeliveredFolder(tmp_path), kind="hospital-csv", source="hosp-d")
    assert caught.value.code is code


# -- the operating system says no, or kills ------------------------------------------------------------------------

CHILD = """
import resource, sys
from datetime import UTC, datetime
from pathlib import Path
from enclos.intake.steps import accept_delivery
from enclos.lexicon.keys import KeyName, KeyRole
from enclos.lexicon.refusals import Refusal
from enclos.stores.delivered import DeliveredFolder
from enclos.stores.engine import open_engine
from enclos.stores.keys import FileKeyStore
from enclos.stores.landing import LandingZone
from enclos.stores.vault import attach_vault

folder, delivery, limit = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
keys = FileKeyStore.open(folder / "keys.json", "p")
with open_engine(folder / "tmp", 1024, 2) as engine:
    attach_vault(engine, folder / "vault" / "vault.duckdb", keys.secret(KeyName(KeyRole.VAULT)))
    landing = LandingZone(engine, folder / "vault" / "landed", keys)
    if limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    print("ready", flush=True)
    try:
        noon = datetime(2026, 3, 1, tzinfo=UTC)
        account = accept_delivery(DeliveredFolder(delivery), engine, landing, received_at=noon)
    except Refusal as refused:
        print(refused.code.id, flush=True)
        sys.exit(refused.exit_code)
    print(account.n_landed, account.already, flush=True)
"""


def start_child(folder: Path, delivery: Path, limit: int = 0) -> subprocess.Popen[str]:
    source = Path(__file__).resolve().parents[2] / "src"
    # Under a limit on file sizes Python would leave cut byte code behind, so it writes none.
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("ENCLOS_UNSAFE_TRACE", None)
    command = [sys.executable, "-c", CHILD, str(folder), str(delivery), str(limit)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


@pytest.fixture
def enclosure(tmp_path):
    folder = tmp_path / "enclosure"
    folder.mkdir()
    FileKeyStore.initialise(folder / "keys.json", "p").create(KeyName(KeyRole.VAULT))
    return folder


def test_a_full_disk_is_a_refusal_and_loses_nothing(enclosure, tmp_path):
    """The operating system ends every file at 64 KiB; without the limit the same delivery is accepted."""
    unlike = np.random.default_rng(5).bytes(8 * 20_000).hex()
    rows = [beneficiary(i, BEN_IDT_ANO=unlike[16 * i : 16 * i + 16]) for i in range(20_000)]
    delivery = write_delivery(tmp_path / "in", "snds-ref", "snds", {"IR_BEN_R.csv": csv_text(rows)})
    full = start_child(enclosure, delivery, limit=64 << 10)
    out, err = full.communicate(timeout=120)
    assert (full.returncode, out.split()[-1]) == (4, "ENC-04"), err
    assert CANARY not in out + err
    assert not list((enclosure / "vault" / "landed").iterdir())
    done = start_child(enclosure, delivery)
    out, err = done.communicate(timeout=120)
    assert (done.returncode, out.split()[-2:]) == (0, ["20000", "False"]), err


def test_killed_at_any_moment_the_next_run_completes(enclosure, tmp_path):
    delivery = write_delivery(
        tmp_path / "in",
        "snds-ref",
        "snds",
        {
            "IR_BEN_R.csv": beneficiaries(150_000),
            "IR_IMB_R.csv": "BEN_NIR_PSA;BEN_RNG_GEM;IMB_ALD_DTD\nA;1;2019-01-01\n",
        },
    )
    n_killed = 0
    for delay in [0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8]:
        child = start_child(enclosure, delivery)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(delay)
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=60)
        n_killed += child.returncode == -signal.SIGKILL
    done = start_child(enclosure, delivery)
    out, err = done.communicate(timeout=120)
    assert (done.returncode, out.split()[-2]) == (0, "150001"), err
    again = start_child(enclosure, delivery)
    out, _ = again.communicate(timeout=120)
    assert out.split()[-2:] == ["150001", "True"]
    assert n_killed >= 3
    assert len(list((enclosure / "vault" / "landed").iterdir())) == 1
