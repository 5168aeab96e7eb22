"""A citizen's question: the desk learns the answer, and the enclosure nothing that it could keep.

The person's identity and pseudonym are looked for in every file of the enclosure, in what its side printed and in the
ledger; who is in and who is not leave the same traces.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from enclos.app import desks, permits, questions
from enclos.app.deliveries import ingest_deliveries
from enclos.app.enclosure import create_enclosure
from enclos.app.objections import add_objections
from enclos.app.rotation import destroy_key
from enclos.app.senders import make_source_key, pseudonym_of
from enclos.app.snapshots import build_omop
from enclos.app.sql import ask as ask_sql
from enclos.ledger.model import Action, Entry
from enclos.lexicon.refusals import Refusal
from enclos.pseudonyms.model import Objector
from factories.canaries import search
from factories.deliveries import write_own_stays
from factories.enclosure import ALICE, PASSPHRASE, open_home, permit_text

NIR, BIRTH, SEX = "2850578006084", "1985-05-17", "2"
OTHER_NIR = "1850578006001"
WIDE, NARROW = "FR-WIDE", "FR-NARROW"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """An enclosure with one canary among thirty patients, a permit that has her in, one that has not, and a desk."""
    folder = tmp_path_factory.mktemp("question")
    home, desk, key = folder / "home", folder / "desk", folder / "key"
    make_source_key(key, source="hosp-e", place="file", passphrase=PASSPHRASE)
    canary = pseudonym_of(key, PASSPHRASE, nir=NIR, birth=BIRTH, sex=SEX)[1]
    stays = [{"entry": f"2019-04-{1 + n % 20:02d}", "exit": f"2019-04-{3 + n % 20:02d}"} for n in range(30)]
    later = [{"patient": name, "entry": "2020-02-01", "exit": "2020-02-03"} for name in (canary, "twin/1", "twin/2")]
    create_enclosure(home, passphrase=PASSPHRASE, buckets=2, min_count_floor=1)
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [write_own_stays(folder / "sent", "hosp-e", [*stays, *later])])
        build_omop(enclosure)
        for permit, period in ((WIDE, "2019-01-01, end: 2021-01-01"), (NARROW, "2019-01-01, end: 2019-12-01")):
            permits.sign(enclosure, permit_text(permit, period=f"{{start: {period}}}"))
            permits.open_one(enclosure, permit)
    desks.make_desk(desk, source="hosp-e", passphrase=PASSPHRASE, place="file")
    with open_home(home) as enclosure:
        questions.accept(enclosure, desk / "desk.json", folder / "asked.json")
    return SimpleNamespace(folder=folder, home=home, desk=desk, key=key, canary=canary, asked=folder / "asked.json")


@pytest.fixture
def town(made: SimpleNamespace, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A copy, open for the whole test."""
    shutil.copytree(made.home, tmp_path / "home")
    with open_home(tmp_path / "home") as enclosure:
        changes = {"home": tmp_path / "home", "folder": tmp_path, "enclosure": enclosure}
        yield SimpleNamespace(**{**vars(made), **changes})


def ask(town: SimpleNamespace, name: str, pseudonym: str, rank: int | None = None) -> Path:
    out: Path = town.folder / f"{name}-question.json"
    asked = Objector("hosp-e", pseudonym, rank)
    desks.ask(town.desk, town.asked, out, asked=asked, passphrase=PASSPHRASE)
    return out


def answer(town: SimpleNamespace, question: Path, name: str) -> dict[str, Any]:
    return questions.answer(town.enclosure, question, town.folder / f"{name}-answer.json")


def read(town: SimpleNamespace, name: str) -> dict[str, Any]:
    file = town.folder / f"{name}-answer.json"
    return desks.open_one(town.desk, file, town.asked, passphrase=PASSPHRASE)


def asked_of(town: SimpleNamespace, name: str, pseudonym: str, rank: int | None = None) -> dict[str, Any]:
    answer(town, ask(town, name, pseudonym, rank), name)
    return read(town, name)


def entries(town: SimpleNamespace) -> list[tuple[int, Entry]]:
    return list(town.enclosure.ledger.entries())


def files_of(home: Path) -> list[bytes]:
    return [path.read_bytes() + path.name.encode() for path in home.rglob("*") if path.is_file()]


def test_the_desk_learns_which_permits_had_her_in_and_the_enclosure_keeps_nothing(town):
    text = "SELECT count(DISTINCT person_id) AS n FROM person"
    ask_sql(town.enclosure, permit=WIDE, user=ALICE, text=text, unconfined_for_trying_out=True)
    question = ask(town, "hers", pseudonym_of(town.key, PASSPHRASE, nir=NIR, birth=BIRTH, sex=SEX)[1])
    told = answer(town, question, "hers")
    found = read(town, "hers")
    (permit,) = found["permits"]
    assert (found["known"], found["objection"], found["elsewhere"]) == ("yes", False, {NARROW: "out"})
    assert (permit["permit"], permit["purpose"]["text"]) == (WIDE, "A test of the whole chain")
    assert (permit["n_uses"], permit["uses"][0]["what"], permit["opened"]["snapshot"]) == (1, "sql", 1)
    written = dict(entries(town))
    assert [written[index].action for index in permit["uses"][0]["entries"]] == [Action.SQL, Action.SQL]
    assert [written[index].action for index in permit["opened"]["entries"]] == [Action.PERMIT_OPEN] * 2
    assert found["snapshots"][0]["snapshot"] == 1 and found["not_known"]
    outcome = written[found["proved"]["answer"]]
    assert outcome.action is Action.QUESTION and str(outcome.facts["asked"]).startswith("salted:")
    assert set(told) == {"question", "file", "n_bytes"}
    values = [NIR, town.canary]
    inside = [*files_of(town.home), json.dumps(told).encode(), question.read_bytes()]
    inside.append((town.folder / "hers-answer.json").read_bytes())
    assert len(inside) > 40
    assert not [place for place, content in enumerate(inside) if search(content, values)]


def test_who_is_in_and_who_is_not_leave_the_same_traces(town):
    """From one and the same ledger: the same entries, and files of the same length to the byte."""
    traces, sizes, found = [], set(), []
    for name, pseudonym in (("one", town.canary), ("both", "p4"), ("none", "nobody-of-that-name")):
        home, question = town.folder / f"home-{name}", ask(town, name, pseudonym)
        shutil.copytree(town.home, home)
        with open_home(home) as enclosure:
            one = SimpleNamespace(**{**vars(town), "enclosure": enclosure})
            n_before = enclosure.ledger.size()
            told = answer(one, question, name)
            new = [entry for index, entry in entries(one) if index >= n_before]
        sizes.add((told["n_bytes"], question.stat().st_size, tuple(told)))
        traces.append([(entry.kind, entry.action, sorted(entry.facts), entry.facts.get("role")) for entry in new])
        found.append(read(town, name))
    assert traces[0] == traces[1] == traces[2]
    assert len(sizes) == 1
    assert [(each["known"], [one["permit"] for one in each["permits"]]) for each in found] == [
        ("yes", [WIDE]),
        ("yes", [NARROW, WIDE]),
        ("no", []),
    ]


def test_what_cannot_be_told_is_said(town):
    add_objections(town.enclosure, [Objector("hosp-e", town.canary)])
    permits.sign(town.enclosure, permit_text("FR-NEVER"))
    destroy_key(town.enclosure, permit=WIDE, reason="the project has ended")
    found = asked_of(town, "hers", town.canary)
    assert found["objection"] and not found["permits"]
    assert found["elsewhere"] == {WIDE: "destroyed", NARROW: "out", "FR-NEVER": "not-opened"}


@pytest.mark.slow
def test_of_two_who_bear_one_pseudonym_nothing_is_told_until_the_rank_says_who(town):
    """An SNDS pseudonym is shared by twins of one sex on one insured person's number."""
    both = asked_of(town, "both", "twin")
    assert (both["known"], both["permits"], both["elsewhere"]) == ("several", [], {WIDE: "unclear", NARROW: "unclear"})
    assert [each["permit"] for each in asked_of(town, "first", "twin", 1)["permits"]] == [WIDE]


def refusal_of(town: SimpleNamespace, question: Path, name: str = "x") -> str:
    with pytest.raises(Refusal) as told:
        answer(town, question, name)
    assert not (town.folder / f"{name}-answer.json").exists()
    assert town.canary not in str(told.value)
    assert [entry.code for _, entry in entries(town)][-1] == told.value.code.id
    return told.value.code.id


def test_what_is_no_question_is_refused_and_the_refusal_is_in_the_ledger(town, monkeypatch):
    good = ask(town, "good", town.canary)
    document = json.loads(good.read_bytes())

    def altered(**change: object) -> Path:
        path: Path = town.folder / f"altered-{len(list(town.folder.iterdir()))}.json"
        path.write_text(json.dumps({**document, **change}), encoding="utf-8")
        return path

    assert refusal_of(town, altered(expires_at="2040-01-01T00:00:00+00:00")) == "RGT-08"
    assert refusal_of(town, altered(signature="00" * 64)) == "RGT-08"
    unsigned = {name: value for name, value in document.items() if name != "signature"}
    (town.folder / "unsigned.json").write_text(json.dumps(unsigned), encoding="utf-8")
    assert refusal_of(town, town.folder / "unsigned.json") == "RGT-08"
    stranger = town.folder / "stranger"
    desks.make_desk(stranger, source="hosp-e", passphrase=PASSPHRASE, place="file")
    theirs = ask(SimpleNamespace(**{**vars(town), "desk": stranger}), "theirs", town.canary)
    assert refusal_of(town, theirs) == "RGT-10"
    assert refusal_of(town, altered(desk=json.loads(theirs.read_bytes())["desk"])) == "RGT-08"
    asked = json.loads(town.asked.read_bytes())
    elsewhere = town.folder / "elsewhere.json"
    elsewhere.write_text(json.dumps({**asked, "origin": "enclos.example/other"}), encoding="utf-8")
    other = ask(SimpleNamespace(**{**vars(town), "asked": elsewhere}), "other", town.canary)
    assert refusal_of(town, other) == "RGT-09"
    monkeypatch.setattr(desks, "QUESTION_DAYS", 0)
    desks.ask(
        town.desk, town.asked, town.folder / "late.json", asked=Objector("hosp-e", "p1"), passphrase=PASSPHRASE, days=0
    )
    assert refusal_of(town, town.folder / "late.json") == "RGT-11"
    answer(town, good, "good")
    assert refusal_of(town, good, "again") == "RGT-12"
    questions.dismiss(town.enclosure, "hosp-e")
    assert refusal_of(town, ask(town, "dismissed", town.canary)) == "RGT-10"


def test_a_desk_asks_about_its_own_source_only(town):
    with pytest.raises(Refusal) as told:
        desks.ask(town.desk, town.asked, town.folder / "q.json", asked=Objector("hosp-x", "p1"), passphrase=PASSPHRASE)
    assert told.value.code.id == "RGT-10"


def test_an_answer_opens_at_its_desk_only_and_is_worth_what_the_ledger_says(town):
    answer(town, ask(town, "hers", town.canary), "hers")
    file = town.folder / "hers-answer.json"
    stranger = town.folder / "stranger"
    desks.make_desk(stranger, source="hosp-e", passphrase=PASSPHRASE, place="file")
    with pytest.raises(Refusal) as told:
        desks.open_one(stranger, file, town.asked, passphrase=PASSPHRASE)
    assert told.value.code.id == "RGT-08"
    document = json.loads(file.read_bytes())
    file.write_text(json.dumps({**document, "id": "q-" + "0" * 32}), encoding="utf-8")
    with pytest.raises(Refusal) as told:
        read(town, "hers")
    assert told.value.code.id == "RGT-08"
    file.write_text(json.dumps(document), encoding="utf-8")
    asked = json.loads(town.asked.read_bytes())
    another = json.loads((town.asked).read_bytes())["ledger_key"].replace("+", "+0", 1)
    other = town.folder / "other.json"
    other.write_text(json.dumps({**asked, "ledger_key": another}), encoding="utf-8")
    with pytest.raises(Refusal) as told:
        desks.open_one(town.desk, file, other, passphrase=PASSPHRASE)
    assert told.value.code.id == "LDG-05"
