"""Re-identification end to end: the source learns who it is, the enclosure does not, nobody alone does it."""

from __future__ import annotations

import json

import pytest

from enclos.app import reidentification
from enclos.app.permits import perimeter_of
from enclos.app.snapshots import reading_snapshot
from enclos.lexicon.refusals import Refusal
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home, refused, run_cli

PERMIT = "FR-TEST-0001"
WHY = "a value that needs care"


def patient(home):
    """A hospital's patient of the perimeter: source, its own key, the permit's number."""
    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        perimeter = perimeter_of(enclosure, PERMIT, engine, snapshot).rows()
    with open_home(home) as enclosure, enclosure.vault_engine() as engine:
        engine.register("perimeter", perimeter)
        return engine.rows(
            "SELECT m.source, m.source_person_key, p.permit_person FROM vault.person_map AS m JOIN perimeter AS p "
            "ON p.person_id = m.person_id WHERE m.source LIKE 'hosp%' AND length(m.source_person_key) > 6 "
            "ORDER BY p.permit_person LIMIT 1"
        )[0]


def test_two_named_persons_let_the_source_alone_learn_who_it_is(home, tmp_path):
    source, own_key, number = patient(home)
    key, other, out = tmp_path / "key", tmp_path / "other", tmp_path / "answer.json"
    made = run_cli("reidentify", "key", key, "--source", source)
    run_cli("reidentify", "key", other, "--source", source)
    asked = run_cli(
        *("reidentify", "request", home, "--permit", PERMIT, "--user", ALICE, "--person", number, "--why", WHY),
        *("--reason", "significant-finding", "--recipient", key / "recipient.json"),
    )
    request = asked["request"]
    assert (asked["state"], asked["fingerprint"]) == ("asked", made["fingerprint"])
    assert refused("reidentify", "carry-out", home, request, out)[1] == "RGT-04"
    with open_home(home) as enclosure:
        with pytest.raises(Refusal) as told:
            reidentification.decide(enclosure, request, user=ALICE, approve=True, why=WHY)
        assert told.value.code.id == "RGT-03"
        assert (
            reidentification.decide(enclosure, request, user=CAROL, approve=True, why=WHY)["state"] == "approved-once"
        )
        with pytest.raises(Refusal) as told:
            reidentification.decide(enclosure, request, user=CAROL.upper(), approve=True, why=WHY)
        assert told.value.code.id == "RGT-03"
        with pytest.raises(Refusal):
            reidentification.carry_out(enclosure, request, out)
    assert run_cli("reidentify", "approve", home, request, "--user", DAN, "--why", WHY)["state"] == "approved"
    done = run_cli("reidentify", "carry-out", home, request, out)
    assert done["state"] == "carried-out"
    assert refused("reidentify", "carry-out", home, request, tmp_path / "again.json")[1] == "RGT-04"
    opened = run_cli("reidentify", "open", key, out)
    assert opened["pseudonyms"] == [own_key] and opened["reason"] == "significant-finding"
    assert refused("reidentify", "open", other, out)[1] == "RGT-07"
    answer = json.loads(out.read_bytes())
    out.write_text(json.dumps({**answer, "request": "0" * 16}), encoding="utf-8")
    assert refused("reidentify", "open", key, out)[1] == "RGT-07"
    shown = run_cli("reidentify", "show", home, request)
    assert [each["user"] for each in shown["decisions"]] == [CAROL, DAN]
    for text in (
        json.dumps([asked, done, shown, answer]),
        *(str(path.read_bytes()) for path in home.rglob("*.sealed")),
    ):
        assert own_key not in text
    assert run_cli("ledger", "verify", home)["n_open"] == 0


def test_what_is_no_reason_no_person_or_no_words_goes_no_further(home, tmp_path):
    source, _, number = patient(home)
    made = reidentification.make_key(tmp_path / "key", source=source, passphrase=PASSPHRASE, place="file")
    assert len(made["public_key"]) == 64
    recipient = tmp_path / "key" / "recipient.json"
    good = {"permit": PERMIT, "user": ALICE, "person": number, "reason": "medical-emergency", "text": WHY}
    with open_home(home) as enclosure:
        for change, code in (
            ({"reason": "curiosity"}, "RGT-02"),
            ({"text": "because"}, "RGT-02"),
            ({"user": CAROL}, "PRM-09"),
            ({"permit": "FR-NONE"}, "PRM-02"),
        ):
            with pytest.raises(Refusal) as told:
                reidentification.request(enclosure, recipient=recipient, **{**good, **change})
            assert told.value.code.id == code
        with pytest.raises(Refusal) as told:
            reidentification.request(enclosure, recipient=tmp_path / "none.json", **good)
        assert told.value.code.id == "RGT-07"
        nobody = reidentification.request(enclosure, recipient=recipient, **{**good, "person": number + 1})["request"]
        stopped = reidentification.request(enclosure, recipient=recipient, **good)["request"]
        assert reidentification.decide(enclosure, stopped, user=CAROL, approve=False, why=WHY)["state"] == "refused"
        with pytest.raises(Refusal) as told:
            reidentification.decide(enclosure, stopped, user=DAN, approve=True, why=WHY)
        assert told.value.code.id == "RGT-04"
        for user in (CAROL, DAN):
            reidentification.decide(enclosure, nobody, user=user, approve=True, why=WHY)
        with pytest.raises(Refusal) as told:
            reidentification.carry_out(enclosure, nobody, tmp_path / "out.json")
        assert told.value.code.id == "RGT-06" and str(number + 1) not in str(told.value)
        states = {each["request"]: each["state"] for each in reidentification.list_all(enclosure)["requests"]}
        assert states == {nobody: "approved", stopped: "refused"}
    assert not (tmp_path / "out.json").exists()
