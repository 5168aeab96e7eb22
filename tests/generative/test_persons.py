"""Random countries that grow: after every step, persons and their counters equal the oracle's."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from enclos.contracts.delivered.document import Kind
from enclos.linkage.steps import group_persons, link
from enclos.pseudonyms.secret_functions import person_numbers
from enclos.pseudonyms.steps import number_persons
from enclos.stores.engine import open_engine
from enclos.stores.keys import LocalBlocks
from factories.examples import drawn
from fakes.landed import LandedInMemory
from oracle.linkage import Numbering, persons

PERSONS = LocalBlocks(b"s" * 32)
AT = datetime(2026, 3, 1, tzinfo=UTC)
SEEN: Counter[str] = Counter()

pseudonyms = st.sampled_from(["a/1", "a/2", "b/1", "c/1", "d/1", "e/0"])
holders = st.dictionaries(pseudonyms, st.sampled_from(["ida", "bob", "eve", "zoe"]), max_size=5)
patients = st.sets(st.tuples(st.sampled_from(["hosp-a", "hosp-b"]), st.sampled_from(["p1", "p2", "p3"])), max_size=4)
temporary = st.sampled_from(["t1", "t2", "t3"])
circuits = st.lists(
    st.tuples(
        st.sampled_from(["hosp-a", "hosp-b"]),
        st.sets(st.tuples(st.sampled_from(["p1", "p2", "p3"]), temporary), min_size=1, max_size=4),
        st.sets(st.tuples(temporary, pseudonyms), min_size=1, max_size=4),
    ),
    max_size=1,
)
steps = st.lists(st.tuples(holders, patients, circuits), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def engine():
    with open_engine(threads=1) as opened:
        yield opened


def deliver(landed, new_holders, new_patients, new_circuits):
    if new_holders:
        rows = [
            {"BEN_NIR_PSA": key[0], "BEN_RNG_GEM": key[-1], "BEN_IDT_ANO": holder}
            for key, holder in new_holders.items()
        ]
        landed.deliver(Kind.SNDS_REF, "snds", {"IR_BEN_R": rows})
    for hospital, patient in sorted(new_patients):
        landed.deliver(Kind.HOSPITAL_CSV, hospital, {"PATIENT": [{"patient_id": patient}]})
    for hospital, sent, answered in new_circuits:
        own = [{"source": hospital, "patient_id": patient, "id_temp": t} for patient, t in sent]
        national = [
            {"source": hospital, "id_temp": t, "BEN_NIR_PSA": key[0], "BEN_RNG_GEM": key[-1]} for t, key in answered
        ]
        landed.deliver(Kind.LINK, hospital, {"LINK_HOSPITAL": own})
        landed.deliver(Kind.LINK, "snds", {"LINK_SNDS": national})


@settings(max_examples=drawn(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
@example([({"a/1": "ida"}, {("hosp-a", "p1")}, []), ({}, set(), [("hosp-a", {("p1", "t1")}, {("t1", "a/1")})])])
def test_persons_and_counters_equal_the_oracle_at_every_step(engine, country):
    landed, oracle = LandedInMemory(engine), Numbering()
    known, everybody, ran, waiting = {}, set(), [], []
    try:
        for new_holders, new_patients, new_circuits in country:
            deliver(landed, new_holders, new_patients, new_circuits)
            known |= new_holders
            everybody |= new_patients
            waiting += new_circuits
            link(engine, landed, landed, linked_at=AT)
            if known:  # without any SNDS person every circuit waits
                ran += merged(waiting)
                waiting = []
            group_persons(engine, landed)
            report = number_persons(engine, PERSONS)
            groups = persons(known, everybody, ran)
            groups = sorted(groups, key=lambda group: min((s, known.get(k, k) if s == "snds" else k) for s, k in group))
            before = dict(oracle.counters)
            oracle.number(groups)
            rows = engine.rows("SELECT source, source_person_key, counter, person_id FROM vault.person_map")
            assert {(source, key): counter for source, key, counter, _ in rows} == oracle.counters
            assert all(person_numbers(PERSONS, np.array([c]))[0] == p for _, _, c, p in rows)
            moved = sum(oracle.counters[key] != counter for key, counter in before.items())
            assert (report.n_moved, report.n_persons) == (moved, len(groups))
            assert number_persons(engine, PERSONS).n_new == 0
            SEEN["merged"] += report.n_merged > 0
            SEEN["moved"] += moved > 0
    finally:
        landed.close()


def merged(circuits):
    """Circuits of one hospital that run together: temporary ids are unique within the hospital."""
    found = {}
    for hospital, sent, answered in circuits:
        own, national = found.setdefault(hospital, (set(), set()))
        own |= sent
        national |= answered
    return [(hospital, sorted(own), sorted(national)) for hospital, (own, national) in found.items()]


def test_mergers_were_generated(engine):
    if not (SEEN["merged"] and SEEN["moved"]):  # another process ran what counts them
        test_persons_and_counters_equal_the_oracle_at_every_step(engine)
    assert SEEN["merged"] and SEEN["moved"]
