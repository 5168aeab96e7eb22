"""The whole chain on an enclosure whose keys live in PKCS#11 tokens, in different hands."""

from __future__ import annotations

import json
import os

import pytest

from factories.enclosure import ALICE, CAROL, DAN, call, permit_text
from factories.tokens import PIN, token, token_folder

pytestmark = pytest.mark.system("softhsm2")

STUDY = """\
study: bleed
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
analyses:
  - incidence: {outcome: bleed, age_groups: [[0, 150]], sex: [both], days_prior_observation: [0], interval: [overall],
                washout_days: all, repeated_events: false, complete_intervals: false}
"""


@pytest.fixture
def run():
    """Run a command without any passphrase, with the PIN of the tokens."""

    def one(*arguments, expect=0):
        done = call(*arguments, "--json", ENCLOS_PASSPHRASE="", ENCLOS_PIN=PIN)
        assert done.returncode == expect, f"{arguments[:2]}: exit {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    return one


def test_from_deliveries_to_a_verified_release_with_keys_in_tokens(run, france, tmp_path):
    home, others = tmp_path / "home", (token("access-body"), token("ledger-keeper"), token("pseudonym-keeper"))
    roles = [f"access-body={others[0]}", f"ledger={others[1]}", f"pseudonym={others[2]}", f"record={others[2]}"]
    run("init", home, "--keys", token(), "--min-count-floor", 1, *(part for r in roles for part in ("--keys-for", r)))
    run("ingest", home, *sorted((france / "deliveries").iterdir()))
    run("link", home)
    built = run("build", home)
    assert built["n_persons"] > 1000
    permit, study = tmp_path / "permit.yaml", tmp_path / "study.yaml"
    permit.write_text(permit_text(min_count=1), encoding="utf-8")
    study.write_text(STUDY, encoding="utf-8")
    run("permit", "sign", home, permit)
    assert run("permit", "open", home, "FR-TEST-0001")["n_persons"] > 500
    done = run("study", home, study, "--permit", "FR-TEST-0001", "--user", ALICE)
    asked = run("release", "request", home, "--permit", "FR-TEST-0001", "--user", ALICE, "--run", done["run"],
                "--purpose", "A table for the safety report")  # fmt: skip
    for voter in (CAROL, DAN):
        run("release", "review", home, asked["request"], "--user", voter, "--accept", "--reason", "No small cell")
    package = run("release", "export", home, asked["request"], tmp_path / "out")
    assert run("release", "verify", tmp_path / "out", "--key", package["release_key"])
    assert run("ledger", "verify", home)["n_open"] == 0
    uses = run("ledger", "show", home, "--last", 400)["entries"]
    assert any(entry["action"] == "key.use" for entry in uses)
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert PIN.encode() not in content, file
    assert "pin" not in (home / "enclos.toml").read_text().lower().replace("pinned", "")


def test_without_the_pin_or_with_a_wrong_one_nothing_opens(tmp_path, run):
    home = tmp_path / "home"
    run("init", home, "--keys", token())
    for environment in ({"ENCLOS_PIN": ""}, {"ENCLOS_PIN": "000000"}):
        done = call("ledger", "show", home, "--json", ENCLOS_PASSPHRASE="", **environment)
        assert done.returncode == 3 and json.loads(done.stdout)["refused"]["code"] == "KEY-02"


def test_the_enclosure_does_not_open_on_another_token(tmp_path, run, monkeypatch):
    home = tmp_path / "home"
    run("init", home, "--keys", token())
    settings = home / "enclos.toml"
    settings.write_text(settings.read_text().replace("token=enclos-test", "token=access-body"))
    done = call("ledger", "show", home, "--json", ENCLOS_PASSPHRASE="", ENCLOS_PIN=PIN)
    assert done.returncode == 4 and json.loads(done.stdout)["refused"]["code"] == "ENC-07"
    assert str(token_folder()) not in done.stdout + done.stderr and os.environ["SOFTHSM2_CONF"]
