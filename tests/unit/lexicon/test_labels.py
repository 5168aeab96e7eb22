"""Labels of results carry nothing but what they say."""

from __future__ import annotations

import pytest
from pyarrow import parquet

from enclos.lexicon.labels import concept_label, is_label, is_plain, is_setting
from shared_data import shared


@pytest.mark.parametrize(
    "text",
    ["-365 to -1", "-inf to 0", "0 to 30", "-1", "E11.9", "μg per ml", "Œdème", "kg/m²", "1,25-dihydroxyvitamin D", ""],
)
def test_ordinary_labels_are_labels(text: str) -> None:
    assert is_label(text)


@pytest.mark.parametrize(
    "text", ["-1+2", "=1", "a\u200bb", "a  b", "a ", "\uff1d1", "x\\y", "../x", "g\u043eut", "e\u0301"]
)
def test_what_hides_or_runs_is_not_plain(text: str) -> None:
    assert not is_plain(text)


def test_days_stand_in_settings_and_windows_only() -> None:
    assert is_setting("2019-01-01 to 2023-12-31")
    assert is_setting("0-4 5-9 10-14 15-19 20-24")
    assert not is_setting("2019-01-01 1850312345678")
    assert not is_setting("1 85 03 12 345 678")
    assert is_label("2019-01-01 to 2023-12-31", is_window=True)
    assert not is_label("2019-01-01 to 2023-12-31")
    assert is_label("cohort_start_date after 1980-01-01")
    assert not is_label("cohort_start_date after 1980-01-01 18503123")


NAMES = {
    40224: "1 ML epoetin alfa 2000 UNT/ML Injection [Epogen]",
    751871: "{7 (inert ingredients 1 MG Oral Tablet) / 21 (mestranol 0.05 MG Oral Tablet) } Pack [Norinyl 1+50 28 Day]",
    3004249: "Albumin [Mass/volume] <30 | >100",
    46275250: "NDA020800 0.3 ML Epinephrine 1 MG/ML Auto-Injector",
    7: "=cmd|' /C calc'!A0",
    8: "  two\nlines ",
    9: "x" * 256,
    10: "NHS 943 476 5919 of 1850-03-12",
    11: "a &&& b",
    12: "../x",
}


def test_every_concept_has_a_label_and_ordinary_names_are_their_own() -> None:
    labels = {concept: concept_label(name, str(concept)) for concept, name in NAMES.items()}
    assert all(map(is_label, labels.values()))
    assert labels[40224] == NAMES[40224]
    assert labels[751871] == NAMES[751871].replace("{", "(").replace("}", ")")
    assert labels[3004249] == "Albumin [Mass/volume] less than 30 / more than 100"
    assert labels[46275250] == "NDA… 0.3 ML Epinephrine 1 MG/ML Auto-Injector"
    assert (labels[7], labels[8], labels[9]) == ("equal to cmd/' /C calc'!A0", "two lines", "x" * 254 + "…")
    assert (labels[10], labels[11], labels[12]) == ("NHS 943 476 … of …-03-12", "a & b", "12")
    assert {concept_label(label, "") for label in labels.values()} == {*labels.values()}


def test_every_concept_of_gibleed_has_a_label() -> None:
    """Of its 444, eleven are packs with braces, and one begins with the number of an application; else those above."""
    folder = shared("omop", "gibleed")
    names = NAMES
    if folder is not None:
        table = parquet.read_table(folder / "concept.parquet", columns=["concept_id", "concept_name"])
        names = dict(zip(*(column.to_pylist() for column in table.columns), strict=True))
    labels = {concept: concept_label(name, str(concept)) for concept, name in names.items()}
    assert all(map(is_label, labels.values()))
    assert folder is None or sum(labels[each] != names[each] for each in names) == 12
