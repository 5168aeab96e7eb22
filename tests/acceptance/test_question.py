"""A citizen's question by the commands that people type: from an identity at the desk to the answer there."""

from __future__ import annotations

import os
import subprocess

import pytest

from factories.deliveries import write_own_stays
from factories.enclosure import ENCLOS, PASSPHRASE, refused, run_cli

NIR, BIRTH, SEX = "2850578006084", "1985-05-17", "2"


@pytest.mark.slow
def test_a_desk_asks_with_an_identity_and_reads_which_permit_had_it_in(small, tmp_path):
    key, desk, asked, question, told = (
        tmp_path / name for name in ("key", "desk", "small.json", "question.json", "answer.json")
    )
    run_cli("keys", "source", key, "--source", "hosp-z")
    (tmp_path / "in.csv").write_text(f"NIR;DDN;SEXE\n{NIR};{BIRTH};{SEX}\n", encoding="utf-8")
    run_cli(
        "pseudonymise",
        tmp_path / "in.csv",
        tmp_path / "out.csv",
        "--key",
        key,
        "--columns",
        "nir=NIR,birth=DDN,sex=SEXE",
    )
    pseudonym = (tmp_path / "out.csv").read_text().split()[1].strip('"')
    run_cli("ingest", small, write_own_stays(tmp_path, "hosp-z", [{"patient": pseudonym}]))
    run_cli("build", small)
    run_cli("permit", "open", small, "FR-TEST-0001")
    made = run_cli("question", "desk", desk, "--source", "hosp-z")
    accepted = run_cli("question", "accept", small, desk / "desk.json", asked)
    assert accepted["fingerprint"] == made["fingerprint"]
    typed = subprocess.run(
        [str(ENCLOS), "question", "ask", desk, asked, question, "--key", key, "--json"],
        input=f"{NIR}\n{BIRTH}\n{SEX}\n",
        env={**os.environ, "ENCLOS_PASSPHRASE": PASSPHRASE},
        capture_output=True,
        text=True,
        check=True,
    )
    answered = run_cli("question", "answer", small, question, told)
    found = run_cli("question", "open", desk, told, asked)
    assert (found["known"], [each["permit"] for each in found["permits"]]) == ("yes", ["FR-TEST-0001"])
    assert found["permits"][0]["n_openings"] == 2 and len(found["snapshots"]) == 2
    assert refused("question", "answer", small, question, tmp_path / "again.json")[1] == "RGT-12"
    for text in (typed.stdout + typed.stderr, str(answered), question.read_text(), told.read_text()):
        assert NIR not in text and pseudonym not in text
    assert run_cli("ledger", "verify", small)["n_open"] == 0
