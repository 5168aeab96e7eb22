import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.synthetic import make_france


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_parameters_give_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    make_france(tmp_path / "a", 500, (2019, 2019), 3)
    script = "import sys\nfrom pathlib import Path\nfrom enclos.synthetic import make_france\n"
    script += "make_france(Path(sys.argv[1]), 500, (2019, 2019), 3)"
    elsewhere = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "America/Cayenne", "LC_ALL": "C"}
    subprocess.run([sys.executable, "-c", script, str(tmp_path / "b")], env=elsewhere, check=True)
    make_france(tmp_path / "c", 500, (2019, 2019), 4)
    assert fingerprint(tmp_path / "a") == fingerprint(tmp_path / "b")
    mine, other = fingerprint(tmp_path / "a"), fingerprint(tmp_path / "c")
    lists = (f"T_MCO19{letter}.csv" for letter in "BCAD")
    parts = ("2019-06/ER_", "IR_", "persons", *lists)
    drawn = [name for name in mine if any(part in name for part in parts) and "_ARC" not in name]
    assert len(drawn) == 8 + 4 + 4 + 1
    assert not [name for name in drawn if mine[name] == other[name]]
    fixed = "deliveries/vocabulary/CONCEPT.csv"
    assert mine[fixed] == other[fixed]


def test_a_finished_folder_is_left_as_it_is(tmp_path: Path) -> None:
    first = make_france(tmp_path / "a", 100, (2019, 2019), 3)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    again = make_france(tmp_path / "a", 100, (2019, 2019), 3)
    assert {**first, "seconds": 0} == {**again, "seconds": 0}
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}


def test_a_folder_with_anything_else_is_refused(tmp_path: Path) -> None:
    make_france(tmp_path / "a", 100, (2019, 2019), 3)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "letter.txt").write_text("dear")
    (tmp_path / "a" / "truth" / "recipe.json").rename(tmp_path / "recipe.json")  # as if it had been killed
    for folder in ("a", "b"):
        before = fingerprint(tmp_path / folder)
        with pytest.raises(Refusal) as refused:
            make_france(tmp_path / folder, 100, (2019, 2019), 3)
        assert refused.value.code is Code.SYNTH_OUT_TAKEN
        assert fingerprint(tmp_path / folder) == before
    (tmp_path / "recipe.json").rename(tmp_path / "a" / "truth" / "recipe.json")
    with pytest.raises(Refusal):
        make_france(tmp_path / "a", 100, (2019, 2019), 3, traps=False)


@pytest.mark.parametrize(("n_persons", "years"), [(0, (2019, 2020)), (10, (2020, 2019)), (10, (1900, 2019))])
def test_a_france_without_people_or_years_is_refused(tmp_path: Path, n_persons: int, years: tuple[int, int]) -> None:
    with pytest.raises(Refusal) as refused:
        make_france(tmp_path / "a", n_persons, years, 1)
    assert refused.value.code is Code.SYNTH_PARAMETERS
    assert not (tmp_path / "a").exists()


def test_progress_rises_from_0_to_1(tmp_path: Path) -> None:
    told: list[float] = []
    make_france(tmp_path / "a", 60, (2019, 2019), 1, progress=lambda _what, share: told.append(share))
    assert told[0] == 0
    assert told[-1] == 1
    assert told == sorted(told)


def test_persons_of_an_early_chunk_do_not_depend_on_later_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclos.synthetic.france.CHUNK_PERSONS", 100)
    make_france(tmp_path / "a", 100, (2019, 2019), 3)
    make_france(tmp_path / "b", 250, (2019, 2019), 3)
    for name in ("snds-ref/IR_BEN_R.csv", "snds-pmsi-2019/T_MCO19C.csv", "hosp-d/PATIENT.csv"):
        short, long = ((tmp_path / each / "deliveries" / name).read_text() for each in "ab")
        assert long.startswith(short)
        assert len(long) > len(short)


def test_one_person_makes_a_whole_france(tmp_path: Path) -> None:
    result = make_france(tmp_path / "a", 1, (2019, 2019), 1)
    assert result["n_rows"]["IR_BEN_R"] == 1
    for folder in (tmp_path / "a" / "deliveries").iterdir():
        assert json.loads((folder / "delivery.json").read_text())["files"]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    """A real limit of the operating system on the length of files, in a process of its own."""
    script = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from enclos.lexicon.refusals import Refusal\nfrom enclos.synthetic import make_france\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))\n"
        "try:\n    make_france(Path(sys.argv[1]), 2000, (2019, 2019), 3)\n"
        "except Refusal as refused:\n    print(refused.code.name)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(tmp_path / "a")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "STORAGE_FULL\n"
    assert done.stderr == ""
    assert list((tmp_path / "a").iterdir()) == []
    make_france(tmp_path / "a", 50, (2019, 2019), 3)
