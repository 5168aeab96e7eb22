"""Secrets from a folder: each file stands for the variable that it is named after."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer import BadParameter

from enclos.cli.secret_files import take_secrets
from factories.enclosure import call, run_cli


def written(folder: Path, **secrets: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, secret in secrets.items():
        (folder / name).write_text(secret)
        (folder / name).chmod(0o400)
    return folder


def test_a_file_stands_for_its_variable_and_what_is_set_stays(tmp_path: Path) -> None:
    folder = written(tmp_path / "secrets", ENCLOS_PIN="1234\n", ENCLOS_PG_USER="one", PATH="/nowhere", notes="x")
    environment = {"ENCLOS_SECRETS": str(folder), "ENCLOS_PG_USER": "two", "PATH": "/bin"}
    take_secrets(environment)
    assert environment == {
        "ENCLOS_SECRETS": str(folder), "ENCLOS_PG_USER": "two", "PATH": "/bin", "ENCLOS_PIN": "1234",
    }  # fmt: skip


def test_links_are_followed_as_kubernetes_makes_them(tmp_path: Path) -> None:
    folder = written(tmp_path / "secrets")
    written(folder / "..2026", ENCLOS_PIN="1234")
    (folder / "..data").symlink_to("..2026")
    (folder / "ENCLOS_PIN").symlink_to("..data/ENCLOS_PIN")
    environment = {"ENCLOS_SECRETS": str(folder)}
    take_secrets(environment)
    assert environment["ENCLOS_PIN"] == "1234"


@pytest.mark.parametrize("mode", [0o404, 0o444, 0o402])
def test_a_file_that_others_can_use_is_refused_without_its_content(tmp_path: Path, mode: int) -> None:
    folder = written(tmp_path / "secrets", ENCLOS_PIN="73519")
    (folder / "ENCLOS_PIN").chmod(mode)
    with pytest.raises(BadParameter, match="others can use ENCLOS_PIN") as caught:
        take_secrets({"ENCLOS_SECRETS": str(folder)})
    assert "73519" not in str(caught.value)


def test_a_folder_that_is_not_there_and_a_secret_that_is_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParameter):
        take_secrets({"ENCLOS_SECRETS": str(tmp_path / "absent")})
    folder = written(tmp_path / "secrets")
    (folder / "ENCLOS_PIN").write_bytes(b"\xff\xfe")
    (folder / "ENCLOS_PIN").chmod(0o400)
    with pytest.raises(BadParameter):
        take_secrets({"ENCLOS_SECRETS": str(folder)})


def test_a_command_opens_an_enclosure_by_a_secret_in_a_file(tmp_path: Path) -> None:
    run_cli("init", tmp_path / "home")
    folder = written(tmp_path / "secrets", ENCLOS_PASSPHRASE="a passphrase for tests\n")
    done = call("keys", "list", tmp_path / "home", ENCLOS_PASSPHRASE="", ENCLOS_SECRETS=str(folder))
    assert done.returncode == 0, done.stderr
    assert "ledger" in done.stdout
