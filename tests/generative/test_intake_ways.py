"""Random files in every way they are written and packed: what lands equals the oracle, line by line."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enclos.contracts.delivered.document import Kind, parse_delivery
from enclos.intake.steps import make_delivery_manifest
from enclos.stores.delivered import DeliveredFolder
from factories.deliveries import open_vault
from factories.examples import drawn
from oracle.intake import MONTHS, land

LAB = (
    ("patient_id", "VARCHAR"),
    ("sejour_id", "VARCHAR"),
    ("code_loinc", "VARCHAR"),
    ("date_heure", "TIMESTAMP"),
    ("valeur", "DOUBLE"),
)
WAYS = ("iso", "DD/MM/YYYY", "YYYYMMDD", "DDMMYYYY", "DDMONYYYY")
PACKINGS = (".csv", ".csv.gz", ".csv.zst", ".zip")


def packed(raw: bytes, packing: str) -> tuple[str, bytes, str]:
    """A file's name, its bytes, and the path of its rows."""
    if packing == ".zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
            opened.writestr("readme.txt", "not a table")
            opened.writestr("export/BIOLOGIE.csv", raw)
        return "2019.zip", archive.getvalue(), "2019.zip/export/BIOLOGIE.csv"
    if packing == ".csv.gz":
        stored = gzip.compress(raw)
    else:
        stored = pa.compress(raw, codec="zstd", asbytes=True) if packing == ".csv.zst" else raw
    return f"BIOLOGIE{packing}", stored, f"BIOLOGIE{packing}"


@st.composite
def written(draw, dates):
    day = draw(st.dates())
    year, month, d = f"{day.year:04d}", f"{day.month:02d}", f"{day.day:02d}"
    return {
        "iso": f"{year}-{month}-{d} 10:20:30",
        "DD/MM/YYYY": f"{d}/{month}/{year} 10:20",
        "YYYYMMDD": f"{year}{month}{d}",
        "DDMMYYYY": f"{d}{month}{year}",
        "DDMONYYYY": f"{d}{MONTHS[day.month - 1]}{year}:10:20:30",
    }[dates]


@st.composite
def files(draw):
    dates, decimal = draw(st.sampled_from(WAYS)), draw(st.sampled_from([".", ","]))
    separator = draw(st.sampled_from([";", "\t", *([","] if decimal == "." else [])]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "iso-8859-1"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    names = [draw(st.sampled_from([name, name.upper()])) for name, _ in LAB]
    lines = [separator.join(names)]
    for _ in range(draw(st.integers(0, 12))):
        way = draw(st.sampled_from([dates] * 5 + list(WAYS)))
        value = draw(st.sampled_from(["1.5", "-2", "1e3", "", "x"])).replace(".", decimal)
        value = draw(st.sampled_from([value] * 5 + ["1.5", "1,5"]))
        if separator == "," and "," in value:
            value = ""
        fields = [draw(st.sampled_from(["A", "é", ""])), "s", "718-7", draw(written(way)), value]
        if draw(st.integers(0, 9)) == 0:
            fields = fields[:3]
        lines.append(separator.join(fields))
    raw = (end.join(lines) + end).encode(encoding)
    return raw, dates, decimal, separator, draw(st.sampled_from(PACKINGS))


@settings(max_examples=drawn(30), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files())
def test_every_line_is_landed_as_declared_however_the_file_is_written_and_packed(tmp_path_factory, file):
    raw, dates, decimal, separator, packing = file
    folder = tmp_path_factory.mktemp("ways")
    delivered = folder / "in"
    delivered.mkdir()
    name, stored, path = packed(raw, packing)
    (delivered / name).write_bytes(stored)
    found = make_delivery_manifest(
        DeliveredFolder(delivered), kind="hospital-csv", source="hosp-d", dates=dates, decimal=decimal
    )
    [declared] = found.files
    assert (declared.path, declared.separator, declared.n_rows) == (path, separator, len(raw.splitlines()) - 1)
    (delivered / "delivery.json").write_bytes(found.canonical())
    encoding = declared.encoding.value
    with open_vault(folder / "enclosure") as bench:
        account = bench.accept(delivered)
        names = [name for name, _ in LAB]
        landed = {
            row[-1]: dict(zip(names, row, strict=False))
            for row in bench.landed(Kind.HOSPITAL_CSV, "BIOLOGIE", names, hidden=["_line"])
        }
        rejected = dict(bench.engine.rows("SELECT line_number, reason FROM vault.rejects"))
    expected = land(
        raw.removeprefix(b"\xef\xbb\xbf"), LAB, ("patient_id",), separator, "", encoding, dates=dates, decimal=decimal
    )
    assert (landed, rejected) == expected
    assert account.n_delivered == len(landed) + len(rejected)


@pytest.mark.parametrize("packing", PACKINGS)
def test_a_cut_file_is_found_out_whatever_packs_it(tmp_path: Path, packing: str) -> None:
    raw = b"patient_id;sejour_id;code_loinc;date_heure;valeur\n" + b"A;s;718-7;2019-01-01;1\n" * 5000
    name, stored, path = packed(raw, packing)
    (tmp_path / name).write_bytes(stored[:-200])
    facts = DeliveredFolder(tmp_path).inspect(path)
    whole = {
        "path": path,
        "table": "BIOLOGIE",
        "sha256": hashlib.sha256(raw if packing == ".zip" else stored).hexdigest(),
        "n_rows": 5000,
        "separator": ";",
    }
    [declared] = parse_delivery(json.loads(json.dumps({"source": "h", "kind": "hospital-csv", "files": [whole]}))).files
    assert facts is None or not facts.whole or facts.sha256 != declared.sha256
