"""Random deliveries: the warehouse says what a slow reading of the rules says, whatever the order and the buckets."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st

from factories.examples import drawn
from factories.pseudonymised import (
    PACK_CODE,
    Row,
    ben,
    built,
    care,
    dispensing,
    of_stay,
    on_stay,
    prestation,
    sequence,
    stay,
    vocabulary,
)
from factories.some_of_everything import delivery, everything
from oracle import warehouse as oracle

FEW = settings(max_examples=drawn(25), deadline=None, suppress_health_check=[HealthCheck.too_slow])
DOUBLED = "130780521"
KNOWN, PERSONS = (1, 2, 18), st.sampled_from((1, 2, 18, 35))
"""35 has no reference row."""
DAYS = st.sampled_from([date(2019, 3, 1) + timedelta(days=n) for n in range(4)] + [date(1600, 1, 1)])
IRREGULAR: dict[str, st.SearchStrategy[Any]] = {
    "DPN_QLF": st.sampled_from((None, 0, 71, 72)),
    "PRS_DPN_QLP": st.sampled_from((None, 0, 71, 72)),
    "CPL_MAJ_TOP": st.sampled_from((None, 0, 1, 2)),
    "CPL_AFF_COD": st.sampled_from((None, 0, 16)),
    "ETE_IND_TAA": st.sampled_from((None, 0, 1)),
    "ETE_MCO_DDP": st.sampled_from((None, "Z", "A")),
}


def mostly(usual: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 5).flatmap(lambda n: odd if n == 0 else usual)


IRREGULARITY = mostly(
    st.just({}), st.sampled_from(sorted(IRREGULAR)).flatmap(lambda name: st.fixed_dictionaries({name: IRREGULAR[name]}))
)
EXECUTANTS = st.sampled_from((77, 78, None))
QUANTITIES = mostly(st.sampled_from((1, 2, 3)), st.sampled_from((-3, -1, 0)))


@st.composite
def prestations(draw: st.DrawFn) -> Row:
    nature = draw(st.sampled_from((1111, 1112, 1191, 1211, 3211, 3313, 4213, 6110)))
    row = prestation(draw(PERSONS), draw(DAYS), nature, draw(QUANTITIES), executant_key=draw(EXECUTANTS))
    return row | draw(IRREGULARITY)


@st.composite
def dispensings(draw: st.DrawFn) -> Row:
    pack = draw(st.sampled_from((PACK_CODE, PACK_CODE, 3400999999999, 0)))
    row = dispensing(draw(PERSONS), draw(DAYS), pack, draw(QUANTITIES), executant_key=draw(EXECUTANTS))
    return row | draw(IRREGULARITY)


@st.composite
def paid_prestations(draw: st.DrawFn) -> Row:
    amounts = st.sampled_from((None, 0.1, 0.2, 25.0, -25.0))
    return draw(prestations()) | {name: draw(amounts) for name in ("PRS_PAI_MNT", "BSE_REM_MNT", "CPL_REM_MNT")}


@st.composite
def devices(draw: st.DrawFn) -> Row:
    code = draw(st.sampled_from((1100028, 1100028, 101, 0, 9999999999999)))
    line = {"TIP_PRS_IDE": code, "TIP_ACT_QSN": draw(QUANTITIES), "TIP_PRS_TYP": draw(st.sampled_from((None, 1, 2)))}
    line |= {name: draw(st.none() | DAYS) for name in ("TIP_ACL_DTD", "TIP_ACL_DTF")}
    return care(draw(PERSONS), draw(DAYS), 3511, executant_key=draw(EXECUTANTS), **line) | draw(IRREGULARITY)


@st.composite
def stays(draw: st.DrawFn) -> list[Row]:
    rows = []
    for key in range(draw(st.integers(0, 5))):
        entry = draw(DAYS)
        odd = draw(
            mostly(
                st.just({}),
                st.sampled_from(
                    (
                        {"NIR_RET": "1"},
                        {"GRG_GHM": "90Z00Z"},
                        {"SEJ_TYP": "B"},
                        {"TYP_GEN_RSA": 1},
                        {"ETA_NUM": DOUBLED, "EXE_SOI_DTD": date(2017, 3, 1), "EXE_SOI_DTF": date(2017, 3, 3)},
                    )
                ),
            )
        )
        codes = {name: draw(st.sampled_from((None, "K922", "I10", "J189"))) for name in ("DGN_PAL", "DGN_REL")}
        rows.append(stay(draw(PERSONS), key, entry, entry + timedelta(days=draw(st.integers(0, 3))), **codes) | odd)
    return rows


@st.composite
def diagnoses(draw: st.DrawFn, rows: list[Row]) -> list[Row]:
    persons = {row["stay_key"]: row["person_id"] for row in rows}
    keys = draw(st.lists(st.sampled_from((*persons, 99)), max_size=8))
    codes = st.sampled_from(("K922", "I10", "J189", ""))
    return [of_stay(persons.get(key, 1), key, ASS_DGN=draw(codes)) for key in keys]


def reference() -> list[Row]:
    return [ben(person) for person in KNOWN]


@FEW
@given(st.lists(prestations(), max_size=25), st.sampled_from((1, 4)))
def test_visits_in_town_are_what_a_slow_reading_says(lines: list[Row], n_buckets: int) -> None:
    visits, account = oracle.prestations(lines, KNOWN)
    with built({"ben": reference(), "prs": lines}, n_buckets=n_buckets) as snapshot:
        rows = snapshot.rows("visit_occurrence", "person_id", "visit_start_date", "visit_concept_id")
        assert Counter(rows) == visits
        assert lines == [] or snapshot.account("prs") == account


@FEW
@given(st.lists(dispensings(), max_size=25), st.sampled_from((1, 4)))
def test_drugs_are_what_a_slow_reading_says(lines: list[Row], n_buckets: int) -> None:
    rows, account = oracle.dispensings(lines, KNOWN, {PACK_CODE: 28})
    with built({"ben": reference(), "pha": lines} | vocabulary(), n_buckets=n_buckets) as snapshot:
        columns = ("person_id", "drug_exposure_start_date", "drug_source_value", "quantity", "days_supply")
        assert Counter(snapshot.rows("drug_exposure", *columns)) == rows
        assert lines == [] or snapshot.account("pha") == account


@FEW
@given(st.lists(paid_prestations(), max_size=25), st.sampled_from((1, 4)))
def test_costs_are_what_a_slow_reading_says(lines: list[Row], n_buckets: int) -> None:
    with built({"ben": reference(), "prs": lines}, n_buckets=n_buckets) as snapshot:
        rows = snapshot.rows("cost", "cost_id", "total_paid", "paid_by_payer")
        cents = [(n // 2**20, *(None if x is None else round(x * 100) for x in amounts)) for n, *amounts in rows]
        assert Counter(cents) == oracle.costs(lines, KNOWN)


@FEW
@given(st.lists(devices(), max_size=25), st.sampled_from((1, 4)))
def test_devices_are_what_a_slow_reading_says(lines: list[Row], n_buckets: int) -> None:
    rows, account = oracle.devices(lines, KNOWN)
    with built({"ben": reference(), "tip": lines}, n_buckets=n_buckets) as snapshot:
        columns = ("device_exposure_start_date", "device_exposure_end_date", "quantity")
        found = snapshot.rows("device_exposure", "person_id", "device_source_value", *columns)
        assert Counter(found) == rows
        assert lines == [] or snapshot.account("tip") == account


@FEW
@given(st.data(), st.sampled_from((1, 4)))
def test_stays_and_their_diagnoses_are_what_a_slow_reading_says(data: st.DataObject, n_buckets: int) -> None:
    rows = data.draw(stays())
    lines = data.draw(diagnoses(rows))
    visits, conditions, own, theirs = oracle.stays(rows, lines, KNOWN, {DOUBLED})
    with built({"ben": reference(), "mco_b": rows, "mco_d": lines}, n_buckets=n_buckets) as snapshot:
        assert Counter(snapshot.rows("visit_occurrence", "person_id", "visit_start_date", "visit_end_date")) == visits
        columns = ("person_id", "condition_source_value", "condition_status_source_value")
        assert Counter(snapshot.rows("condition_occurrence", *columns)) == conditions
        assert rows == [] or snapshot.account("mco_b") == own
        assert lines == [] or snapshot.account("mco_d") == theirs


@st.composite
def sequences(draw: st.DrawFn, table: str) -> list[Row]:
    """Stays of another field, each with up to three sequences; a sequence is sent once."""
    rows = []
    for key in range(draw(st.integers(0, 4))):
        person, entry = draw(PERSONS), draw(DAYS)
        leave = entry + timedelta(days=draw(st.integers(0, 9)))
        if table == "rip_rsa" and draw(st.booleans()):
            leave = None
        shared = draw(
            mostly(
                st.just({}),
                st.sampled_from(
                    (
                        {"NIR_RET": "1"},
                        {"ETA_NUM": DOUBLED, "EXE_SOI_DTD": date(2017, 3, 1), "EXE_SOI_DTF": date(2017, 3, 3)},
                        {"ETA_NUM": LYONS, "EXE_SOI_DTD": date(2017, 3, 1), "EXE_SOI_DTF": date(2017, 3, 3)},
                    )
                ),
            )
        )
        for number in range(1 if table == "ace" else draw(st.integers(1, 3))):
            told = dict.fromkeys(oracle.SEQUENCES[table], f"{number:03d}")
            odd = draw(mostly(st.just({}), st.sampled_from(ODD_SEQUENCES[table])))
            if table == "rip_rsa":
                told |= {"DEL_DAT": draw(st.integers(0, 5)), "SEQ_COU_NBJ": draw(st.integers(1, 5))}
            rows.append(sequence(person, key, entry, leave, **told) | shared | odd)
    return rows


LYONS = "690783154"
ODD_SEQUENCES: dict[str, tuple[Row, ...]] = {
    "ace": ({"IAS_RET": "1"}, {"ENT_DAT_RET": "2"}),
    "ssr_b": ({"HOS_TYP_UM": "2"}, {"GRG_GME": "9001Z0"}, {"ENT_MOD": "0", "SOR_MOD": "0"}, {"TYP_GEN_RHA": "1"}),
    "had_b": ({"GHT_NUM": "99"}, {"GHT_NUM": "12"}, {"ENT_MOD": "0", "SOR_MOD": "0"}),
    "rip_rsa": ({"TYP_GEN_RSA": "1"}, {"TYP_GEN_RSA": "0"}, {"ENT_MOD": "0", "SOR_MOD": "0"}),
}


@settings(parent=FEW, max_examples=8)
@pytest.mark.parametrize("table", sorted(oracle.SEQUENCES))
@given(st.data(), st.sampled_from((1, 4)))
def test_stays_of_other_fields_and_their_drugs_are_what_a_slow_reading_says(
    table: str, data: st.DataObject, n_buckets: int
) -> None:
    rows = data.draw(sequences(table))
    persons = {row["stay_key"]: row["person_id"] for row in rows}
    keys = st.sampled_from((*persons, 99))
    lines = [
        on_stay(persons.get(key, 1), key, UCD_UCD_COD=code, ADM_NBR=2.0, DAT_DELAI=delay)
        for key, code, delay in data.draw(
            st.lists(
                st.tuples(
                    keys, st.sampled_from(("0000009261104", "9197719", "", None)), st.sampled_from((None, 0, 2, 99))
                ),
                max_size=5,
            )
        )
    ]
    billed = [
        on_stay(persons[key], key, ACT_COD=data.draw(st.sampled_from(("ATU", "CS"))))
        for key in persons
        if table == "ace" and data.draw(st.booleans())
    ]
    visits, drugs, own, theirs = oracle.sequences(table, rows, lines, billed, KNOWN, {DOUBLED, LYONS})
    tables = {"ben": reference(), table: rows, "pmsi_drug": lines, "ace_b": billed}
    with built(tables, n_buckets=n_buckets) as snapshot:
        columns = ("person_id", "visit_start_date", "visit_end_date", "visit_concept_id")
        assert Counter(snapshot.rows("visit_occurrence", *columns)) == visits
        columns = ("person_id", "drug_source_value", "drug_exposure_start_date", "quantity")
        assert Counter(snapshot.rows("drug_exposure", *columns)) == drugs
        assert rows == [] or snapshot.account(table) == own
        assert lines == [] or snapshot.account("pmsi_drug") == theirs


@pytest.mark.parametrize(
    "reason",
    ["information_line", "public_hospital", "private_stay", "majoration", "complement", "no_date", "no_person"],
)
def test_the_examples_can_meet_every_trap_of_a_line(reason: str) -> None:
    """A meta-test: a strategy that never draws a trap would prove nothing about it."""
    met = find(
        prestations(),
        lambda line: reason in oracle.prestations([line], KNOWN)[1].get("reasons", {}),
        settings=settings(max_examples=3000, database=None, deadline=None),
    )
    assert met["person_id"] in {*KNOWN, 35}


@pytest.mark.parametrize(
    "reason", ["return_code", "ungroupable", "inter_hospital", "generated", "doubled_finess", "no_date", "no_person"]
)
def test_the_examples_can_meet_every_trap_of_a_stay(reason: str) -> None:
    met = find(
        stays(),
        lambda rows: reason in oracle.stays(rows, [], KNOWN, {DOUBLED})[2].get("reasons", {}),
        settings=settings(max_examples=3000, database=None, deadline=None),
    )
    assert met


# -- neither order nor buckets nor threads


@settings(max_examples=drawn(4), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
def test_neither_the_order_of_lines_nor_buckets_nor_threads_change_a_row(seed: int, order: random.Random) -> None:
    tables = delivery(seed)
    with built(tables) as snapshot:
        expected, account = everything(snapshot), snapshot.report.account
    for n_buckets in (4, 16):
        shuffled = {name: order.sample(list(rows), len(rows)) for name, rows in tables.items()}
        with built(shuffled, n_buckets=n_buckets, n_threads=2) as snapshot:
            found = everything(snapshot)
            assert found.keys() == expected.keys()
            for name, rows in expected.items():
                assert found[name] == rows, name
            assert snapshot.report.account == account


def test_a_second_build_of_the_same_tables_gives_the_same_rows() -> None:
    with built(delivery(3), n_buckets=4) as snapshot:
        first, id_ = everything(snapshot), snapshot.report.snapshot
    with built(delivery(3), n_buckets=4) as snapshot:
        assert everything(snapshot) == first
        assert snapshot.report.snapshot > id_
