"""French codes and the vocabularies that map them: what comes first, what is retired, what is kept unmapped."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from factories.pseudonymised import at, ben, built, concept, dispensing, hospital, maps_to

DAY = date(2019, 5, 1)
ASPIRIN, PARACETAMOL, OLD, LISTED, BDPM, PACK = 11, 12, 13, 14, 21, 22
CIP7, CIP13 = "3548247", 3400935482471
"""A pack as IR_PHA_R writes it: PHA_PRS_IDE and PHA_CIP_C13."""


def listed(vocabulary: str, code: str, target: int, **changes: Any) -> dict[str, Any]:
    """A row of SOURCE_TO_CONCEPT_MAP."""
    return {
        "source_code": code,
        "source_concept_id": 0,
        "source_vocabulary_id": vocabulary,
        "target_concept_id": target,
        "target_vocabulary_id": "RxNorm",
        "valid_start_date": date(1970, 1, 1),
        "valid_end_date": date(2099, 12, 31),
    } | changes


def replaced_by(old: int, new: int) -> dict[str, Any]:
    return maps_to(old, new) | {"relationship_id": "Concept replaced by"}


def words(concepts: list[Any], relations: list[Any], maps: list[Any]) -> dict[str, Any]:
    standard = [
        concept(ASPIRIN, "RxNorm", "1191", "Drug", "S"),
        concept(PARACETAMOL, "RxNorm", "161", "Drug", "S"),
        concept(OLD, "RxNorm", "999", "Drug") | {"invalid_reason": "U"},
        concept(LISTED, "LOINC", "718-7", "Measurement", "S"),
    ]
    return {
        "concept": [*standard, *concepts],
        "concept_relationship": relations,
        "source_to_concept_map": maps,
    }


def dispensed(vocabulary: dict[str, Any]) -> tuple[int, int]:
    """(standard, source concept) of the pack."""
    with built({"ben": [ben(1)], "pha": [dispensing(1, DAY, CIP13)]} | vocabulary) as snapshot:
        [found] = snapshot.rows("drug_exposure", "drug_concept_id", "drug_source_concept_id")
        return found


def recorded(vocabulary_id: str, code: str, vocabulary: dict[str, Any]) -> tuple[int, int]:
    """(standard, source concept) of a hospital drug's code."""
    line = hospital(1, vocabulary=vocabulary_id, code=code, kind="administration", start_at=at(DAY))
    with built({"ben": [ben(1)], "h_drug": [line]} | vocabulary) as snapshot:
        [found] = snapshot.rows("drug_exposure", "drug_concept_id", "drug_source_concept_id")
        return found


def test_a_pack_is_found_by_its_cip7_in_the_bdpm() -> None:
    """CIP13 = 34009, the CIP7, and the check digit of EAN-13; Athena has French drugs by CIP7 only."""
    bdpm = words([concept(BDPM, "BDPM", CIP7, "Drug")], [maps_to(BDPM, ASPIRIN)], [])
    assert dispensed(bdpm) == (ASPIRIN, BDPM)


def test_a_pack_with_a_concept_of_its_own_does_not_ask_the_bdpm() -> None:
    both = [concept(BDPM, "BDPM", CIP7, "Drug"), concept(PACK, "CIP13", str(CIP13), "Drug")]
    assert dispensed(words(both, [maps_to(BDPM, ASPIRIN), maps_to(PACK, PARACETAMOL)], [])) == (PARACETAMOL, PACK)
    assert dispensed(words(both, [maps_to(BDPM, ASPIRIN)], [])) == (ASPIRIN, PACK)


@pytest.mark.parametrize("vocabulary", ["CIP13", "CIP7"])
def test_a_list_maps_the_packs_that_no_vocabulary_maps(vocabulary: str) -> None:
    code = CIP7 if vocabulary == "CIP7" else str(CIP13)
    assert dispensed(words([], [], [listed(vocabulary, code, ASPIRIN)])) == (ASPIRIN, 0)


def test_athena_comes_before_a_list() -> None:
    bdpm = words(
        [concept(BDPM, "BDPM", CIP7, "Drug")],
        [maps_to(BDPM, ASPIRIN)],
        [listed("CIP13", str(CIP13), PARACETAMOL)],
    )
    assert dispensed(bdpm) == (ASPIRIN, BDPM)


@pytest.mark.parametrize("code", ["9231824", "0000009231824", "3400892318242"])
def test_a_ucd_is_listed_with_seven_or_thirteen_digits(code: str) -> None:
    """The SNDS pads the UCD7 with six zeros; boxes bear it between 34008 and a check digit."""
    for recorded_as in ("9231824", "0000009231824", "3400892318242"):
        assert recorded("UCD", recorded_as, words([], [], [listed("UCD", code, ASPIRIN)])) == (ASPIRIN, 0)


@pytest.mark.parametrize(("vocabulary", "code", "asked"), [("NABM", "126", "0126"), ("LPP", "100028", "0100028")])
def test_codes_of_digits_lose_no_match_with_their_zeros(vocabulary: str, code: str, asked: str) -> None:
    line = hospital(1, vocabulary=vocabulary, code=asked, taken_at=at(DAY))
    lists = words([], [], [listed(vocabulary, code, LISTED)])
    with built({"ben": [ben(1)], "h_lab": [line]} | lists) as snapshot:
        assert snapshot.rows("measurement", "measurement_concept_id") == [(LISTED,)]


def test_a_retired_concept_leads_to_the_one_that_replaced_it() -> None:
    pack = [concept(BDPM, "BDPM", CIP7, "Drug")]
    assert dispensed(words(pack, [maps_to(BDPM, OLD), replaced_by(OLD, PARACETAMOL)], [])) == (PARACETAMOL, BDPM)
    assert dispensed(words(pack, [replaced_by(BDPM, OLD), replaced_by(OLD, PARACETAMOL)], [])) == (PARACETAMOL, BDPM)
    lists = [listed("CIP13", str(CIP13), OLD)]
    assert dispensed(words([], [replaced_by(OLD, PARACETAMOL)], lists)) == (PARACETAMOL, 0)


def test_a_retired_concept_that_nothing_replaced_leads_nowhere() -> None:
    assert dispensed(words([concept(BDPM, "BDPM", CIP7, "Drug")], [maps_to(BDPM, OLD)], [])) == (0, BDPM)


def test_of_a_list_valid_rows_count_and_the_latest_of_them() -> None:
    def rows(*changes: dict[str, Any]) -> dict[str, Any]:
        lists = [
            listed("CIP13", str(CIP13), ASPIRIN, **changes[0]),
            listed("CIP13", str(CIP13), PARACETAMOL, **changes[1]),
        ]
        return words([], [], lists)

    assert dispensed(rows({"invalid_reason": "D"}, {})) == (PARACETAMOL, 0)
    assert dispensed(rows({}, {"valid_end_date": date(2015, 1, 1)})) == (ASPIRIN, 0)


def test_the_domain_of_the_standard_concept_decides_the_table_for_a_listed_code() -> None:
    with built(
        {"ben": [ben(1)], "pha": [dispensing(1, DAY, CIP13)]} | words([], [], [listed("CIP13", str(CIP13), LISTED)])
    ) as snapshot:
        assert snapshot.rows("measurement", "measurement_concept_id") == [(LISTED,)]
        assert snapshot.rows("drug_exposure") == []


def test_what_is_not_mapped_is_kept_and_told_by_vocabulary() -> None:
    drugs = [
        hospital(1, vocabulary="UCD", code=code, kind="administration", start_at=at(DAY))
        for code in ("9231824", "9231824", "9000001", "9000002")
    ]
    lists = words([], [], [listed("UCD", "9000002", ASPIRIN)])
    with built({"ben": [ben(1)], "h_drug": drugs} | lists) as snapshot:
        codes = snapshot.rows("drug_exposure", "drug_concept_id", "drug_source_value")
        assert codes == [(0, "9000001"), (0, "9231824"), (0, "9231824"), (ASPIRIN, "9000002")]
        assert [(code.code, code.n_rows) for code in snapshot.report.unmapped] == [("9231824", 2), ("9000001", 1)]
        [share] = [share.as_json() for share in snapshot.report.vocabularies]
    assert share == {
        "vocabulary": "UCD",
        "n_rows": 4,
        "n_unmapped": 3,
        "unmapped_percent": 75.0,
        "n_unmapped_codes": 2,
    }


def test_athena_placeholders_of_cpt4_do_not_hide_the_names() -> None:
    named = concept(31, "CPT4", "99213", "Observation", "S")
    alone = concept(32, "CPT4", "99214", "Observation", "S") | {"concept_name": None}
    rows = [named | {"concept_name": None}, named, alone]
    with built({"ben": [ben(1)]} | words(rows, [], [])) as snapshot:
        names = dict(snapshot.rows("concept", "concept_code", "concept_name"))
        assert (names["99213"], names["99214"]) == ("CPT4 99213", "CPT4 99214")
        account = snapshot.account("concept")
        assert account["delivered"] == account["mapped"] + account["filtered"]
        assert account["reasons"] == {"same_row": 1}
