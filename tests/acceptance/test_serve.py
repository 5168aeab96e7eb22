"""``enclos serve``: the public reads, checks and witnesses over the web; two processes, one of which knows nothing."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from factories.enclosure import ALICE, PASSPHRASE, call, permit_text, refused, run_cli
from factories.gateway import certificate
from factories.serving import SECRETS, serving

SECONDS = 30


def read(address: str, language: str = "en", context: ssl.SSLContext | None = None) -> tuple[str, str]:
    request = urllib.request.Request(address, headers={"Accept-Language": language})  # noqa: S310 - http(s) only
    with urllib.request.urlopen(request, timeout=SECONDS, context=context) as answer:  # noqa: S310
        return answer.geturl(), answer.read().decode()


def answered(address: str) -> str:
    """What is read there; nothing while another process begins to answer, or where there is no such page."""
    try:
        return read(address)[1]
    except (urllib.error.URLError, ConnectionError):
        return ""


def children(process: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(process)], capture_output=True, text=True, check=False)
    return [int(each) for each in found.stdout.split()]


def until(holds: Any) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_public_reads_the_newest_register_and_verifies_the_ledger(home: Path, tmp_path: Path) -> None:
    with serving(home) as (process, at):
        assert read(at["address"], "fr")[0] == at["register"] + "fr.html"
        url, page = read(at["address"])
        assert (url, "FR-TEST-0001" in page, ALICE in page) == (at["register"] + "en.html", True, False)
        size = run_cli("ledger", "verify", at["ledger"], "--copy", tmp_path / "copy")["size"]
        assert size > 0
        registers = json.loads(read(at["register"] + "register.json")[1])
        text = permit_text("FR-TEST-0002")
        (tmp_path / "permit.yaml").write_text(text)
        run_cli("permit", "sign", home, tmp_path / "permit.yaml")
        until(lambda: "FR-TEST-0002" in read(at["register"] + "en.html")[1])
        renewed = json.loads(read(at["register"] + "register.json")[1])
        assert len(renewed["permits"]) == len(registers["permits"]) + 1
        time.sleep(1.5)
        assert json.loads(read(at["register"] + "register.json")[1]) == renewed, "it is renewed only when it must be"
        (answering,) = children(process.pid)
        known = Path(f"/proc/{answering}/environ").read_text()
        assert not [secret for secret in (PASSPHRASE, *SECRETS.values()) if secret in known]
        opened = {str(fd.readlink()) for fd in Path(f"/proc/{answering}/fd").iterdir()}
        assert not [path for path in opened if path.startswith(str(home))]
        assert refused("serve", home, "--port", "0")[:2] == (3, "ENC-03")
        with pytest.raises(urllib.error.HTTPError, match="404"):
            read(at["address"] + "sign-in")
        run_cli("account", "add", home, "zoe@example.org", "--role", "access-body")
        until(lambda: answering not in children(process.pid))
        until(lambda: "password" in answered(at["address"] + "sign-in"))
        assert "FR-TEST-0002" in read(at["register"] + "en.html")[1]
    assert process.returncode == 0
    assert call("serve", home, "--host", "0.0.0.0").returncode == 2  # noqa: S104 - refused


@pytest.mark.system("chromium")
def test_the_page_checks_itself_where_it_is_served(home: Path, tmp_path: Path) -> None:
    with serving(home) as (_, at):
        command = [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}",
            "--virtual-time-budget=10000", "--dump-dom", f"{at['register']}fr.html#check",
        ]  # fmt: skip
        shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r'id="verdict"[^>]*data-state="(\w+)"', shown)
    assert found is not None
    assert found[1] == "holds"


def test_the_one_that_answers_dies_with_its_parent_and_comes_back_without_it(home: Path) -> None:
    with serving(home) as (process, at):
        (answering,) = children(process.pid)
        os.kill(answering, signal.SIGKILL)
        until(lambda: children(process.pid) not in ([], [answering]))
        assert "FR-TEST-0001" in read(at["register"] + "en.html")[1]
        (answering,) = children(process.pid)
        process.kill()
        until(lambda: not Path(f"/proc/{answering}").exists())
    with serving(home) as (_, at):
        assert "FR-TEST-0001" in read(at["address"])[1]


def answers_hello(port: int, version: bytes) -> bool:
    """Whether a hello of a version of TLS is answered; written by hand, as no library of today says an old one."""
    suites = bytes.fromhex("c02bc02fc02cc030c00ac014c009c0130035002f")
    more = bytes.fromhex("000a00060004001d0017" + "000d0008000604030804" + "0401")
    body = version + bytes(32) + b"\0" + len(suites).to_bytes(2, "big") + suites + b"\1\0"
    body += len(more).to_bytes(2, "big") + more
    hello = b"\x01" + len(body).to_bytes(3, "big") + body
    with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as connection:
        connection.sendall(b"\x16\x03\x01" + len(hello).to_bytes(2, "big") + hello)
        return connection.recv(1) == b"\x16"


def test_it_is_served_by_https_and_a_port_that_is_taken_is_refused(home: Path, tmp_path: Path) -> None:
    shown = certificate(tmp_path)
    with serving(home, "--certificate", shown.chain, "--key", shown.key) as (_, at):
        context = ssl.create_default_context(cafile=str(shown.chain))
        address = at["register"].replace("127.0.0.1", "localhost")
        assert address.startswith("https://")
        assert "FR-TEST-0001" in read(address, context=context)[1]
        with urllib.request.urlopen(address, context=context, timeout=SECONDS) as answer:  # noqa: S310
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
        port = int(address.split(":")[2].split("/")[0])
        assert [answers_hello(port, bytes((3, minor))) for minor in (3, 2, 1)] == [True, False, False]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert refused("serve", home, "--port", taken.getsockname()[1])[:2] == (4, "ENC-15")
