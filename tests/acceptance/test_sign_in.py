"""A person signs in on the command line, and out again."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from enclos.app.enclosure import create_enclosure
from enclos.app.settings import SETTINGS_FILE
from enclos.app.sign_in import sign_in_locally
from enclos.signin.model import Role
from factories.enclosure import ALICE, PASSPHRASE, call, open_home, run_cli
from factories.people import PASSWORD, local_account, shown_code


def test_a_person_signs_in_is_known_and_signs_out(tmp_path: Path) -> None:
    home, state = tmp_path / "home", {"XDG_STATE_HOME": str(tmp_path / "state"), "ENCLOS_PASSWORD": PASSWORD}

    def told(done: subprocess.CompletedProcess[str]) -> Any:
        assert PASSWORD not in done.stdout + done.stderr
        return json.loads(done.stdout)

    run_cli("init", home, "--buckets", 1)
    made = told(call("account", "add", home, ALICE, "--role", "researcher", "--json"))
    assert made["roles"] == ["researcher"]
    assert "trying out" in made["note"]

    def login(shown_at: float = 0, **given: str) -> subprocess.CompletedProcess[str]:
        code = shown_code(made["authenticator"], datetime.now(UTC) + timedelta(seconds=shown_at))
        return call("login", home, "--account", ALICE, "--json", **{**state, **given}, ENCLOS_CODE=code)

    def refused(done: subprocess.CompletedProcess[str]) -> Any:
        assert done.returncode != 0
        return json.loads(done.stdout)["refused"]["code"]

    assert refused(login(ENCLOS_PASSWORD="not it at all")) == "SGN-01"
    first = made["first_password"]
    assert refused(login(ENCLOS_PASSWORD=first)) == "SGN-11"
    assert refused(login(ENCLOS_PASSWORD=first, ENCLOS_NEW_PASSWORD="1qaz2wsx3edc")) == "SGN-06"
    signed_in = login(ENCLOS_PASSWORD=first, ENCLOS_NEW_PASSWORD=PASSWORD)
    assert told(signed_in)["person"] == ALICE
    assert "trying out" in signed_in.stderr
    file = Path(told(signed_in)["file"])
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    early = call("token", home, **state).stdout.strip()
    assert told(login(30))["person"] == ALICE, "by the password that they chose"
    seen = told(call("sign-ins", home, "--json", **state))["sign_ins"]
    assert [(each["via"], each["is_this"]) for each in seen] == [("command", True), ("command", False)]
    assert told(call("logout", home, "--others", "--json", **state))["ended"] == [seen[1]["sign_in"]]
    assert refused(call("whoami", home, "--json", **state, ENCLOS_TOKEN=early)) == "SGN-03"
    token = call("token", home, **state).stdout.strip()
    assert token == file.read_text()
    assert told(call("whoami", home, "--json", **state))["roles"] == ["researcher"]
    assert told(call("logout", home, "--json", **state))["signed_out"]
    assert not file.exists()
    for environment, refusal in (({}, "SGN-10"), ({"ENCLOS_TOKEN": token}, "SGN-03")):
        after = call("whoami", home, "--json", **state, **environment)
        assert (after.returncode, json.loads(after.stdout)["refused"]["code"]) == (3, refusal)
        assert token not in after.stdout + after.stderr


def test_where_it_is_required_nobody_acts_under_another_s_name_or_in_a_role_they_do_not_have(
    tmp_path: Path,
) -> None:
    home, state = tmp_path / "home", {"XDG_STATE_HOME": str(tmp_path / "state")}
    create_enclosure(home, passphrase=PASSPHRASE, buckets=1)
    settings = home / SETTINGS_FILE
    settings.write_text(settings.read_text().replace("required = false", "required = true"))
    with open_home(home) as enclosure:
        enrolment = local_account(enclosure, ALICE, "", [Role.RESEARCHER])
        token = sign_in_locally(enclosure, ALICE, PASSWORD, shown_code(enrolment, datetime.now(UTC)))[1]

    def code(*command: object, **environment: str) -> str:
        done = call(command[0], *command[1:], "--json", **state, **environment)
        return str(json.loads(done.stdout)["refused"]["code"])

    query = ("sql", home, "--permit", "FR-1", "SELECT 1 AS one FROM person", "--user")
    vote = ("release", "review", home, "no-such-request", "--accept", "--reason", "it fits", "--user")
    assert code(*query, ALICE) == "SGN-10"
    assert code(*query, "bob@example.org", ENCLOS_TOKEN=token) == "SGN-10"
    assert code(*vote, ALICE, ENCLOS_TOKEN=token) == "SGN-05"
    assert code(*query, ALICE, ENCLOS_TOKEN=token) == "PRM-02", "she is let in, and there is no such permit"
