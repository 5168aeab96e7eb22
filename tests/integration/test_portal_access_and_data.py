"""The pages of the access body and of the steward over real HTTP, against what the enclosure itself says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import escape, unescape

import pytest

from enclos.app import persons
from enclos.app.applications import Hand, ask_for, grant, keep_application, list_applications, show_application
from enclos.app.calendar import permit_calendar
from enclos.app.deliveries import ingest_deliveries, list_deliveries, make_delivery
from enclos.app.objections import add_objections, objections_by_source
from enclos.app.permits import newest, open_one, sign
from enclos.app.previews import preview_permit
from enclos.app.quality import judge_quality, judged_quality
from enclos.app.running import running_work
from enclos.app.salts import ledger_digests
from enclos.app.snapshots import build_omop, compare_snapshots, snapshot_account
from enclos.contracts.sql import SqlEngine
from enclos.ledger.model import Action, Kind
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from enclos.linkage.model import MatchReport
from enclos.pseudonyms.model import Objector
from enclos.signin.model import Role
from enclos.stores.engine import EngineFault
from factories.enclosure import ALICE, CAROL, open_home, permit_text
from factories.forty_home import PERIOD, forty_home
from factories.portal import Browser, Portal, portal_of

ERIN = "erin@example.org"
SEEDED = "{sample_percent: 60, seed: 7}"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    home = forty_home(tmp_path_factory.mktemp("desk"))
    with portal_of(home) as answering:
        yield answering


@pytest.fixture(scope="module")
def body(portal: Portal) -> Browser:
    return portal.browser(CAROL, Role.ACCESS_BODY)


@pytest.fixture(scope="module")
def steward(portal: Portal) -> Browser:
    return portal.browser(ERIN, Role.STEWARD)


FORM = {
    "how": "form",
    "permit": "FR-FORM-1",
    "organisation": "CHU de Demain",
    "investigator": ALICE,
    "users": f"{ALICE}\nbob@example.org",
    "purpose": "Falls after new sleeping pills",
    "article": "53(1)(e)",
    "legal_basis": "ehds-permit",
    "tables": ["person", "drug_exposure"],
    "persons": "all",
    "start": "2001-01-01",
    "end": "2029-01-01",
    "identifiers": ["commune"],
    "why_commune": "Distance to the hospital",
    "access": "aggregates",
    "min_count": "5",
    "from": "2026-01-01",
    "until": "2035-01-01",
}


def text_of(permit: str, **changes: object) -> str:
    return permit_text(permit, period=PERIOD, min_count=5, **changes)  # type: ignore[arg-type]


def asked(portal: Portal, text: str) -> str:
    with open_home(portal.home) as enclosure:
        kept = keep_application(enclosure, Hand(ALICE, for_access_body=False), text)["application"]
        return str(ask_for(enclosure, Hand(ALICE, for_access_body=False), kept)["application"])


def test_what_a_preview_counts_is_what_opening_then_lets_in(portal: Portal) -> None:
    """The oracle is the opening: it writes a perimeter, and the view under it is counted by the engine."""
    text = text_of("FR-PRE-1", population=SEEDED, access="rows")
    with open_home(portal.home) as enclosure:
        told = preview_permit(enclosure, text, by=CAROL)
        sign(enclosure, text)
        n_persons = open_one(enclosure, "FR-PRE-1")["n_persons"]
        counts = told["counts"]
        assert counts["persons"] == {"n": max(10, round(n_persons / 10) * 10), "below": False}
        assert counts["rows"]["person"] == counts["persons"]
        assert {each["warning"] for each in told["warnings"]} >= {"all-tables", "least-count"}
        three = text_of("FR-PRE-2").replace("start: 2000-01-01, end: 2030-01-01", "start: 2014-01-01, end: 2015-02-01")
        few = preview_permit(enclosure, three, by=CAROL)
        assert {each["n"] for each in (few["counts"]["persons"], few["counts"]["all_rows"])} == {None}
        assert {each["n"] for each in few["counts"]["rows"].values()} == {None}
        assert few["warnings"][0]["warning"] == "few-persons"
        kinds = [entry.kind for _, entry in enclosure.ledger.entries() if entry.action is Action.PERMIT_PREVIEW]
        assert kinds[-2:] == [Kind.INTENT, Kind.OUTCOME], "each look at data is in the ledger, with its outcome"


def test_an_application_is_written_by_a_form_asked_for_counted_and_signed(portal: Portal, body: Browser) -> None:
    alice = portal.browser(ALICE, Role.RESEARCHER)
    page = alice.get("/applications/new")
    number = re.findall(r'name="application" value="([0-9a-f]{16})"', page.text)[0]
    form = {**FORM, "application": number}
    for _ in range(2):  # sent twice, kept once
        kept = alice.post("/applications/new", form)
        assert (kept.status_code, kept.headers["location"]) == (303, f"/applications/{number}")
    page = alice.get(f"/applications/{number}")
    assert "the commune where somebody lives, in" in page.text
    assert alice.post(f"/applications/{number}/ask", {}).status_code == 303
    assert number in body.get("/access").text
    shown = body.get(f"/access/applications/{number}")
    assert "Sign as a permit" in shown.text
    counted = body.post(f"/access/applications/{number}/count", {})
    assert "about 40" in counted.text
    digest = re.findall(r'name="digest" value="([0-9a-f]{64})"', shown.text)[0]
    granted = [body.post(f"/access/applications/{number}/grant", {"digest": digest, "note": ""}) for _ in range(2)]
    assert [answer.status_code for answer in granted] == [303, 403]
    assert "PRM-17" in granted[1].text
    with open_home(portal.home) as enclosure:
        signed = newest(enclosure, "FR-FORM-1")
        assert (signed.version, [user.id for user in signed.permit.users]) == (1, [ALICE, "bob@example.org"])
        assert signed.permit.whys == {"commune": "Distance to the hospital"}
    assert "Permit FR-FORM-1 was granted." in alice.get(f"/applications/{number}").text
    assert "FR-FORM-1" in body.get("/access/permits").text


def test_a_form_with_faults_comes_back_with_each_at_its_field_and_in_both_languages(portal: Portal) -> None:
    alice = portal.browser(ALICE, Role.RESEARCHER)
    page = alice.get("/applications/new")
    number = re.findall(r'name="application" value="([0-9a-f]{16})"', page.text)[0]
    changed = {
        "permit": "FR 2026",
        "users": "<nobody>",
        "end": "2000-01-01",
        "min_count": "1",
        "persons": "departments",
        "departments": "11, 2B, 2C",
    }
    wrong = {**FORM, "application": number, **changed}
    page = alice.post("/applications/new", wrong)
    assert page.status_code == 422
    fields = re.findall(r'<li><a href="#(\w+)">', page.text)
    assert fields == ["permit", "users", "departments", "end", "min_count"]
    for field in fields:
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', page.text), field
        assert f'id="{field}-error"' in page.text
    assert all(escape(value) in page.text for value in (*changed.values(), FORM["purpose"], FORM["why_commune"]))
    assert len(re.findall(r'<input type="checkbox"[^>]* checked', page.text)) == 3
    with open_home(portal.home) as enclosure:
        hand = Hand(ALICE, for_access_body=False)
        assert number not in {each["application"] for each in list_applications(enclosure, hand)["applications"]}
    (way,) = re.findall(r'<a href="([^"]+)" lang="fr"', page.text)
    french = alice.get(way.replace("&amp;", "&"))
    assert (french.status_code, '<html lang="fr">' in french.text) == (200, True)
    assert re.findall(r'<li><a href="#(\w+)">', french.text) == fields
    assert "est inférieur au seuil de cet enclos" in french.text and "is below this" not in french.text
    alice.get("/me?lang=en")
    led = alice.post("/applications/new", {**wrong, "anyway": "1"})
    assert (led.status_code, led.headers["location"]) == (303, f"/applications/{number}"), "as a draft, if they want"


def test_a_refusal_is_read_by_the_applicant_and_a_fault_by_its_line(portal: Portal, body: Browser) -> None:
    number = asked(portal, text_of("FR-NO-1"))
    body.get(f"/access/applications/{number}")
    assert body.post(f"/access/applications/{number}/refuse", {"why": "no"}).status_code == 409
    assert body.post(f"/access/applications/{number}/refuse", {"why": "The purpose is too wide"}).status_code == 303
    alice = portal.browser(ALICE, Role.RESEARCHER)
    assert "The purpose is too wide" in alice.get(f"/applications/{number}").text
    alice.get("/applications/new")
    led = alice.post("/applications/new", {"document": text_of("FR-NO-2").replace("min_count: 5", "min_count: 1")})
    page = alice.get(led.headers["location"])
    assert "disclosure.min_count: is below this enclosure" in page.text
    assert "Hand it to the access body" not in page.text


def test_a_permit_is_amended_renewed_opened_and_revoked_once_each(portal: Portal, body: Browser) -> None:
    with open_home(portal.home) as enclosure:
        sign(enclosure, text_of("FR-LIFE-1"))
    here = "/access/permits/FR-LIFE-1"
    page = body.get(f"{here}/amend")
    text = unescape(re.findall(r'<textarea id="document"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)[0])
    amended = text.replace("min_count: 5", "min_count: 6")
    form = {"document": amended, "reason": "stricter", "version": "1"}
    looked = body.post(f"{here}/amend", {**form, "look": "1"})
    assert "6 persons" in looked.text
    assert newest_version(portal, "FR-LIFE-1") == 1
    body.get(f"{here}/amend")
    assert [body.post(f"{here}/amend", form).status_code for _ in range(2)] == [303, 403]
    other = {**form, "document": amended.replace("FR-LIFE-1", "FR-LIFE-9"), "version": "2"}
    assert body.post(f"{here}/amend", other).status_code == 403
    until = {"until": "2036-01-01", "reason": "follow-up", "version": "2"}
    assert [body.post(f"{here}/renew", until).status_code for _ in range(2)] == [303, 403]
    assert body.post(f"{here}/renew", {**until, "until": "never", "version": "3"}).status_code == 409
    assert f"{here}/renew" not in body.get(here).text, "its legal basis allows one renewal"
    assert "what goes on needs a new permit" in body.get(f"{here}/renew").text
    opened = body.post(f"{here}/open", {})
    assert "It was opened on snapshot" in opened.text
    assert "40 persons" in opened.text
    wrong = body.post(f"{here}/revoke", {"confirm": "FR-LIFE", "reason": "asked", "version": "3"})
    assert (wrong.status_code, "This is not its id." in wrong.text) == (422, True)
    assert newest_version(portal, "FR-LIFE-1") == 3
    revoke = {"confirm": "FR-LIFE-1", "reason": "holder asked", "version": "3"}
    assert [body.post(f"{here}/revoke", revoke).status_code for _ in range(2)] == [303, 403]
    assert newest_version(portal, "FR-LIFE-1") == 4
    gone = [body.get(f"{here}/{act}").headers.get("location") for act in ("amend", "renew", "revoke")]
    assert gone == [here] * 3, "no form of what can only be refused"
    assert "revoked" in body.get("/access/calendar").text.lower()


def test_a_permit_is_changed_for_a_reason_that_is_given(portal: Portal, body: Browser) -> None:
    with open_home(portal.home) as enclosure:
        sign(enclosure, text_of("FR-WHY-1"))
    here = "/access/permits/FR-WHY-1"
    text = text_of("FR-WHY-1").replace("CHU de Demain", "CHU du Lendemain")
    assert "allows 1 renewal of at most 10 years" in body.get(f"{here}/renew").text
    written = {
        "amend": ({"document": text}, "CHU du Lendemain"),
        "renew": ({"until": "2036-01-02"}, 'value="2036-01-02"'),
        "revoke": ({"confirm": "FR-WHY-1"}, "Revoke for ever"),
    }
    for act, (fields, kept) in written.items():
        page = body.post(f"{here}/{act}", {**fields, "version": "1", "reason": " "})
        assert (page.status_code, 'id="reason-error"' in page.text, kept in page.text) == (422, True, True), act
    assert newest_version(portal, "FR-WHY-1") == 1


def fields_of(page: str) -> dict[str, list[str]]:
    """What a browser sends of the first form of a page that has the permit's fields."""
    (form,) = re.findall(r"<form (?:(?!</form>).)*name=\"how\".*?</form>", page, re.DOTALL)
    found: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, value = (unescape(re.findall(rf'{each}="([^"]*)"', tag)[0]) for each in ("name", "value"))
        if "checked" in tag or not re.search(r'type="(checkbox|radio)"', tag):
            found.setdefault(name, []).append(value)
    for name, value in re.findall(r'<textarea id="(\w+)"[^>]*>\n(.*?)</textarea>', form, re.DOTALL):
        found[name] = [unescape(value)]
    for name, options in re.findall(r'<select id="(\w+)".*?>(.*?)</select>', form, re.DOTALL):
        found[name] = re.findall(r'value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)[:1]
    return found


def test_a_permit_is_amended_by_its_form_which_says_what_changes_before_it_is_signed(
    portal: Portal, body: Browser
) -> None:
    with open_home(portal.home) as enclosure:
        sign(enclosure, text_of("FR-AMEND-1", population=SEEDED, identifiers="[commune]"))
    here = "/access/permits/FR-AMEND-1/amend"
    sent = fields_of(body.get(here).text)
    assert (sent["persons"], sent["sample_percent"], sent["users"]) == (["sample"], ["60"], [f"{ALICE} researcher"])
    same = body.post(here, {**sent, "look": "1"})
    assert "it says what stands already" in same.text
    assert "Sign the amendment" not in same.text
    wanted = {
        **sent,
        "users": f"{ALICE} researcher\nbob@example.org",
        "persons": "departments",
        "departments": "75, 2A",
        "tables": ["person", "death"],
        "columns": ["person.year_of_birth"],
        "identifiers": [],
    }
    live = body.post(here, {**wanted, "look": "live", "departments": "2C"}, **{"HX-Request": "true"})
    assert (live.status_code, '<a href="#departments">' in live.text) == (200, True)
    wrong = body.post(here, {**wanted, "look": "1", "departments": "2C"})
    assert (wrong.status_code, 'id="departments-error"' in wrong.text) == (422, True)
    looked = body.post(here, {**wanted, "look": "1"})
    changes = re.findall(r'<tr><th scope="row">([^<]*)</th><td>([^<]*)</td><td>([^<]*)</td></tr>', looked.text)
    told = {name: (before, after) for name, before, after in changes}
    assert told["User bob@example.org"] == ("–", "researcher")
    assert told["Whose data"][1] == "persons who live in the departments 2A, 75"
    assert told["Table person"] == ("all columns", "year_of_birth")
    assert told["Table drug_exposure"] == ("all columns", "–")
    assert told["the commune where somebody lives"] == ("shown", "generalised")
    assert "Table death" not in told
    assert newest_version(portal, "FR-AMEND-1") == 1
    hidden = re.findall(r'<input type="hidden" name="(version|by|document)" value="([^"]*)">', looked.text)
    signing = {name: unescape(value) for name, value in hidden}
    late = body.post(here, {**signing, "version": "7", "reason": "fewer"})
    assert (late.status_code, "PRM-19" in late.text) == (403, True)
    assert fields_of(late.text)["departments"] == ["75, 2A"], "what was written is still in the form"
    assert body.post(here, {**signing, "reason": "fewer"}).status_code == 303
    with open_home(portal.home) as enclosure:
        signed = newest(enclosure, "FR-AMEND-1")
    assert (signed.version, signed.permit.terms.tables, signed.reason) == (2, ("person", "death"), "fewer")


def test_a_kept_application_is_mended_by_the_form_and_by_who_may(portal: Portal, body: Browser) -> None:
    number = asked(portal, text_of("FR-MEND-1"))
    alice = portal.browser(ALICE, Role.RESEARCHER)
    assert alice.get(f"/applications/{number}/form").headers["location"] == f"/applications/{number}", "it is handed in"
    here = f"/access/applications/{number}/form"
    assert 'href="' + here in body.get(f"/access/applications/{number}").text
    sent = fields_of(body.get(here).text)
    assert body.post(here, {**sent, "persons": "region", "region": "94", "look": "1"}).status_code == 200
    assert body.post(here, {**sent, "persons": "region", "region": "94"}).status_code == 303
    with open_home(portal.home) as enclosure:
        kept = show_application(enclosure, Hand(CAROL, for_access_body=True), number)
    assert ("region: '94'" in kept["document"], kept["steps"][-1]["by"]) == (True, CAROL)


def newest_version(portal: Portal, permit: str) -> int:
    with open_home(portal.home) as enclosure:
        return newest(enclosure, permit).version


def test_the_calendar_tells_each_due_day_with_six_months_to_delete(portal: Portal, body: Browser) -> None:
    with open_home(portal.home) as enclosure:
        sign(enclosure, text_of("FR-CAL-1", starts=datetime(2026, 8, 31, tzinfo=UTC), lasts=timedelta(days=365)))
        months = permit_calendar(enclosure)["months"]
    days = {(day["what"], day["on"]) for month in months for day in month["days"] if day["permit"] == "FR-CAL-1"}
    # six months after 31 August is the last day of February; eighteen are that of the year after
    ends = {("end", "2027-08-31"), ("delete", "2028-02-29"), ("results", "2029-02-28")}
    assert days == ends | {("reminder", "2027-06-02"), ("reminder", "2027-08-01")}
    page = body.get("/access/calendar")
    assert "2028-02-29" in page.text
    assert page.text.count("<rect") > 2


def test_reviews_say_who_of_the_access_body_did_what(portal: Portal, body: Browser) -> None:
    number = asked(portal, text_of("FR-REV-1"))
    with open_home(portal.home) as enclosure:
        grant(enclosure, Hand(CAROL, for_access_body=True), number)
        now = enclosure.ledger.now()
    month = body.reviewed("/access/reviews", {"month": f"{now:%Y-%m}"})
    assert f"access-body:{CAROL}" in month.text
    assert "permit.sign" in month.text
    with open_home(portal.home) as enclosure:
        reviews = [entry for _, entry in enclosure.ledger.entries() if entry.action is Action.LEDGER_REVIEW]
        assert reviews[-1].actor in ledger_digests(enclosure, CAROL), "the ledger says who looked"
    assert "FR-REV-1" not in body.get(f"/access/reviews?year={now.year}").text, "nothing is made by looking"
    year = body.reviewed("/access/reviews", {"year": f"{now.year}"})
    assert "FR-REV-1" in year.text
    assert "permit.sign" in body.get(f"/access/reviews?month={now:%Y-%m}").text, "what was made is still there"
    assert body.post("/access/reviews", {"month": "1999-01"}).headers["location"] == "/access/reviews"


def test_the_steward_sees_deliveries_links_and_objections(portal: Portal, steward: Browser) -> None:
    bad = portal.home.parent / "bad"
    (bad / "sub").mkdir(parents=True)
    (bad / "person.csv").write_text("person_id\n1\n")
    make_delivery(bad, kind="omop", source="forty")
    (bad / "person.csv").write_text("person_id\n2\n")
    with open_home(portal.home) as enclosure:
        with pytest.raises(Refusal) as refused:
            ingest_deliveries(enclosure, [bad])
        add_objections(enclosure, [Objector("forty", "1", None), Objector("forty", "2", None)])
        told = list_deliveries(enclosure)
        standing = objections_by_source(enclosure)
        work = running_work(enclosure)
    assert told["refused"][0]["code"] == refused.value.code.id
    assert told["n_delivered"] == told["n_landed"] + told["n_rejected"] > 0
    page = steward.get("/data/deliveries")
    assert "landed by <code>enclos ingest</code>." in page.text
    assert refused.value.code.id in page.text
    delivery = told["deliveries"][0]["delivery"]
    assert "person" in steward.get(f"/data/deliveries/{delivery}").text
    assert steward.get("/data/deliveries/nothing").status_code == 404
    assert [(row["source"], row["standing"]) for row in standing["sources"]] == [("forty", 2)]
    assert "objections that stand" in steward.get("/data/objections").text
    assert (work["running"], work["ended"][0]["action"]) == ([], "opt-out")
    assert "persons of sources" in steward.get("/data/links").text
    assert "was not judged yet" in steward.get("/data/quality?snapshot=999").text
    assert "Nothing is going on." in steward.get("/data").text


def test_looking_into_the_vault_changes_nothing_and_keeps_no_reader_out(portal: Portal) -> None:
    with open_home(portal.home) as enclosure, enclosure.vault_to_look() as engine, enclosure.vault_to_look() as other:
        assert engine is not None
        assert other is not None
        with enclosure.reading_data():
            assert engine.scalar("SELECT count(*) FROM vault.deliveries") == 1
        with pytest.raises(EngineFault):
            engine.execute("DELETE FROM vault.deliveries")
        with pytest.raises(Refusal) as busy, enclosure.vault_engine():
            raise AssertionError("a reader is inside")
        assert busy.value.code is Code.ENCLOSURE_BUSY


def test_links_are_counted_once_for_each_state_of_the_vault(
    portal: Portal, steward: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, count = [], persons.read_matches

    def counting(engine: SqlEngine) -> MatchReport:
        counted.append(count(engine))
        return counted[-1]

    def written(statement: str) -> None:
        with open_home(portal.home) as enclosure, enclosure.vault_engine() as engine:
            engine.execute(statement)

    monkeypatch.setattr(persons, "read_matches", counting)
    told = []
    for statement in (
        "INSERT INTO vault.clusters SELECT 'zz-source', source_person_key, cluster FROM vault.clusters LIMIT 1",
        "DELETE FROM vault.clusters WHERE source = 'zz-source'",
    ):
        written(statement)
        told += [steward.get("/data/links").text for _ in range(3)]
    assert len(counted) == 2
    assert ["zz-source" in page for page in told] == [*[True] * 3, *[False] * 3]


def test_what_a_build_told_is_read_again_from_the_lake(portal: Portal, steward: Browser) -> None:
    with open_home(portal.home) as enclosure:
        built = build_omop(enclosure, account=True, full=True)
        told = snapshot_account(enclosure)
        compared = compare_snapshots(enclosure)
        assert told["account"] == built["account"]
        assert told["vocabularies"] == built["vocabularies"]
        assert {row["table"]: row["n_rows"] for row in compared["tables"]} == built["tables"]
        assert compared["against"] is not None
        assert [row for row in compared["tables"] if row["n_rows"] != row["n_before"]] == []
    account = steward.get("/data/account").text
    assert "It adds up" in account
    assert ("No code of a source was translated" in account) is (not told["vocabularies"]), "no table without a row"
    page = steward.get("/data/snapshots")
    assert f"Snapshot {compared['snapshot']} beside snapshot {compared['against']}" in page.text


def test_quality_is_shown_as_it_was_judged_last(portal: Portal, steward: Browser) -> None:
    with open_home(portal.home) as enclosure:
        judged = judge_quality(enclosure)
        kept = judged_quality(enclosure)["judged"]
    assert kept is not None
    assert [kept[name] for name in ("checks", "passed", "failed")] == [
        judged[n] for n in ("checks", "passed", "failed")
    ]
    page = steward.get("/data/quality")
    assert kept["failing"][0]["en"] in page.text
    assert kept["failing"][0]["fr"] in steward.get("/data/quality?lang=fr").text
    steward.get("/data/quality?lang=en")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_page_is_light_runs_nothing_and_has_one_heading(
    portal: Portal, body: Browser, steward: Browser, language: str
) -> None:
    number, permit = asked(portal, text_of(f"FR-ASK-{language}")), f"FR-PAGE-{language}"
    with open_home(portal.home) as enclosure:
        sign(enclosure, text_of(permit))
    pages = ["/access", "/access/applications", "/access/applications/new", f"/access/applications/{number}"]
    pages += ["/access/permits", f"/access/permits/{permit}", "/access/calendar", "/access/reviews"]
    pages += [f"/access/permits/{permit}/{act}" for act in ("amend", "renew", "revoke")]
    data = ["", "/deliveries", "/account", "/links", "/quality", "/snapshots", "/objections"]
    for browser, paths in ((body, pages), (steward, [f"/data{path}" for path in data])):
        for path in paths:
            page = browser.get(f"{path}?lang={language}")
            assert page.status_code == 200, path
            assert len(page.content) < 200_000
            assert len(re.findall(r"<h1>", page.text)) == 1, path
            assert not re.search(r"<script(?! src=)|<style|\sstyle=|\son\w+=|javascript:", page.text), path
        browser.get("/me?lang=en")


def test_an_applicant_is_shown_no_counts_and_another_s_draft_is_not_there(portal: Portal) -> None:
    number = asked(portal, text_of("FR-OWN-1"))
    alice, other = (portal.browser(who, Role.RESEARCHER) for who in (ALICE, "zoe@example.org"))
    assert "Count what it opens" not in alice.get(f"/applications/{number}").text
    assert alice.post(f"/applications/{number}/count", {}).status_code == 404
    assert other.get(f"/applications/{number}").status_code == 404
    with open_home(portal.home) as enclosure:
        assert show_application(enclosure, Hand(CAROL, for_access_body=True), number)["stage"] == "asked"
