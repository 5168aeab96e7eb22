"""What hangs on a prestation: hospital drugs, analyses and devices; packs without a CIP13, and loose units."""

from __future__ import annotations

from datetime import date

import pytest

from factories.pseudonymised import (
    PACK_CODE,
    ben,
    built,
    care,
    concept,
    dispensing,
    on_stay,
    prestation,
    sequence,
    vocabulary,
)

EMPTY: dict[str, object] = {"PHA_PRS_C13": None}
MARCH_1, MARCH_2, MARCH_9 = date(2019, 3, 1), date(2019, 3, 2), date(2019, 3, 9)


def ucd(code: str | None = "0000009390830", units: int = 1, **changes: object) -> dict[str, object]:
    """A hospital drug handed out by a hospital's pharmacy."""
    return care(1, MARCH_1, 3317, UCD_UCD_COD=code, UCD_DLV_NBR=units, **changes)


def analysis(code: int | None = 1104, quantity: int = 1, **changes: object) -> dict[str, object]:
    """An analysis of a laboratory."""
    return care(1, MARCH_1, 3211, BIO_PRS_IDE=code, BIO_ACT_QSN=quantity, **changes)


def device(code: int | None = 1100028, quantity: int = 1, **changes: object) -> dict[str, object]:
    """Something of the LPP, rented."""
    return care(1, MARCH_1, 3511, TIP_PRS_IDE=code, TIP_ACT_QSN=quantity, **({"TIP_PRS_TYP": 2} | changes))


def test_a_hospital_drug_is_known_by_the_last_seven_digits_of_its_ucd() -> None:
    with built({"ben": [ben(1)], "ucd": [ucd(units=3)]} | vocabulary()) as snapshot:
        columns = ("drug_source_value", "drug_concept_id", "quantity", "drug_type_concept_id", "days_supply")
        assert snapshot.rows("drug_exposure", *columns) == [("9390830", 0, 3.0, 32869, None)]
        assert [(code.vocabulary, code.code) for code in snapshot.report.unmapped] == [("UCD", "9390830")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"ETE_IND_TAA": 1}, "public_hospital"),  # retrocession: the PMSI has it too (FHSTC)
        ({"ETE_MCO_DDP": "A"}, "private_stay"),  # beside a private stay: the PMSI has it too (FH)
    ],
)
def test_a_hospital_drug_that_the_pmsi_has_too_is_left_to_it(line: dict[str, object], reason: str) -> None:
    with built({"ben": [ben(1)], "ucd": [ucd(**line)]}) as snapshot:
        assert snapshot.account("ucd") == {"delivered": 1, "filtered": 1, "reasons": {reason: 1}}


def test_what_a_hospitals_pharmacy_handed_over_counts_once_though_both_sources_tell_it() -> None:
    """Told by person, drug and day; another day or drug, or a stay that is left out, is not it."""
    handed = {"list": "FHSTC", "UCD_UCD_COD": "0000009390830", "ADM_NBR": 3.0, "DAT_DELAI": 1}
    tables = {
        "ben": [ben(1)],
        "ucd": [
            ucd(units=3, EXE_SOI_DTD=MARCH_2),
            ucd(units=-3, EXE_SOI_DTD=MARCH_2),
            ucd(units=5),
            ucd("0000009231824", 7, EXE_SOI_DTD=MARCH_2),
            ucd(units=9, EXE_SOI_DTD=MARCH_9),
        ],
        "ace": [sequence(1, 1, MARCH_1, MARCH_2), sequence(1, 2, MARCH_9, MARCH_9, NIR_RET="1")],
        "pmsi_drug": [on_stay(1, 1, **handed), on_stay(1, 2, **handed | {"DAT_DELAI": 0})],
    }
    with built(tables) as snapshot:
        columns = ("drug_source_value", "drug_exposure_start_date", "quantity", "drug_type_concept_id")
        assert snapshot.rows("drug_exposure", *columns) == [
            ("9231824", MARCH_2, 7.0, 32869),
            ("9390830", MARCH_1, 5.0, 32869),
            ("9390830", MARCH_2, 3.0, 32860),
            ("9390830", MARCH_9, 9.0, 32869),
        ]
        assert snapshot.account("ucd") == {"delivered": 5, "mapped": 3, "filtered": 2, "reasons": {"handed_over": 2}}


def test_an_analysis_is_a_measurement_without_a_value() -> None:
    with built({"ben": [ben(1)], "prs": [prestation(1, MARCH_1, nature=3211)], "bio": [analysis(53)]}) as snapshot:
        columns = ("measurement_source_value", "measurement_date", "value_as_number", "measurement_type_concept_id")
        assert snapshot.rows("measurement", *columns) == [("0053", MARCH_1, None, 32860)]
        assert snapshot.rows("measurement", "visit_occurrence_id") == snapshot.rows(
            "visit_occurrence", "visit_occurrence_id"
        )


@pytest.mark.parametrize(
    ("line", "start_on", "end_on"),
    [
        ({"TIP_ACL_DTD": MARCH_2, "TIP_ACL_DTF": MARCH_9}, MARCH_2, MARCH_9),  # rented
        ({"TIP_ACL_DTD": MARCH_2, "TIP_ACL_DTF": MARCH_9, "TIP_PRS_TYP": 1}, MARCH_2, None),  # bought
        ({"TIP_ACL_DTD": date(1600, 1, 1), "TIP_ACL_DTF": date(1600, 1, 1)}, MARCH_1, None),
        ({"TIP_ACL_DTD": MARCH_9, "TIP_ACL_DTF": MARCH_2}, MARCH_9, None),
        ({}, MARCH_1, None),
    ],
)
def test_a_device_lasts_as_long_as_it_is_rented(line: dict[str, object], start_on: date, end_on: date | None) -> None:
    with built({"ben": [ben(1)], "tip": [device(**line)]}) as snapshot:
        columns = ("device_source_value", "device_exposure_start_date", "device_exposure_end_date", "quantity")
        assert snapshot.rows("device_exposure", *columns) == [("1100028", start_on, end_on, 1)]


def test_a_lpp_code_of_nines_is_no_code() -> None:
    with built({"ben": [ben(1)], "tip": [device(9999999999999), device(0)]}) as snapshot:
        assert snapshot.account("tip") == {"delivered": 2, "rejected": 2, "reasons": {"no_code": 2}}


@pytest.mark.parametrize("table", ["ucd", "bio", "tip"])
def test_a_cancelled_line_leaves_nothing_and_a_corrected_one_what_remains(table: str) -> None:
    lines = {"ucd": [ucd(units=n) for n in (3, -3, 2)], "bio": [analysis(quantity=n) for n in (1, -1)]}
    lines["tip"] = [device(quantity=n) for n in (2, -2, 1)]
    with built({"ben": [ben(1)], table: lines[table]}) as snapshot:
        expected = {"bio": {"delivered": 2, "cancelled": 2}}.get(table, {"delivered": 3, "mapped": 2, "cancelled": 1})
        assert snapshot.account(table) == expected
        assert snapshot.report.tables["drug_exposure"] == (table == "ucd")
        assert snapshot.report.tables["device_exposure"] == (table == "tip")


@pytest.mark.parametrize("table", ["ucd", "bio", "tip"])
@pytest.mark.parametrize(
    ("line", "fate", "reason"),
    [
        ({"DPN_QLF": 71}, "filtered", "information_line"),
        ({"CPL_MAJ_TOP": 2}, "filtered", "majoration"),
        ({"BSE_PRS_NAT": 0}, "filtered", "no_nature"),
        ({"EXE_SOI_DTD": date(1600, 1, 1)}, "rejected", "no_date"),
        ({"person_id": 9}, "rejected", "no_person"),
    ],
)
def test_the_traps_of_a_prestation_hold_for_what_hangs_on_it(
    table: str, line: dict[str, object], fate: str, reason: str
) -> None:
    whole = {"ucd": ucd(), "bio": analysis(), "tip": device()}[table]
    with built({"ben": [ben(1)], table: [whole | line]}) as snapshot:
        assert snapshot.account(table) == {"delivered": 1, fate: 1, "reasons": {reason: 1}}


def test_a_pack_without_cip13_is_found_by_its_cip7() -> None:
    """34009, the CIP7 and the check digit of an EAN-13 are the CIP13: nearly all of 2006 and 2007 lack it."""
    lines = [dispensing(1, day, 0, PHA_PRS_IDE=2160050) | more for day, more in ((MARCH_1, {}), (MARCH_2, EMPTY))]
    known = {"concept": [*vocabulary()["concept"], concept(2_000_000_777, "CIP13", "3400921600506", "Drug")]}
    with built({"ben": [ben(1)], "pha": lines} | vocabulary() | known) as snapshot:
        columns = ("drug_exposure_start_date", "drug_source_value", "drug_source_concept_id")
        assert snapshot.rows("drug_exposure", *columns) == [
            (MARCH_1, "3400921600506", 2_000_000_777),
            (MARCH_2, "3400921600506", 2_000_000_777),
        ]


def test_a_cip7_cancels_a_cip13_of_the_same_pack() -> None:
    lines = [dispensing(1, MARCH_1, 3400921600506), dispensing(1, MARCH_1, 0, -1, PHA_PRS_IDE=2160050)]
    with built({"ben": [ben(1)], "pha": lines}) as snapshot:
        assert snapshot.account("pha") == {"delivered": 2, "cancelled": 2}


def test_units_out_of_a_box_count_as_units_and_last_their_share_of_it() -> None:
    """Seven of the 28 units of a box; the pack of 28 lasts 28 days."""
    loose = dispensing(1, MARCH_1, PACK_CODE, 1, PHA_DEC_TOP="D", PHA_DEC_QSU=7)
    with built({"ben": [ben(1)], "pha": [loose]} | vocabulary()) as snapshot:
        columns = ("quantity", "days_supply", "drug_exposure_end_date")
        assert snapshot.rows("drug_exposure", *columns) == [(7.0, 7, date(2019, 3, 7))]


def test_loose_units_of_an_unknown_pack_last_a_day_each_and_cancel_apart_from_boxes() -> None:
    lines = [dispensing(1, MARCH_1, 3400999999999, 1, PHA_DEC_TOP="D", PHA_DEC_QSU=n) for n in (5, -5, 3)]
    lines.append(dispensing(1, MARCH_1, 3400999999999, 2))
    with built({"ben": [ben(1)], "pha": lines}) as snapshot:
        assert snapshot.rows("drug_exposure", "quantity", "days_supply") == [(2.0, 60), (3.0, 3)]
        assert snapshot.account("pha") == {"delivered": 4, "mapped": 3, "cancelled": 1}
