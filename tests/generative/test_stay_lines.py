"""Random lines of stays of SSR, HAD, psychiatry and external care: the warehouse says what a slow reading says."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factories.pseudonymised import Row, built, on_stay
from generative.test_warehouse import DOUBLED, FEW, KNOWN, LYONS, mostly, reference, sequences
from oracle import stay_lines as oracle
from oracle.warehouse import SEQUENCES

DELAYS = st.sampled_from((None, 0, 1, 3, 99))
WITH_SEQUENCES = ("ssr_b", "had_b")
"""The fields whose acts may name the week or the sub-sequence that they belong to."""
CODES = st.sampled_from(("K922", "I10", "J189"))


def lines(data: st.DataObject, rows: list[Row], **said: st.SearchStrategy[Any]) -> list[Row]:
    """Some lines, of stays that came and of one that did not."""
    persons = {row["stay_key"]: row["person_id"] for row in rows}
    keys = data.draw(st.lists(st.sampled_from((*persons, 99)), max_size=6))
    return [
        on_stay(persons.get(key, 1), key, **{name: data.draw(value) for name, value in said.items()}) for key in keys
    ]


@settings(parent=FEW, max_examples=6)
@pytest.mark.parametrize("table", sorted(SEQUENCES))
@given(st.data(), st.sampled_from((1, 4)))
def test_what_hangs_on_a_stay_is_what_a_slow_reading_says(table: str, data: st.DataObject, n_buckets: int) -> None:
    rows = data.draw(sequences(table))
    own = {column: CODES | st.none() for column in oracle.OWN_DIAGNOSES[table]}
    if table == "had_b":
        own |= {name: st.sampled_from((None, 0, 2)) for name in ("SEQ_SEJ_NBJ", "SSEQ_SEQ_NBJ", "SSEQ_NBJ")}
    rows = [row | {name: data.draw(value) for name, value in own.items()} for row in rows]
    named = ["/".join(str(row[name]) for name in SEQUENCES[table]) for row in rows] if table in WITH_SEQUENCES else []
    tables = {
        "pmsi_diagnosis": lines(
            data, rows, ASS_DGN=mostly(CODES, st.just("")), place=st.sampled_from(("DAS", "DMPP", "DMPA"))
        ),
        "pmsi_act": lines(
            data,
            rows,
            CDC_ACT=mostly(st.just("HHQE005"), st.none()),
            vocabulary=st.just("CCAM"),
            PHA_ACT=mostly(st.sampled_from((None, "0", "1")), st.just("2")),
            ACV_ACT=st.sampled_from((None, "1", "4")),
            ENT_DAT_DEL=DELAYS,
            NBR_EXE_ACT=st.sampled_from((None, 1, 3)),
            delay_from=st.sampled_from(("stay", "sequence")),
            sequence=st.sampled_from((None, *named)),
        ),
        "pmsi_analysis": lines(
            data,
            rows,
            NABM_COD=mostly(st.sampled_from(("53", "1104")), st.sampled_from(("", None))),
            DEL_DAT_ENT=DELAYS,
        ),
        "pmsi_device": lines(
            data,
            rows,
            TIP_PRS_IDE=mostly(st.sampled_from(("3103835", "0101")), st.sampled_from(("0", "", None))),
            NBR_POS=st.sampled_from((1.0, 2.0)),
            DELAI=DELAYS,
        ),
    }
    stays = oracle.Stays(table, rows, KNOWN, {DOUBLED, LYONS})
    judged = {
        "pmsi_diagnosis": oracle.diagnoses(stays, tables["pmsi_diagnosis"]),
        "pmsi_act": oracle.acts(stays, tables["pmsi_act"]),
        "pmsi_analysis": oracle.analyses(stays, tables["pmsi_analysis"]),
        "pmsi_device": oracle.devices(stays, tables["pmsi_device"]),
    }
    columns = {
        "pmsi_diagnosis": ("condition", "condition_status_source_value", "condition_start_date", "condition_end_date"),
        "pmsi_act": ("procedure", "procedure_date", "quantity", "modifier_source_value"),
        "pmsi_analysis": ("measurement", "measurement_date"),
        "pmsi_device": ("device", "device_exposure_start_date", "quantity"),
    }
    homes = {
        "condition": "condition_occurrence",
        "procedure": "procedure_occurrence",
        "measurement": "measurement",
        "device": "device_exposure",
    }
    with built({"ben": reference(), table: rows} | tables, n_buckets=n_buckets) as snapshot:
        for name, (word, *more) in columns.items():
            found = snapshot.rows(homes[word], "person_id", f"{word}_source_value", *more)
            expected, account = judged[name]
            assert Counter(found) == expected, name
            assert tables[name] == [] or snapshot.account(name) == account
