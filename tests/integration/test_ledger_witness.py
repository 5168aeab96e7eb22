"""A witness on another machine: it has a web address and a key, and needs nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from enclos.ledger.model import Action
from enclos.ledger.steps import Ledger
from enclos.stores.ledger_files import LedgerFiles
from factories.ledger import ALICE, ORIGIN, PUBLIC_KEY, VERIFYING_KEY, MachineClock, SeedSigner, begun, filled, opened

ROOT = Path(__file__).parents[2]
NAME = "witness.example/1"


class Published(SimpleHTTPRequestHandler):
    """The ledger's files as any web server gives them out."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with filled(begun(LedgerFiles(tmp_path / "ledger"), clock=MachineClock()), 270) as ledger:
        yield ledger


@pytest.fixture
def address(tmp_path: Path, ledger: Ledger) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Published, directory=str(tmp_path / "ledger")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def call(*words: object) -> tuple[int, dict[str, object]]:
    command = [sys.executable, "-c", "from enclos.cli import main; main()", *map(str, words), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    return done.returncode, json.loads(done.stdout)


def test_it_follows_by_the_web_and_its_word_is_proof_for_everybody(
    tmp_path: Path, ledger: Ledger, address: str
) -> None:
    state = tmp_path / "witness"
    code, first = call("ledger", "witness", address, "--state", state, "--key", VERIFYING_KEY, "--name", NAME)
    assert (code, first["size"]) == (0, 270)
    assert str(first["witness"]).startswith(f"{NAME}+")
    assert (state / "witness.key").stat().st_mode & 0o077 == 0
    filled(ledger, 300)
    code, later = call("ledger", "witness", address, "--state", state)
    assert (code, later["size"]) == (0, 570)
    code, verified = call("ledger", "verify", tmp_path / "ledger", "--key", VERIFYING_KEY, "--witness", state)
    assert (code, verified["size"]) == (0, 570)
    assert datetime.now(UTC).timestamp() - datetime.fromisoformat(str(verified["witnessed_at"])).timestamp() < 120
    independent = [
        sys.executable, ROOT / "tools" / "verify_ledger.py", tmp_path / "ledger", VERIFYING_KEY,
        "--checkpoint", state / "checkpoint", "--witness", str(later["witness"]),
    ]  # fmt: skip
    assert subprocess.run(independent, check=False, capture_output=True).returncode == 0
    other = str(later["witness"])[:-4] + "AAA="
    assert subprocess.run([*independent[:-1], other], check=False, capture_output=True).returncode == 4


def test_an_operator_with_every_key_of_the_ledger_is_found_out(tmp_path: Path, ledger: Ledger, address: str) -> None:
    state = tmp_path / "witness"
    call("ledger", "witness", address, "--state", state)
    ledger.close()
    shutil.rmtree(tmp_path / "ledger")
    filled(begun(LedgerFiles(tmp_path / "ledger"), clock=MachineClock()), 300).close()
    code, answer = call("ledger", "witness", address, "--state", state)
    assert (code, answer["refused"]["code"]) == (4, "LDG-06")  # type: ignore[index]
    assert len(list(state.glob("conflict-*"))) == 1
    code, answer = call("ledger", "verify", tmp_path / "ledger", "--witness", state)
    assert (code, answer["refused"]["code"]) == (4, "LDG-06")  # type: ignore[index]


def test_a_key_beside_the_ledger_is_believed_once(tmp_path: Path, ledger: Ledger, address: str) -> None:
    state, successor = tmp_path / "witness", SeedSigner(8)
    assert call("ledger", "witness", address, "--state", state)[0] == 0
    (tmp_path / "ledger" / "ledger.vkey").write_text(VERIFYING_KEY.replace(ORIGIN, "other.example") + "\n")
    assert call("ledger", "witness", address, "--state", state)[0] == 0  # nobody asks what lies there now
    ledger.hand_over(successor)
    ledger.close()
    with opened(LedgerFiles(tmp_path / "ledger"), seed=8, clock=MachineClock()) as rotated:
        assert call("ledger", "witness", address, "--state", state)[0] == 0  # both keys sign: the new one is believed
        rotated.record(Action.LOGIN, ALICE)
        code, seen = call("ledger", "witness", address, "--state", state)
        assert (code, seen["size"]) == (0, 271)
    with filled(begun(LedgerFiles(tmp_path / "another"), seed=11, clock=MachineClock()), 280):
        code, answer = call("ledger", "witness", tmp_path / "another", "--state", state)
    assert (code, answer["refused"]["code"]) == (4, "LDG-05")  # type: ignore[index]


def test_an_address_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    code, answer = call("ledger", "witness", "http://127.0.0.1:9", "--state", tmp_path / "witness")
    assert (code, answer["refused"]["code"]) == (4, "LDG-01")  # type: ignore[index]
    assert PUBLIC_KEY not in json.dumps(answer).encode()


def test_anybody_verifies_by_the_web_and_takes_a_copy_for_another_verifier(
    tmp_path: Path, ledger: Ledger, address: str
) -> None:
    copy = tmp_path / "copy"
    code, told = call("ledger", "verify", address, "--key", VERIFYING_KEY, "--copy", copy)
    assert (code, told["size"], told["listed"]) == (0, 270, False)
    assert call("ledger", "verify", tmp_path / "ledger")[1]["listed"] is True
    independent = [sys.executable, ROOT / "tools" / "verify_ledger.py", copy, VERIFYING_KEY]
    assert subprocess.run(independent, check=False, capture_output=True).returncode == 0
    assert not (copy / "private").exists()
    assert call("ledger", "verify", address, "--copy", copy)[1]["refused"]["code"] == "LDG-03"
    bundle = tmp_path / "ledger" / "tile" / "entries" / "000"
    bundle.write_bytes(bundle.read_bytes().replace(b"login", b"logon", 1))
    code, told = call("ledger", "verify", address)
    assert (code, told["refused"]["code"]) == (4, "LDG-04")
