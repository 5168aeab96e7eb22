"""The auditor's pages over real HTTP: the ledger found by what and who, an entry proved, all verified, a month read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enclos.app import ledger
from enclos.app.enclosure import create_enclosure
from enclos.app.permits import sign
from enclos.ledger.model import Action
from enclos.ledger.rules.notes import check_proof, read_proof, read_verifying_key
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.signin.model import Role
from factories.enclosure import ALICE, DAN, PASSPHRASE, open_home, permit_text
from factories.portal import Browser, Portal, portal_of

PAGES = ("/audit", "/audit/broken", "/audit/entry/3", "/audit/verify", "/audit/month", "/audit/seals")


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = tmp_path_factory.mktemp("auditing") / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    with open_home(home) as enclosure:
        sign(enclosure, permit_text("FR-1"))
        for number in range(60):
            try:
                with enclosure.ledger.intent(Action.SQL, ALICE, "FR-1", {"n": number}):
                    if number == 7:
                        raise refusal(Code.SQL_NOT_ALLOWED, "No.", "Ask otherwise.")
            except Refusal:
                continue
    with portal_of(home) as answering:
        yield answering


@pytest.fixture
def dan(portal: Portal) -> Browser:
    return portal.browser(DAN, Role.AUDITOR)


def entries_of(text: str) -> list[int]:
    return [int(index) for index in re.findall(r'<a href="/audit/entry/(\d+)">', text)]


def test_what_is_sought_is_found_page_by_page(dan: Browser) -> None:
    page = dan.get(f"/audit?action=sql&actor={ALICE}&outcome=DONE").text
    first = entries_of(page)
    assert len(first) == 50 and first == sorted(first, reverse=True)
    assert ALICE in page, "a permit lists her"
    (older,) = re.findall(r'rel="next" href="([^"]+)"', page)
    rest = entries_of(dan.get("/audit" + older.replace("&amp;", "&")).text)
    assert len(rest) == 9 and rest[0] < first[-1]
    (refused,) = entries_of(dan.get("/audit?action=sql&outcome=REFUSED&permit=FR-1").text)
    assert Code.SQL_NOT_ALLOWED.id in dan.get(f"/audit/entry/{refused}").text
    today = datetime.now(UTC).date()
    assert entries_of(dan.get(f"/audit?action=sql&since={today}&until={today}").text) or datetime.now(UTC).hour == 0
    assert not entries_of(dan.get("/audit?since=2001-01-01&until=2001-01-02").text)
    for odd in ("?since=never", "?until=2026-02-30"):
        page = dan.get(f"/audit{odd}")
        assert (page.status_code, "This is no day" in page.text, entries_of(page.text)) == (422, True, [])
        assert odd.partition("=")[2] in page.text, "what was written stays"
    for odd in ("?before=x&action=nothing&outcome=odd", "?before=999999999999", "?actor=%00&permit=%F0"):
        assert dan.get(f"/audit{odd}").status_code == 200


def test_an_entry_s_proof_is_a_file_that_holds_elsewhere(dan: Browser, portal: Portal) -> None:
    page = dan.get("/audit/entry/9")
    assert "proved to stand in the ledger" in page.text
    given = dan.get("/audit/entry/9/proof")
    assert given.headers["content-disposition"] == 'attachment; filename="entry-9.tlog-proof"'
    origin, key = read_verifying_key((portal.home / "ledger" / "ledger.vkey").read_text().strip())
    (entry,) = re.findall(r"<code>(\{&#34;action.*?\})</code>", page.text)
    assert check_proof(read_proof(given.content), entry.replace("&#34;", '"').encode(), origin, key).size > 9
    for absent in ("/audit/entry/99999", "/audit/entry/x", "/audit/entry/-1/proof"):
        assert dan.get(absent).status_code == 404


def test_the_whole_ledger_is_verified_with_a_witness_s_memory_and_what_is_none_is_refused(
    dan: Browser, portal: Portal, tmp_path: Path
) -> None:
    assert "None yet since" in dan.get("/audit/verify").text
    with open_home(portal.home) as enclosure:
        enclosure.ledger.checkpoint()
    note = Path(ledger.witness(str(portal.home), tmp_path, name="witness.example/1")["cosigned"]).read_text()
    witness = (tmp_path / "witness.vkey").read_text()
    wrong = dan.post("/audit/verify", {"key": "", "note": "odd", "witness": "odd"})
    assert (wrong.status_code, Code.LEDGER_UNSIGNED.id in wrong.text) == (409, True)
    assert "odd</textarea>" in wrong.text, "what was typed is still there"
    begun = dan.post("/audit/verify", {"key": "", "note": note.replace("\n", "\r\n"), "witness": witness})
    assert begun.headers["location"] == "/audit/verify"
    page = dan.get("/audit/verify").text
    assert "It holds" in page and "witness.example/1: the" in page


def test_a_month_is_reviewed_in_its_frame_and_the_ledger_notes_by_whom(dan: Browser, portal: Portal) -> None:
    with open_home(portal.home) as enclosure:
        before = enclosure.ledger.size()
    this = f"{datetime.now(UTC):%Y-%m}"
    assert "<svg" not in dan.get(f"/audit/month?month={this}").text, "nothing is made by looking"
    page = dan.reviewed("/audit/month", {"month": this})
    assert page.text == dan.get(f"/audit/month?month={this}").text
    assert page.text.count('<svg role="img" aria-label="') == page.text.count("<svg") >= 2
    assert "uses of data" in page.text
    assert re.search(r"\d\d:\d\d CES?T<", page.text), "its instants are of the local clock, and say so"
    with open_home(portal.home) as enclosure:
        digests = enclosure.ledger.digests(DAN)
        reviews = [entry for _, entry in enclosure.ledger.entries(before) if entry.action is Action.LEDGER_REVIEW]
    assert {entry.actor for entry in reviews} <= set(digests) and len(reviews) == 2
    other = portal.browser(ALICE, Role.AUDITOR)
    assert "<svg" not in other.get(f"/audit/month?month={this}").text, "another's review is not shown"
    assert Code.REVIEW_MONTH.id in dan.reviewed("/audit/month", {"month": "2999-01"}).text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_pages_are_small_run_our_scripts_alone_and_speak_both_languages(dan: Browser, language: str) -> None:
    for path in (*PAGES, f"/audit/month?month={datetime.now(UTC):%Y-%m}"):
        page = dan.get(path, language)
        assert (page.status_code, f'lang="{language}"' in page.text) == (200, True)
        assert len(page.content) < 200_000
        assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page.text), path
        assert len(re.findall("<h1>", page.text)) == 1
    said = {"en": "permit.sign: signing a permit", "fr": "permit.sign\xa0: signature d&#39;une autorisation"}[language]
    assert f'<option value="permit.sign">{said}</option>' in dan.get("/audit", language).text
