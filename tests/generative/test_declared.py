"""Random hospital drugs, analyses, payers, covers, causes, pregnancies and mothers: as a slow reading has them."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from factories.pseudonymised import Row, built, care, on_stay, sequence
from generative.test_warehouse import (
    DAYS,
    EXECUTANTS,
    FEW,
    IRREGULARITY,
    KNOWN,
    PERSONS,
    QUANTITIES,
    prestations,
    reference,
)
from oracle import declared as oracle

OBSERVED = (date(2019, 1, 1), date(2019, 12, 31))
UCD = ("0000009390830", "9390830", "0000009231824", "0000000000000", "", None)


@st.composite
def lines_of_care(draw: st.DrawFn, code: str, codes: tuple[Any, ...], quantity: str) -> Row:
    said = {code: draw(st.sampled_from(codes)), quantity: draw(QUANTITIES), "executant_key": draw(EXECUTANTS)}
    return care(draw(PERSONS), draw(DAYS), draw(st.sampled_from((3211, 3317))), **said) | draw(IRREGULARITY)


@FEW
@given(
    st.lists(lines_of_care("UCD_UCD_COD", UCD, "UCD_DLV_NBR"), max_size=15),
    st.lists(st.tuples(st.sampled_from(KNOWN), st.integers(0, 3), st.sampled_from(UCD[:3]), st.booleans()), max_size=4),
    st.sampled_from((1, 4)),
)
def test_hospital_drugs_are_what_a_slow_reading_says(
    lines: list[Row], handed: list[tuple[int, int, str, bool]], n_buckets: int
) -> None:
    first = date(2019, 3, 1)
    stays, drugs, known = [], [], set()
    for key, (person, delay, code, kept) in enumerate(handed):
        stays.append(sequence(person, key, first, first + timedelta(days=3), NIR_RET="0" if kept else "1"))
        drugs.append(on_stay(person, key, list="FHSTC", UCD_UCD_COD=code, ADM_NBR=1.0, DAT_DELAI=delay))
        if kept:
            known.add((person, first + timedelta(days=delay), code[-7:]))
    rows, account = oracle.hospital_drugs(lines, KNOWN, known)
    tables = {"ben": reference(), "ucd": lines, "ace": stays, "pmsi_drug": drugs}
    with built(tables, n_buckets=n_buckets) as snapshot:
        columns = ("person_id", "drug_source_value", "drug_exposure_start_date", "quantity", "drug_type_concept_id")
        found = [row[:-1] for row in snapshot.rows("drug_exposure", *columns) if row[-1] == 32869]
        assert Counter(found) == rows
        assert lines == [] or snapshot.account("ucd") == account


@FEW
@given(st.lists(lines_of_care("BIO_PRS_IDE", (53, 1104, 0, None), "BIO_ACT_QSN"), max_size=20), st.sampled_from((1, 4)))
def test_analyses_in_town_are_what_a_slow_reading_says(lines: list[Row], n_buckets: int) -> None:
    rows, account = oracle.analyses(lines, KNOWN)
    with built({"ben": reference(), "bio": lines}, n_buckets=n_buckets) as snapshot:
        found = snapshot.rows("measurement", "person_id", "measurement_source_value", "measurement_date")
        assert Counter(found) == Counter(row[:-1] for row in rows.elements())
        assert lines == [] or snapshot.account("bio") == account


@st.composite
def paid_by(draw: st.DrawFn) -> Row:
    schemes = {"RGM_GRG_COD": draw(st.sampled_from((None, 1, 1, 2, 3))), "RGM_COD": draw(st.sampled_from((101, 95)))}
    return draw(prestations()) | schemes


@FEW
@given(st.lists(paid_by(), max_size=12), st.sampled_from((1, 4)))
def test_payers_are_what_a_slow_reading_says(lines: list[Row], n_buckets: int) -> None:
    with built({"ben": reference(), "prs": lines}, n_buckets=n_buckets) as snapshot:
        columns = ("payer_plan_period_start_date", "payer_plan_period_end_date")
        found = snapshot.rows("payer_plan_period", "person_id", "payer_source_value", *columns)
        assert Counter(found) == oracle.payers(lines, OBSERVED, KNOWN)


@st.composite
def declared(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Covers, causes of death, pregnancies and mothers."""
    days, ends = st.none() | DAYS, st.sampled_from((None, date(1600, 1, 1), date(2019, 3, 2), date(2099, 12, 31)))
    causes = st.sampled_from(("C349", "C34.9", "J960", "", None))
    every: dict[str, dict[str, st.SearchStrategy[Any]]] = {
        "orc": {"MLL_CTA_DSD": days, "MLL_CTA_DSF": ends, "BEN_CTA_TYP": st.sampled_from((87, 89))},
        "ecd": {"BEN_DCD_DTE": days, "DCD_CIM_COD": st.sampled_from(("C349", None)), "ECD_CIM_COD": causes},
        "mat": {"BEN_GRS_DTE": days, "BEN_DRA_AME": st.sampled_from(("201911", "", None))},
        "kin": {"mother_id": st.sampled_from((1, 2))},
    }
    return {
        table: draw(st.lists(st.fixed_dictionaries({"person_id": PERSONS, **said}), max_size=6))
        for table, said in every.items()
    }


@FEW
@given(declared(), st.sampled_from((1, 4)))
def test_what_references_declare_is_what_a_slow_reading_says(tables: dict[str, list[Row]], n_buckets: int) -> None:
    judged = {
        "orc": oracle.covers(tables["orc"], KNOWN, OBSERVED[1]),
        "ecd": oracle.causes(tables["ecd"], KNOWN),
        "mat": oracle.pregnancies(tables["mat"], KNOWN),
        "kin": oracle.mothers(tables["kin"], KNOWN),
    }
    period = ("payer_plan_period_start_date", "payer_plan_period_end_date")
    with built({"ben": reference()} | tables, n_buckets=n_buckets) as snapshot:
        found = {
            "orc": snapshot.rows("payer_plan_period", "person_id", "plan_source_value", *period),
            "ecd": snapshot.rows("condition_occurrence", "person_id", "condition_source_value", "condition_start_date"),
            "mat": snapshot.rows("observation", "person_id", "observation_date", "qualifier_source_value"),
            "kin": snapshot.rows("fact_relationship", "fact_id_1", "fact_id_2", "relationship_concept_id"),
        }
        for table, (expected, account) in judged.items():
            assert Counter(found[table]) == expected, table
            assert tables[table] == [] or snapshot.account(table) == account, table
