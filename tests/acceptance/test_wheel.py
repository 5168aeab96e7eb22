"""The wheel: the same bytes from the same sources, and a whole Enclos in an environment that has no checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from enclos.lexicon.version import __version__
from factories.enclosure import PASSPHRASE

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "enclos"


def build(sources: Path, out: Path) -> Path:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=sources, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = out.glob("*.whl")
    return wheel


def own_python(folder: Path, *install: str) -> Path:
    """A new environment's bin, with what pip is told to install."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "--quiet", *install]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean())
    assert done.returncode == 0, done.stderr
    return folder / "bin"


def clean() -> dict[str, str]:
    """An environment in which nothing leads to this checkout."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {
        "ENCLOS_PASSPHRASE": PASSPHRASE
    }


def enclos(binaries: Path, folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [str(binaries / "enclos"), *arguments], cwd=folder, env=clean(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def test_two_builds_of_the_same_sources_give_the_same_bytes(wheel: Path, tmp_path: Path) -> None:
    """Other times and modes of files, another folder, and leavings of Python beside them."""
    copy = tmp_path / "elsewhere"
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        copy.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    shutil.copytree(PACKAGE, copy / "src" / "enclos", copy_function=shutil.copyfile)
    (copy / "src" / "enclos" / "__pycache__").mkdir(exist_ok=True)
    (copy / "src" / "enclos" / "__pycache__" / "left.cpython-311.pyc").write_bytes(b"over")
    assert build(copy, tmp_path / "dist").read_bytes() == wheel.read_bytes()


def test_it_holds_every_file_of_the_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        metadata = archive.read(f"enclos-{__version__}.dist-info/METADATA").decode()
    there = {
        f"enclos/{path.relative_to(PACKAGE)}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == there
    assert f"\nVersion: {__version__}\n" in metadata


def test_it_runs_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    """Its own files are the wheel's; the libraries are those of the tests, or installing them would take a minute."""
    binaries = own_python(tmp_path / "own", "--no-deps", "--no-index", str(wheel))
    (packages,) = (tmp_path / "own").glob("lib/python*/site-packages")
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert enclos(binaries, tmp_path, "--version") == f"enclos {__version__}\n"
    asked = "import enclos, enclos.views.sql; print(enclos.__file__)"
    done = subprocess.run(
        [str(binaries / "python"), "-c", asked], cwd=tmp_path, env=clean(), capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(packages / "enclos" / "__init__.py")
    assert json.loads(enclos(binaries, tmp_path, "init", "home", "--json"))
    assert json.loads(enclos(binaries, tmp_path, "ledger", "verify", "home", "--json"))["size"] > 0


@pytest.mark.slow
def test_the_locked_libraries_and_the_wheel_tell_the_whole_story_in_an_empty_environment(
    wheel: Path, tmp_path: Path
) -> None:
    lock = tmp_path / "runtime.lock"
    command = [sys.executable, str(ROOT / "tools" / "runtime_lock.py")]
    lock.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    binaries = own_python(tmp_path / "own", "--require-hashes", "-r", str(lock))
    own = [sys.executable, "-m", "pip", "--python", str(binaries / "python"), "install", "--no-deps", "--no-index"]
    subprocess.run([*own, str(wheel)], check=True, capture_output=True)
    said = json.loads(enclos(binaries, tmp_path, "demo", "--persons", "500", "--dir", "demo", "--json"))
    assert said["identities_found_in_files"] == 0
    assert (tmp_path / "demo" / "report.html").is_file()
