"""What is served to the public, asked as a browser asks."""

from __future__ import annotations

import gzip
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest
import uvicorn

from enclos.portal.languages import language_of
from enclos.portal.public import CURRENT, public_application


@dataclass(frozen=True)
class Reader:
    """Asks for paths as they are written; a library would tidy them first."""

    port: int

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, str, dict[str, str]]:
        with closing(HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), {name.lower(): value for name, value in answer.getheaders()}


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    registers, ledger = tmp_path / "published", tmp_path / "ledger"
    (registers / "register-1").mkdir(parents=True)
    (registers / CURRENT).symlink_to("register-1")
    for name in ("en.html", "fr.html", "register.json"):
        (registers / "register-1" / name).write_text(f"what {name} says")
    (registers / "secret.txt").write_text("beside the register")
    for name in (
        "checkpoint",
        "tile/0/000.p/5",
        "tile/entries/x001/002",
        "seal/2026-03-01",
        "private/salts/aa",
        "notes",
    ):
        (ledger / name).parent.mkdir(parents=True, exist_ok=True)
        (ledger / name).write_text(f"what {name} says")
    application = public_application(registers, ledger, over_tls=False)
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None, server_header=False))
    listening = socket.create_server(("127.0.0.1", 0))
    answering = Thread(target=server.run, kwargs={"sockets": [listening]})
    answering.start()
    yield Reader(listening.getsockname()[1])
    server.should_exit = True
    answering.join()


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("en-GB,en;q=0.9,fr;q=0.8", "en"),
        ("de,fr;q=0.5,en;q=0.4", "fr"),
        ("fr;q=0", "en"),
        ("fr;q=nonsense", "en"),
        ("de", "en"),
    ],
)
def test_the_reader_s_language_is_the_one_wanted_more(accepted: str, language: str) -> None:
    assert language_of(accepted) == language


def test_every_way_in_leads_to_the_register_in_the_reader_s_language(reader: Reader) -> None:
    for place in ("/", "/register"):
        assert reader.ask(place)[2]["location"] == "/register/"
    status, _, headers = reader.ask("/register/", **{"Accept-Language": "fr-CA, en;q=0.1"})
    assert (status, headers["location"], headers["vary"]) == (303, "/register/fr.html", "Accept-Language")
    assert reader.ask("/register/fr.html")[:2] == (200, "what fr.html says")


def test_what_is_not_there_is_said_by_a_page_to_who_reads_pages(reader: Reader) -> None:
    for path in ("/nothing", "/register/nothing", "/opt-out/x", "/ledger/private/salts/aa"):
        status, page, headers = reader.ask(path, **{"Accept": "text/html,*/*;q=0.8", "Accept-Language": "fr"})
        assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "Cette page n&#39;existe pas" in page
        assert 'href="/register/"' in page
        assert f'href="{path}?lang=en"' in page
        (style,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
        assert reader.ask(style)[0] == 200
        assert "There is no such page" in reader.ask(f"{path}?lang=en", Accept="text/html")[1]
        assert reader.ask(path)[1] in {"Not Found", ""}, "programs are told in a line"


def test_a_register_that_is_renewed_is_served_at_once(reader: Reader, tmp_path: Path) -> None:
    registers = tmp_path / "published"
    (registers / "register-2").mkdir()
    (registers / "register-2" / "en.html").write_text("renewed")
    (registers / "new").symlink_to("register-2")
    (registers / "new").replace(registers / CURRENT)
    assert reader.ask("/register/en.html")[1] == "renewed"


def test_a_long_register_is_packed_for_who_takes_it_and_a_part_is_as_it_lies_there(
    reader: Reader, tmp_path: Path
) -> None:
    said = "one more permit of the same words. " * 1000
    (tmp_path / "published" / CURRENT / "en.html").write_text(said)
    with closing(HTTPConnection("127.0.0.1", reader.port, timeout=30)) as connection:
        connection.request("GET", "/register/en.html", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        packed = answer.read()
        assert (answer.headers["content-encoding"], answer.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert (gzip.decompress(packed).decode(), len(packed) < len(said) / 20) == (said, True)
    assert reader.ask("/register/en.html")[1] == said
    status, text, headers = reader.ask("/register/en.html", **{"Accept-Encoding": "gzip", "Range": "bytes=4-7"})
    assert (status, text, "content-encoding" in headers) == (206, said[4:8], False)


@pytest.mark.parametrize("name", ["checkpoint", "tile/0/000.p/5", "tile/entries/x001/002", "seal/2026-03-01"])
def test_the_ledger_s_published_files_are_served(reader: Reader, name: str) -> None:
    assert reader.ask(f"/ledger/{name}")[1] == f"what {name} says"


def test_every_file_says_what_it_is(reader: Reader) -> None:
    for path, kind in (
        ("/register/en.html", "text/html; charset=utf-8"),
        ("/register/register.json", "application/json"),
        ("/ledger/checkpoint", "text/plain; charset=utf-8"),
        ("/ledger/tile/0/000.p/5", "application/octet-stream"),
    ):
        assert reader.ask(path)[2]["content-type"] == kind


def test_nothing_else_is_served(reader: Reader) -> None:
    for path in (
        "/ledger/private/salts/aa",
        "/ledger/tile/../private/salts/aa",
        "/ledger/tile/%2e%2e/private/salts/aa",
        "/ledger/tile/..%2fprivate%2fsalts%2faa",
        "/ledger//private/salts/aa",
        "/ledger/checkpoint%00",
        "/ledger/checkpoint%0a",
        "/ledger/notes",
        "/ledger/",
        "/register/../secret.txt",
        "/register/%2e%2e/secret.txt",
        "/register/..%2fsecret.txt",
        "/register//etc/passwd",
        "/register/current",
        "/published/secret.txt",
        "/enclos.toml",
    ):
        status, text, _ = reader.ask(path)
        assert (path, status) == (path, 404)
        assert "says" not in text
        assert "beside" not in text


def test_nothing_can_be_sent(reader: Reader) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE"):
        for path in ("/", "/register/en.html", "/ledger/checkpoint"):
            assert reader.ask(path, method)[0] == 405


def test_every_answer_forbids_what_no_page_needs(reader: Reader) -> None:
    for path in ("/register/en.html", "/ledger/checkpoint", "/nothing"):
        headers = reader.ask(path, Origin="https://elsewhere.example")[2]
        assert "access-control-allow-origin" not in headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["referrer-policy"]) == ("nosniff", "no-referrer")
        assert "strict-transport-security" not in headers
        assert "server" not in headers
