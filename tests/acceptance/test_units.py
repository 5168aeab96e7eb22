"""What the systemd units forbid is nothing that their commands need: each runs behind walls like those of its unit.

systemd is no process here, so the walls are built by bubblewrap and prctl(2), and the system calls are traced and
compared with the lists that systemd would make its filter from.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from enclos.app.permits import open_one, sign
from enclos.app.sign_in import sign_in_locally
from enclos.gateway.people import draw_password
from enclos.signin.model import Role
from factories.asking import small_home
from factories.enclosure import ALICE, ENCLOS, PASSPHRASE, open_home, permit_text
from factories.gateway import certificate
from factories.people import PASSWORD, local_account, shown_code

UNITS = Path(__file__).resolve().parents[2] / "deploy" / "systemd"
HARDENING = (UNITS / "enclos-.service.d" / "hardening.conf").read_text(encoding="utf-8")
STATE, PROGRAM = "/var/lib/enclos", "/opt/enclos/bin/enclos"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.system("systemd"),
    pytest.mark.system("bubblewrap"),
    pytest.mark.system("strace"),
]

DENY_WRITE_EXECUTE = """\
import ctypes, os, sys
assert ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) == 0  # PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
os.execvp(sys.argv[1], sys.argv[1:])
"""


def allowed() -> set[str]:
    """The system calls that the units let through, by systemd's own lists."""
    printed = subprocess.run(["systemd-analyze", "syscall-filter"], capture_output=True, text=True, check=True).stdout
    sets: dict[str, list[str]] = {}
    for block in printed.split("\n\n"):
        name, *lines = [line.strip() for line in block.strip().splitlines()] or [""]
        sets[name] = [line for line in lines if line and not line.startswith("#")]

    def calls(name: str) -> set[str]:
        return {call for one in sets[name] for call in (calls(one) if one.startswith("@") else {one})}

    assert re.findall(r"^SystemCallFilter=(.*)$", HARDENING, re.MULTILINE) == ["@system-service", "~@privileged"]
    found = calls("@system-service") - calls("@privileged")
    assert "openat" in found
    assert "mount" not in found
    return found


def behind_walls(unit: str, state: Path, trace: Path) -> list[str]:
    """The unit's command as it would be started: read-only but for its state, without network where it says so; with no
    bubblewrap, since a unit makes no namespaces.
    """
    text = (UNITS / f"{unit}.service").read_text(encoding="utf-8")
    (start,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    walls = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"]  # noqa: S108 - its own
    walls += ["--tmpfs", "/var/lib", "--ro-bind", "/dev/null", "/usr/bin/bwrap"]
    walls += ["--ro-bind", sys.prefix, sys.prefix, "--ro-bind", str(UNITS.parents[1]), str(UNITS.parents[1])]
    walls += [
        "--bind",
        str(state),
        STATE,
        "--bind",
        str(trace.parent),
        str(trace.parent),
        "--unshare-user",
        "--unshare-ipc",
    ]
    for place in re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE):
        (state.parent / Path(place).name).mkdir()
        walls += ["--tmpfs", str(Path(place).parent), "--bind", str(state.parent / Path(place).name), place]
    walls += ["--unshare-net"] if "PrivateNetwork=yes" in text else []
    command = ["/bin/sh", "-c", start.replace("/bin/sh -c 'exec", "exec").rstrip("'").replace(PROGRAM, str(ENCLOS))]
    return [*walls, "strace", "-f", "-qq", "-o", str(trace), sys.executable, "-c", DENY_WRITE_EXECUTE, *command]


def with_the_unit_s_own(unit: str) -> set[str]:
    """What is let through by a unit that names more."""
    text = (UNITS / f"{unit}.service").read_text(encoding="utf-8")
    return allowed() | {
        name for line in re.findall(r"^SystemCallFilter=(.*)$", text, re.MULTILINE) for name in line.split()
    }


def end(process: subprocess.Popen[str]) -> None:
    """Tell the command itself to end, below bubblewrap and strace, which end with it."""
    ahead, found = [process.pid], 0
    while not found:
        pid = ahead.pop(0)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        found = pid if str(ENCLOS).encode() in words and b"strace" not in words and b"bwrap" not in words else 0
        ahead += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    os.kill(found, signal.SIGTERM)
    process.wait(60)


def called(trace: Path) -> set[str]:
    return set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))


@pytest.fixture
def state(built: Path, tmp_path: Path) -> Path:
    """What StateDirectory= would be, with an enclosure in it."""
    folder = tmp_path / "state"
    shutil.copytree(built, folder / "home")
    (folder / "reviews").mkdir()
    return folder


@pytest.mark.parametrize("unit", sorted(timer.stem for timer in UNITS.glob("*.timer")))
def test_what_recurs_runs_behind_the_walls_of_its_unit(unit: str, state: Path, tmp_path: Path) -> None:
    (tmp_path / "traces").mkdir()
    trace = tmp_path / "traces" / "calls"
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(behind_walls(unit, state, trace), env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    used = called(trace)
    assert {"openat", "execve"} <= used
    assert used - allowed() == set()
    if unit == "enclos-ledger-review":
        assert "findings" in json.loads((state / "reviews" / "last-month.json").read_text(encoding="utf-8"))


def test_the_register_is_served_behind_the_walls_of_its_unit(state: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "traces").mkdir()
    trace = tmp_path / "traces" / "calls"
    command = [part.replace("--port 8400", f"--port {port}") for part in behind_walls("enclos-serve", state, trace)]
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        told = process.stdout.readline()
        assert "127.0.0.1" in told, process.stderr.read() if process.stderr else ""
        time.sleep(1)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
            assert "FR-TEST-0001" in answer.read().decode()
        end(process)
    assert called(trace) - allowed() == set()


def test_a_query_is_answered_behind_the_walls_of_the_gateway_s_unit(tmp_path: Path) -> None:
    """A query's own process shuts itself in, by calls that the unit lets through."""
    state, trace = tmp_path / "state", tmp_path / "traces" / "calls"
    trace.parent.mkdir()
    home = small_home(state / "home")
    shown = certificate(trace.parent)
    with open_home(home) as enclosure:
        sign(enclosure, permit_text("FR-1", period="{start: 2018-01-01, end: 2023-01-01}"))
        open_one(enclosure, "FR-1")
        authenticator = local_account(enclosure, ALICE, "Alice", [Role.RESEARCHER])
        _, token = sign_in_locally(enclosure, ALICE, PASSWORD, shown_code(authenticator, datetime.now(UTC)))
        drawn = draw_password(enclosure, token)["password"]
    command = [
        part.replace("${CREDENTIALS_DIRECTORY}", str(trace.parent)).replace("0.0.0.0:5432", "127.0.0.1:0")
        .replace("0.0.0.0:8815", "127.0.0.1:0") + " --json" * ("gateway" in part)
        for part in behind_walls("enclos-gateway", state, trace)
    ]  # fmt: skip
    env = {**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE, "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout and process.stderr
        told = process.stdout.readline()
        assert "127.0.0.1" in told, process.stderr.read()
        port = json.loads(told)["postgres"].rpartition(":")[2]
        of = {"host": "localhost", "hostaddr": "127.0.0.1", "port": port, "user": ALICE, "dbname": "FR-1"}
        with psycopg.connect(**of, password=drawn, sslmode="verify-full", sslrootcert=str(shown.chain)) as asked:
            (n,) = asked.execute("SELECT count(*) AS n FROM person").fetchone() or (0,)
        assert n > 0
        end(process)
    used = called(trace)
    assert {"landlock_restrict_self", "seccomp"} <= used, "the query's process shut itself in"
    assert used - with_the_unit_s_own("enclos-gateway") == set()
