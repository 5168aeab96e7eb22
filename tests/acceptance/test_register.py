"""The public register, exported by the command and checked by a reader's browser."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep

import pytest

from enclos.app.permits import revoke, sign
from enclos.app.register import renew_register
from enclos.ledger.model import Action
from enclos.lexicon.canonical import sha256_hex
from factories.enclosure import ALICE, open_home, permit_text, refused, run_cli
from factories.ledger import entries_read

ROOT = Path(__file__).parents[2]
PERMIT = "FR-TEST-0001"


def shown_by_a_browser(page: Path, profile: Path) -> str:
    """The page as it stands after its check ran."""
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}",
        "--virtual-time-budget=10000", "--dump-dom", f"{page.as_uri()}#check",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout


def verdict(page: Path, profile: Path) -> str:
    found = re.search(r'id="verdict"[^>]*data-state="(\w+)"', shown_by_a_browser(page, profile))
    assert found is not None
    return found[1]


@pytest.mark.system("chromium")
def test_a_reader_sees_each_permit_and_can_check_it_in_two_languages(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "register"
    answer = run_cli("register", home, out)
    assert (answer["n_permits"], answer["n_releases"]) == (1, 0)
    text = (out / "register.json").read_bytes()
    assert answer["content"] == sha256_hex(text)
    assert ALICE.encode() not in b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    for language in ("en", "fr"):
        page = out / f"{language}.html"
        assert PERMIT in page.read_text(encoding="utf-8")
        assert verdict(page, tmp_path / "profile") == "holds"
    tool = [sys.executable, ROOT / "tools" / "verify_ledger.py", out / "ledger", out / "ledger" / "ledger.vkey"]
    assert subprocess.run(tool, check=False).returncode == 0
    again = run_cli("register", home, out)
    assert again["entries"] > answer["entries"]
    assert verdict(out / "en.html", tmp_path / "profile") == "holds"


@pytest.mark.system("chromium")
def test_a_page_that_says_something_else_is_found_out(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "register"
    run_cli("register", home, out)
    page = out / "en.html"
    honest = page.read_text(encoding="utf-8")
    proofs = json.loads((out / "proofs.json").read_text())
    content = (out / "register.json").read_bytes()

    def with_content(changed: bytes) -> str:
        encoded = (base64.b64encode(one).decode() for one in (content, changed))
        return honest.replace(*encoded)

    first = proofs["entries"][2]["entry"]
    for dishonest in (
        with_content(content.replace(b'"state":"GRANTED"', b'"state":"EXPIRED"', 1)),
        honest.replace(json.dumps(first)[1:-1], json.dumps(first.replace('"permit.', '"Permit.', 1))[1:-1]),
        honest.replace(proofs["key"][-20:], "A" * 19 + "="),
    ):
        assert dishonest != honest
        page.write_text(dishonest, encoding="utf-8")
        assert verdict(page, tmp_path / "profile") == "fails"


def test_a_folder_that_holds_other_things_is_left_alone(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert refused("register", home, tmp_path / "mine")[:2] == (4, "LDG-09")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_renewing_by_a_relative_path_keeps_the_register_that_is_served(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(empty.parent)
    place = Path(empty.name) / "published"
    place.mkdir()
    with open_home(Path(empty.name)) as enclosure:
        assert [renew_register(enclosure, place) for _ in range(3)] == [True, False, False]
    assert (place / "current" / "en.html").is_file()


def test_a_register_is_renewed_for_what_it_tells_and_for_nothing_else(
    empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = entries_read(monkeypatch)
    place, many = tmp_path, "FR-TEST-0007"
    proofs = place / "current" / "proofs.json"
    with open_home(empty) as enclosure:
        assert renew_register(enclosure, place)
        for what in ("signed", "used", "opened", "used", "asked", "exported", "asked", "revoked", "used"):
            match what:
                case "signed":
                    sign(enclosure, permit_text(many))
                case "opened":
                    with enclosure.ledger.intent(Action.PERMIT_OPEN, ALICE, many):
                        pass
                case "asked":
                    with enclosure.ledger.intent(Action.RELEASE_REQUEST, ALICE, many) as ticket:
                        ticket.facts["request"] = "r1"
                case "exported":
                    with enclosure.ledger.intent(Action.RELEASE_EXPORT, ALICE, many) as ticket:
                        ticket.facts["request"] = "r1"
                case "revoked":
                    revoke(enclosure, many, reason="asked for")
                case _:
                    enclosure.ledger.record(Action.DENIED, ALICE, many, {"via": "test", "code": "SGN-05"})
            read.clear()
            since = json.loads(proofs.read_bytes())["entries"][0]["index"]
            assert renew_register(enclosure, place) is (what not in {"used", "asked"}), what
            assert all(count == 1 or index >= since for index, count in Counter(read).items())
            assert (0 in read) is (what not in {"used", "asked"})
        proofs.write_text("{}")
        assert not renew_register(enclosure, place)  # it is looked for in the whole ledger, where there is none


def test_a_register_is_renewed_when_a_permit_ends_though_nobody_does_anything(empty: Path, tmp_path: Path) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    with open_home(empty) as enclosure:
        sign(enclosure, permit_text(starts=ends - timedelta(days=1), lasts=timedelta(days=1)))
        assert renew_register(enclosure, tmp_path)
        made = (tmp_path / "current" / "register.json").read_bytes()
        while datetime.now(UTC) < ends + timedelta(seconds=0.1):
            assert renew_register(enclosure, tmp_path) is False or datetime.now(UTC) >= ends
            sleep(0.2)
        renew_register(enclosure, tmp_path)
        told = json.loads((tmp_path / "current" / "register.json").read_bytes())
    assert [permit["state"] for permit in json.loads(made)["permits"]] == ["GRANTED"]
    assert [permit["state"] for permit in told["permits"]] == ["EXPIRED"]
