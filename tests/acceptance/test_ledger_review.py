"""The month of an enclosure that people have worked in, reviewed by the command."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from enclos.app.sql import ask
from factories.enclosure import ALICE, open_home, refused, run_cli

BORN = range(1940, 1950)


def test_a_month_of_probing_is_found_and_told_with_pictures(home: Path, tmp_path: Path) -> None:
    month = f"{datetime.now(UTC):%Y-%m}"
    with open_home(home) as enclosure:
        for born in BORN:
            text = f"SELECT count(*) AS n FROM person WHERE year_of_birth = {born}"
            ask(enclosure, permit="FR-TEST-0001", user=ALICE, text=text)
    pages = {lang: tmp_path / f"{lang}.html" for lang in ("en", "fr")}
    answers = [
        run_cli("ledger", "review", home, "--month", month, "--page", page, "--lang", lang)
        for lang, page in pages.items()
    ]
    found = [one for one in answers[0]["findings"] if one["detector"] == "near-identical-queries"]
    assert [(one["by"], one["permit"], one["n"]) for one in found] == [(ALICE, "FR-TEST-0001", len(BORN))]
    (used,) = answers[0]["permits"]
    assert (used["permit"], used["n_uses"], used["n_exports"]) == ("FR-TEST-0001", len(BORN), 0)
    assert 0 < used["n_rows"] <= len(BORN)  # small counts are not shown
    assert {one["action"] for one in answers[0]["privileged"]} >= {"ingest", "link", "build", "permit.sign"}
    assert "differs only in its constants" in pages["en"].read_text(encoding="utf-8")
    assert "ne diffèrent que par leurs constantes" in pages["fr"].read_text(encoding="utf-8")
    assert not any(
        str(born) in page.read_text(encoding="utf-8") for page in pages.values() for born in range(1940, 1950)
    )
    reviews = [sum(one["n"] for one in each["actions"] if one["action"] == "ledger.review") for each in answers]
    assert reviews == [1, 2]  # a review is an act itself, the one that reads too
    run_cli("ledger", "verify", home)


def test_a_month_that_is_none_is_refused(home: Path) -> None:
    for month in ("2026-13", "last", "2999-01"):
        assert refused("ledger", "review", home, "--month", month)[:2] == (4, "LDG-08")
