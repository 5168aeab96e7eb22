"""A hospital's pseudonymisation, as it types it: no identity in what leaves, in messages or in temporary files."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from enclos.pseudonyms.steps.senders import PSEUDONYM_COLUMN
from factories.enclosure import call
from factories.tokens import PIN, token

pytestmark = pytest.mark.system("softhsm2")

N_ROWS = 20_000
COLUMNS = ("--columns", "nir=NIR,birth=DDN,sex=SEXE", "--keep", "sejour,code")


def person(number: int) -> tuple[str, str, str, str]:
    draw = random.Random(number % 5_000)  # noqa: S311 - synthetic persons
    nir = f"{draw.choice('12')}{draw.randrange(100):02d}{draw.randrange(1, 13):02d}{draw.randrange(10**8):08d}"
    return (
        nir,
        f"19{draw.randrange(10, 99)}-{draw.randrange(1, 13):02d}-{draw.randrange(1, 29):02d}",
        draw.choice("MF"),
        (f"CANARI{number % 5_000}"),
    )


@pytest.fixture
def stays(tmp_path: Path) -> Path:
    lines = ["NIR;DDN;SEXE;NOM;sejour;code"]
    lines += [f"{';'.join(person(number))};S{number};I{number % 90 + 10}" for number in range(N_ROWS)]
    path = tmp_path / "in" / "stays.csv"
    path.parent.mkdir()
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def identities() -> set[bytes]:
    return {text.encode() for number in range(5_000) for text in (person(number)[0], person(number)[3])}


def shown(content: bytes) -> bool:
    return b"CANARI" in content or any(each in content for each in identities())


@pytest.fixture(params=["file", "token"])
def key(request, tmp_path) -> Path:
    folder = tmp_path / "key"
    place = token("pseudonym-keeper") if request.param == "token" else "file"
    done = call("keys", "source", folder, "--source", "hosp-a", "--keys", place, ENCLOS_PIN=PIN)
    assert done.returncode == 0, done.stderr
    return folder


def test_no_identity_is_in_what_leaves_nor_beside_it(stays, key, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    out = tmp_path / "out" / "stays.csv"
    done = call("pseudonymise", stays, out, "--key", key, *COLUMNS, "--json", ENCLOS_PIN=PIN, TMPDIR=str(work))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["files"] == {"stays.csv": N_ROWS} and told["function"] == "p1:cmac-aes256:1"
    lines = out.read_text().splitlines()
    assert lines[0].split(";")[0].strip('"') == PSEUDONYM_COLUMN and len(lines) == N_ROWS + 1
    assert len({line.split(";")[0] for line in lines[1:]}) == len({person(number)[:3] for number in range(5_000)})
    left = [path for path in tmp_path.rglob("*") if path.is_file() and stays.parent not in path.parents]
    assert [path.name for path in out.parent.iterdir()] == ["stays.csv"] and list(work.iterdir()) == []
    assert {path.name for path in left} >= {"stays.csv", "source.json", "uses.jsonl"}
    for path in left:
        assert not shown(path.read_bytes()), path
    assert not shown((done.stdout + done.stderr).encode())


def test_a_refused_file_leaves_nothing_and_its_message_no_value(stays, key, tmp_path):
    text = stays.read_text().splitlines()
    for number, line, code in (
        (777, text[776].replace(";M;", ";X;").replace(";F;", ";X;"), "KEY-06"),
        (888, "a;b", "KEY-08"),
    ):
        spoilt = [*text[: number - 1], line, *text[number:]]
        stays.write_text("\n".join(spoilt) + "\n")
        out = tmp_path / "out" / "stays.csv"
        done = call("pseudonymise", stays, out, "--key", key, *COLUMNS, "--json", ENCLOS_PIN=PIN)
        assert done.returncode == 4 and json.loads(done.stdout)["refused"]["code"] == code
        assert str(number) in done.stderr and not shown((done.stdout + done.stderr).encode())
        assert list(out.parent.iterdir()) == []


def test_the_source_key_is_made_once(key):
    done = call("keys", "source", key, "--source", "hosp-a", "--json", ENCLOS_PIN=PIN)
    assert done.returncode == 3 and json.loads(done.stdout)["refused"]["code"] == "KEY-04"
