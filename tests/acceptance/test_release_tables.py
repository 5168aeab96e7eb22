"""A question in SQL becomes a table that is checked, asked for, judged and exported as a study's result is."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from enclos.app import looks, permits, releases
from enclos.app.sql import ask
from enclos.app.tables import keep_answer, keep_job
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal
from factories.enclosure import ALICE, CAROL, DAN, open_home, permit_text, refused, run_cli

pytestmark = pytest.mark.system("bubblewrap")
PERMIT = "FR-TEST-0001"
STAYS = """\
SELECT year(visit_start_date) AS dupont_was_here, count(DISTINCT person_id) AS n, -- a remark
       count(DISTINCT v.visit_occurrence_id), count(*)
FROM person AS martin JOIN visit_occurrence v USING (person_id) GROUP BY 1 ORDER BY 2
"""


def test_a_question_in_sql_leaves_as_a_table_without_its_author_s_words(small: Path, tmp_path: Path) -> None:
    kept = run_cli("sql", small, STAYS, "--permit", PERMIT, "--user", ALICE, "--keep")
    assert (kept["keys"], kept["already"]) == (["year_of_visit_start_date"], False)
    assert kept["measures"][:2] == ["person_count of persons", "stay_count of stays"]
    with open_home(small) as enclosure:
        again = keep_answer(enclosure, permit=PERMIT, user=ALICE, text=STAYS)
        assert (again["run"], again["already"]) == (kept["run"], True)
        found = releases.check(enclosure, permit=PERMIT, user=ALICE, run=kept["run"])
        assert (found["verdict"], found["automatic"]) == ("pass", False), found
        with pytest.raises(Refusal):
            releases.request(enclosure, permit=PERMIT, user=DAN, run=kept["run"], purpose="For a report")
        answer = releases.request(enclosure, permit=PERMIT, user=ALICE, run=kept["run"], purpose="For a report")
        assert answer["state"] == "open"  # never by itself
        with pytest.raises(Refusal):
            releases.review(enclosure, answer["request"], user=ALICE, accept=True, reason="It is fine")
        for who in (CAROL, DAN):
            voted = releases.review(enclosure, answer["request"], user=who, accept=True, reason="It is fine")
        assert voted["state"] == "accepted"
        exported = releases.export(enclosure, answer["request"], tmp_path / "table.zip")
        without = STAYS.replace("GROUP", "WHERE year_of_birth > 1935 GROUP")
        fewer = keep_answer(enclosure, permit=PERMIT, user=ALICE, text=without)
        found = releases.check(enclosure, permit=PERMIT, user=ALICE, run=fewer["run"])
        assert found["verdict"] == "refuse"
        assert answer["request"] in " ".join(found["reasons"])  # the earlier release is named
    assert releases.verify(tmp_path / "table.zip", exported["release_key"])["n_estimates"] == 3
    with zipfile.ZipFile(tmp_path / "table.zip") as package:
        files = {name.rsplit("/", 1)[-1]: package.read(name).decode("utf-8", "replace") for name in package.namelist()}
    assert "visit_start_date" in files["study.yaml"]
    for word in ("dupont", "martin", "remark"):
        assert word not in " ".join(files.values())
    rows = list(csv.DictReader(files["results.csv"].splitlines()))
    persons = {row["strata_level"]: row["estimate_value"] for row in rows if row["estimate_name"] == "person_count"}
    assert persons == {"2019": "60"}


def test_what_is_no_table_of_groups_is_kept_for_nobody_and_an_ended_permit_stops_it(
    small: Path, tmp_path: Path
) -> None:
    code, name, said = refused(
        "sql", small, "SELECT max(year_of_birth) FROM person", "--permit", PERMIT, "--user", ALICE, "--keep"
    )
    assert (code, name) == (3, Code.SQL_NOT_ALLOWED.value[0])
    assert "one person's" in said
    text = "SELECT year_of_birth < 1935, count(*) FROM person GROUP BY 1"
    with open_home(small) as enclosure:
        with pytest.raises(Refusal):
            keep_answer(enclosure, permit=PERMIT, user=DAN, text=text)
        kept = keep_answer(enclosure, permit=PERMIT, user=ALICE, text=text)
        assert kept["n_rows"] == 1  # three are older: under a permit for aggregates they are not even kept
        by = {"permit": PERMIT, "user": ALICE}
        waits = releases.request(enclosure, **by, run=kept["run"], purpose="For a report")["request"]
        goes = releases.request(enclosure, **by, run=kept["run"], purpose="For another report")["request"]
        for who in (CAROL, DAN):
            releases.review(enclosure, goes, user=who, accept=True, reason="It is fine")
        permits.revoke(enclosure, PERMIT, reason="The project is over")
        for act in (
            lambda: keep_answer(enclosure, permit=PERMIT, user=ALICE, text=text),
            lambda: releases.request(enclosure, permit=PERMIT, user=ALICE, run=kept["run"], purpose="For a report"),
            lambda: releases.check(enclosure, permit=PERMIT, user=ALICE, run=kept["run"]),
            lambda: keep_job(enclosure, **by, rows=b"person_id,flag\n1,yes\n", form=FORM),
            lambda: looks.look(enclosure, waits, user=CAROL),
            lambda: releases.ask(enclosure, waits, user=CAROL, text="Why these years?"),
            lambda: releases.review(enclosure, waits, user=CAROL, accept=True, reason="It is fine"),
            lambda: releases.export(enclosure, goes, tmp_path / "late.zip"),
        ):
            with pytest.raises(Refusal) as caught:
                act()
            assert caught.value.code in {Code.PERMIT_REVOKED, Code.PERMIT_EXPIRED}
        assert not (tmp_path / "late.zip").exists()


FORM = """\
table: job
keys: [{column: year_of_birth, kind: year}, {column: flag, kind: flag}]
measures: [person_count, {mean: score}]
"""


def test_a_job_hands_over_rows_and_the_platform_counts_its_own_persons(small: Path, tmp_path: Path) -> None:
    with open_home(small) as enclosure:
        permits.sign(enclosure, permit_text("FR-TEST-0002", access="rows"))
        permits.open_one(enclosure, "FR-TEST-0002")
        listed = ask(enclosure, permit="FR-TEST-0002", user=ALICE, text="SELECT person_id, year_of_birth FROM person")
        people = [(row["person_id"], row["year_of_birth"]) for row in listed.table.to_pylist()]
        lines = [
            f"{person},{born},{'yes' if at % 2 else 'no'},{at % 17}.25" for at, (person, born) in enumerate(people)
        ]
        rows = "\n".join(["person_id,year_of_birth,flag,score", *lines, ""])
        codes = rows.replace("year_of_birth", "race_concept_id")
        coded = FORM.replace("year_of_birth, kind: year", "race_concept_id, kind: concept")
        own = {"permit": "FR-TEST-0002", "user": ALICE, "form": FORM}
        for wrong, code in (
            ({**own, "rows": rows.encode(), "user": DAN}, Code.PERMIT_USER_MISSING),
            ({**own, "rows": rows.encode(), "permit": PERMIT}, Code.VIEW_NOT_GRANTED),
            ({**own, "rows": rows.encode() + b"77,1950,yes,1\n"}, Code.RELEASE_UNTYPED),
            ({**own, "rows": codes.encode(), "form": coded}, Code.RELEASE_UNTYPED),  # there is no vocabulary here
            ({**own, "rows": b"\x89PNG\r\n\x1a\n"}, Code.RELEASE_FILE),
        ):
            with pytest.raises(Refusal) as caught:
                keep_job(enclosure, **wrong)
            assert caught.value.code is code
        kept = keep_job(enclosure, **own, rows=rows.encode())
        assert keep_job(enclosure, **own, rows=rows.encode())["already"]
        found = releases.check(enclosure, permit="FR-TEST-0002", user=ALICE, run=kept["run"])
        assert (found["verdict"], found["automatic"]) == ("review", False)
        assert "what a job wrote" in " ".join(found["reasons"])
        answer = releases.request(enclosure, permit="FR-TEST-0002", user=ALICE, run=kept["run"], purpose="For a report")
        assert answer["state"] == "open"
    (tmp_path / "rows.csv").write_text(rows, encoding="utf-8")
    (tmp_path / "form.yaml").write_text(FORM, encoding="utf-8")
    printed = run_cli(
        "table", small, tmp_path / "rows.csv", tmp_path / "form.yaml", "--permit", "FR-TEST-0002", "--user", ALICE
    )
    assert (printed["run"], printed["already"]) == (kept["run"], True)
    code, name, said = refused(
        *("release", "request", small, "--permit", "FR-TEST-0002", "--user", ALICE, "--purpose", "For a report"),
        *("--run", tmp_path / "rows.csv"),
    )
    assert (code, name) == (5, Code.RELEASE_FILE.value[0])
    assert "a table that declares nothing" in said
