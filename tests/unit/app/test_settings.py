"""The settings of an enclosure: of its own rules and those of its sources the strictest holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclos.app.settings import SETTINGS_FILE, EnclosureSection, LedgerSection, Settings, read_settings
from enclos.contracts.disclosure import Demands
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal

PLAIN = Settings(
    enclosure=EnclosureSection(name="here", buckets=4, min_count_floor=11), ledger=LedgerSection(origin="here.example")
)
SOURCES = """
[release.sources."hosp-a"]
min_count = 20
round_to = 10

[release.sources.dcir]
round_to = 5
"""


def written(folder: Path, text: str) -> Settings:
    (folder / SETTINGS_FILE).write_text(text, encoding="utf-8")
    return read_settings(folder)


def test_the_strictest_of_the_enclosure_and_its_sources_holds(tmp_path: Path) -> None:
    assert (PLAIN.floor, PLAIN.round_to) == (11, 1)
    found = written(tmp_path, PLAIN.to_toml() + SOURCES)
    assert (found.floor, found.round_to) == (20, 10)
    own = written(tmp_path, PLAIN.to_toml().replace("round_to = 1\n", "round_to = 7\n"))
    assert (own.floor, own.round_to) == (11, 7)


def test_a_file_named_in_place_of_the_folder_is_told_as_such(tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text("study: first", encoding="utf-8")
    with pytest.raises(Refusal) as caught:
        read_settings(study)
    assert caught.value.code is Code.ENCLOSURE_MISSING
    assert "study.yaml is a file" in caught.value.what and "first" not in caught.value.what


def test_rules_of_sources_are_written_as_they_are_read(tmp_path: Path) -> None:
    found = written(tmp_path, PLAIN.to_toml() + SOURCES)
    assert written(tmp_path, found.to_toml()) == found


def test_counts_are_not_rounded_wider_than_they_are_hidden(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as caught:
        written(tmp_path, PLAIN.to_toml().replace("round_to = 1\n", "round_to = 12\n"))
    assert caught.value.code is Code.SETTINGS_BROKEN


@pytest.mark.parametrize("months", [12, 36])
def test_traces_are_told_for_twelve_to_thirty_six_months(tmp_path: Path, months: int) -> None:
    """Sources: Regulation (EU) 2025/327, Art. 73(1)(e), a year at least; MR-007 SEC-JOU-3, three years at most."""
    text = PLAIN.to_toml()
    assert "retention_months = 12" in text
    found = written(tmp_path, text.replace("retention_months = 12", f"retention_months = {months}"))
    assert found.ledger.retention_months == months
    for beyond in (11, 37):
        with pytest.raises(Refusal) as told:
            written(tmp_path, text.replace("retention_months = 12", f"retention_months = {beyond}"))
        assert told.value.code is Code.SETTINGS_BROKEN


def test_the_public_s_desks_are_written_as_they_are_read(tmp_path: Path) -> None:
    own = '\n[public.desks."hosp-a"]\nwho = "Accueil des patients"\nwhere = "https://hosp.example/refus"\n'
    found = written(tmp_path, PLAIN.to_toml() + own)
    assert found.public.desks["hosp-a"].who == "Accueil des patients"
    assert written(tmp_path, found.to_toml()) == found


def test_rules_of_the_enclosure_and_of_sources_hold_beside_each_other(tmp_path: Path) -> None:
    said = PLAIN.to_toml().replace("dominance_percent = 100\n", "dominance_percent = 80\n")
    found = written(tmp_path, said + SOURCES + "hides_zeros = true\nstays = 20\n")
    assert found.demands == (Demands(dominance_percent=80), Demands(hides_zeros=True, stays=20))
    assert written(tmp_path, found.to_toml()) == found
    assert PLAIN.demands == ()
    with pytest.raises(Refusal) as caught:
        written(tmp_path, PLAIN.to_toml().replace("dominance_percent = 100\n", "dominance_percent = 101\n"))
    assert caught.value.code is Code.SETTINGS_BROKEN
