"""C7-73, 76, 77, 82: no file leaves, whatever it is called or glued to; rows of a job are read to the last sign."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from enclos.app.tables import refuse_file
from enclos.contracts.tables import KeyKind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.release.rules.files import FileKind, kind_of, rows_of
from enclos.studies.figures.style import png_of_svg

COLUMNS = (("person_id", None), ("gender_concept_id", KeyKind.CONCEPT), ("flag", KeyKind.FLAG), ("cost", None))
HEAD = "person_id,gender_concept_id,flag,cost\n"
ROWS = (HEAD + "1,8507,yes,12.5\n2,8532,no,\n").encode()
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
PNG = png_of_svg(SVG.decode())


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table({"person_id": [1]}), out)
    return out.getvalue()


def saved(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


FILES: dict[str, tuple[bytes, FileKind]] = {
    "png": (PNG, FileKind.PICTURE),
    "jpeg": (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", FileKind.PICTURE),
    "dicom": (b"\x00" * 128 + b"DICM", FileKind.PICTURE),
    "pickle": (pickle.dumps({"a": [1, 2]}), FileKind.PICKLE),
    "pickle of old": (pickle.dumps([1, "x"], protocol=0), FileKind.PICKLE),
    "parquet": (parquet(), FileKind.PARQUET),
    "xlsx": (zipped("[Content_Types].xml", "xl/workbook.xml", "xl/pivotCache/r.xml"), FileKind.OFFICE),
    "docx": (zipped("[Content_Types].xml", "word/document.xml"), FileKind.OFFICE),
    "doc": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 99, FileKind.OFFICE),
    "zip": (zipped("rows.csv"), FileKind.ARCHIVE),
    "gzip": (gzip.compress(ROWS), FileKind.ARCHIVE),
    "tar": (b"x" * 257 + b"ustar\x00", FileKind.ARCHIVE),
    "pdf": (b"%PDF-1.7\n", FileKind.PDF),
    "elf": (b"\x7fELF\x02", FileKind.PROGRAM),
    "numpy": (saved(np.zeros(3)), FileKind.MODEL),
    "hdf5": (b"\x89HDF\r\n\x1a\n", FileKind.MODEL),
    "sqlite": (b"SQLite format 3\x00", FileKind.DATABASE),
    "duckdb": (b"\x00\x00\x00\x00DUCK", FileKind.DATABASE),
    "html": (b"<!DOCTYPE html><script>var rows=[[1,2]]</script>", FileKind.MARKUP),
    "svg": (SVG, FileKind.MARKUP),
    "svg later": (b"a,b\n1,2\n" + SVG, FileKind.MARKUP),
    "python": (b"import os\nprint(1)\n", FileKind.SCRIPT),
    "R": (b"f <- function(x) x\n", FileKind.SCRIPT),
    "shell": (b"#!/bin/sh\n", FileKind.SCRIPT),
    "notebook": (json.dumps({"cells": [], "nbformat": 4}).encode(), FileKind.SCRIPT),
    "json": (b'{"data": [[1, 2], [3, 4]]}', FileKind.DATA),
    "csv": (b"person_id,diagnosis\n1,F32\n", FileKind.TABLE),
    "csv with semicolons": (b"patient_id;dob\n1;1950\n", FileKind.TABLE),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), FileKind.TABLE),
    "text": (b"Jean Dupont has HIV\n", FileKind.TEXT),
    "noise": (bytes(range(128, 256)), FileKind.UNKNOWN),
    "nothing": (b"", FileKind.UNKNOWN),
}  # fmt: skip


def refused(content: bytes) -> str:
    with pytest.raises(Refusal) as caught:
        rows_of(content, COLUMNS, "person_id")
    assert caught.value.code is Code.RELEASE_FILE
    return str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_c7_76_82_a_file_is_known_by_its_bytes_and_refused_under_every_name(name: str, tmp_path: Path) -> None:
    content, kind = FILES[name]
    assert kind_of(content) is kind
    refused(content)
    for called in ("result.csv", "run", "0123456789abcdef", "table.png"):
        (tmp_path / called).write_bytes(content)
        with pytest.raises(Refusal) as caught:
            refuse_file(str(tmp_path / called))
        assert caught.value.code is Code.RELEASE_FILE
        assert kind.value in str(caught.value)
        assert "Dupont" not in str(caught.value)
    refuse_file("0123456789abcdef")  # a run is no file


@pytest.mark.parametrize("name", [name for name in FILES if name != "nothing"])
def test_c7_76_what_is_glued_to_rows_is_refused_with_them(name: str) -> None:
    content, _ = FILES[name]
    for glued in (ROWS + content, content + ROWS, HEAD.encode() + content + ROWS[len(HEAD) :]):
        refused(glued)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + ROWS,
        ROWS.replace(b"\n", b"\r\n"),
        ROWS.decode().encode("utf-16"),
        ROWS.replace(b",", b";"),
        ROWS.replace(b"person_id", b"Patient_ID"),
        ROWS.replace(b"person_id", b" person_id"),
        ROWS.replace(b"12.5", b'"12.5"'),
        ROWS.replace(b"12.5", b" 12.5"),
        ROWS.replace(b"12.5", b"12.5 "),
        ROWS.replace(b"12.5", b"=1+1"),
        ROWS.replace(b"12.5", b"+1"),
        ROWS.replace(b"12.5", b"1e300"),
        ROWS.replace(b"12.5", b"0012"),
        ROWS.replace(b"12.5", b"12.50000000018503121"),
        ROWS.replace(b"12.5", b"nan"),
        ROWS.replace(b"12.5", b"Dupont"),
        ROWS.replace(b"12.5", b"12.5,7"),
        ROWS.replace(b"yes", b"YES"),
        ROWS.replace(b"yes", "y\u200bes".encode()),
        ROWS.replace(b"8507", b"8507/*x*/"),
        ROWS.replace(b"8507", b"99999999999"),
        ROWS.replace(b"2,8532", b",8532"),
        ROWS + b"\n",
        ROWS + b"\x00",
        ROWS[:-1],
        b"\n" + ROWS,
        HEAD.encode() + b"1," * 200_000 + b"\n",
        b"person_id,gender_concept_id\n1,8507\n",
        "é".encode("latin-1") + ROWS,
    ],
)
def test_c7_73_77_what_is_not_exactly_the_declared_rows_is_refused_without_being_quoted(content: bytes) -> None:
    message = refused(content)
    for word in ("Dupont", "12.5", "8507", "18503121"):
        assert word not in message


def test_the_declared_rows_are_read() -> None:
    rows = rows_of(ROWS, COLUMNS, "person_id").to_pylist()
    assert rows == [
        {"person_id": 1, "gender_concept_id": 8507, "flag": True, "cost": 12.5},
        {"person_id": 2, "gender_concept_id": 8532, "flag": False, "cost": None},
    ]
    assert rows_of(HEAD.encode(), COLUMNS, "person_id").num_rows == 0


PLAIN = b"0123456789abcdefghijklmnopqrstuvwxyz_,.-\n"


@given(st.integers(0, len(ROWS)), st.binary(min_size=1, max_size=40).filter(lambda some: not set(some) <= set(PLAIN)))
def test_no_byte_but_plain_ones_passes_wherever_it_is_put(at: int, some: bytes) -> None:
    refused(ROWS[:at] + some + ROWS[at:])
