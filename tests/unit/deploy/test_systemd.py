"""The systemd units as systemd itself reads them, and how exposed it says that each is."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from enclos.cli import commands as _every_command  # noqa: F401 - importing them registers them
from enclos.cli.application import application

ROOT = Path(__file__).resolve().parents[3]
UNITS = ROOT / "deploy" / "systemd"
SERVICES = sorted(UNITS.glob("*.service"))
GUIDE = ROOT / "docs" / "guides" / "one-machine.md"
WORST = 1.0
"""The most that a service may be exposed, of 10: what listens or reads a storage needs a network."""

pytestmark = pytest.mark.system("systemd")


def exposure(service: Path) -> float:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(service)], capture_output=True, text=True, check=True
    )
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert found
    return float(found[1])


def commands(service: Path) -> list[list[str]]:
    """The enclos commands that a service runs, with their arguments."""
    lines = re.findall(r"^ExecStart\w*=(.*)$", service.read_text(encoding="utf-8"), re.MULTILINE)
    return [found[1].split() for line in lines if (found := re.search(r"/opt/enclos/bin/enclos ([^>']*)", line))]


def installed(folder: Path, program: str) -> Path:
    """The units as they would be installed, with a program that is there."""
    for path in UNITS.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(UNITS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text(encoding="utf-8").replace("/opt/enclos/bin/enclos", program))
    return folder


def test_systemd_finds_no_fault_in_any_unit(tmp_path: Path) -> None:
    folder = installed(tmp_path, sys.executable)
    units = sorted(map(str, [*folder.glob("*.service"), *folder.glob("*.timer")]))
    assert len(units) >= 9
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    served = folder / "enclos-serve.service"
    served.write_text(served.read_text(encoding="utf-8").replace("[Service]", "[Service]\nProtectEverything=yes"))
    wrong = subprocess.run(["systemd-analyze", "verify", str(served)], capture_output=True, text=True, check=False)
    assert "ProtectEverything" in wrong.stderr, "a fault would be found"


def test_the_guide_shows_how_exposed_systemd_says_each_service_is() -> None:
    shown = dict(re.findall(r"^\| `(enclos-[a-z-]+\.service)` \|.*\| ([0-9.]+) \|$", GUIDE.read_text(), re.MULTILINE))
    measured = {service.name: exposure(service) for service in SERVICES}
    assert {name: float(value) for name, value in shown.items()} == measured
    assert max(measured.values()) <= WORST


def test_without_the_shared_hardening_a_service_is_unsafe(tmp_path: Path) -> None:
    """The score is of the folder that systemd reads beside each unit, not of the units alone."""
    copy = tmp_path / "enclos-serve.service"
    copy.write_bytes((UNITS / copy.name).read_bytes())
    assert exposure(copy) > 9


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_each_service_runs_a_command_that_exists_with_options_that_it_has(service: Path) -> None:
    (asked,) = commands(service)
    command = typer.main.get_command(application)
    while hasattr(command, "commands"):
        command = command.commands[asked.pop(0)]
    with command.make_context("enclos", asked) as context:
        assert "/var/lib/enclos/home" in map(str, context.params.values())


def test_what_recurs_has_a_timer_and_what_serves_has_none() -> None:
    oneshot = {service.stem for service in SERVICES if "Type=oneshot" in service.read_text(encoding="utf-8")}
    assert {timer.stem for timer in UNITS.glob("*.timer")} == oneshot
    assert {service.stem for service in SERVICES} - oneshot == {"enclos-gateway", "enclos-serve"}


def test_no_unit_holds_a_secret_and_each_takes_them_from_files() -> None:
    texts = [path.read_text(encoding="utf-8") for path in UNITS.rglob("*") if path.is_file()]
    assert not [text for text in texts if re.search(r"ENCLOS_(PASSPHRASE|PIN|S3_|PG_)", re.sub(r"#.*", "", text))]
    hardening = (UNITS / "enclos-.service.d" / "hardening.conf").read_text(encoding="utf-8")
    assert "LoadCredential=ENCLOS:/etc/enclos/secrets\nEnvironment=ENCLOS_SECRETS=%d" in hardening
