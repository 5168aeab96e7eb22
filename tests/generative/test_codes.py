"""Random vocabularies: what a code means is what a slow reading of the rules says."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.warehouse.plans.codes import codes_sql
from factories.examples import drawn
from factories.pseudonymised import arrow_table, bench, concept, maps_to
from oracle.codes import Words, ean13, looked_up

CIP7 = ("3000001", "3548247", "9999999")
CODES = {
    "CIM10": ("K92.2", "k922", "I10"),
    "BDPM": CIP7,
    "CIP13": tuple(ean13(code) for code in CIP7),
    "UCD": ("9231824",),
    "RxNorm": ("1", "2"),
}
LISTED = {
    "CIM10": ("K922", "I10"),
    "CIP7": CIP7,
    "CIP13": CODES["CIP13"],
    "UCD": ("0000009231824", "9231824"),
    "UCD13": ("3400892318242",),
    "NABM": ("126", "0126"),
    "LPP": ("1100028", "100028"),
    "CSARR": ("ALQ+183",),
}
FEW_IDS = st.integers(1, 9)
REASONS = st.sampled_from([None, None, None, "D", "U", ""])
ENDS = st.sampled_from([date(2015, 1, 1), date(2099, 12, 31)])


@st.composite
def concepts(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for concept_id in range(1, draw(st.integers(1, 9)) + 1):
        vocabulary = draw(st.sampled_from(sorted(CODES)))
        code = draw(st.sampled_from(CODES[vocabulary]))
        domain = draw(st.sampled_from(["Drug", "Condition"]))
        row = concept(concept_id, vocabulary, code, domain, draw(st.sampled_from([None, "S", "C"])))
        found.append(row | {"invalid_reason": None if row["standard_concept"] == "S" else draw(REASONS)})
    return found


relations = st.lists(
    st.builds(
        lambda one, two, name, reason: maps_to(one, two) | {"relationship_id": name, "invalid_reason": reason},
        FEW_IDS,
        FEW_IDS,
        st.sampled_from(["Maps to", "Concept replaced by", "Is a"]),
        REASONS,
    ),
    max_size=12,
)


@st.composite
def listed_rows(draw: st.DrawFn) -> dict[str, Any]:
    vocabulary = draw(st.sampled_from(sorted(LISTED)))
    return {
        "source_code": draw(st.sampled_from(LISTED[vocabulary])),
        "source_concept_id": draw(st.sampled_from([0, 0, 2_000_000_007])),
        "source_vocabulary_id": vocabulary,
        "target_concept_id": draw(st.integers(0, 9)),
        "target_vocabulary_id": "RxNorm",
        "valid_start_date": date(1970, 1, 1),
        "valid_end_date": draw(ENDS),
        "invalid_reason": draw(REASONS),
    }


@settings(max_examples=drawn(80), deadline=None)
@given(concepts(), relations, st.lists(listed_rows(), max_size=6))
def test_a_code_means_what_a_slow_reading_says(
    known: list[dict[str, Any]], related: list[dict[str, Any]], listed: list[dict[str, Any]]
) -> None:
    engine, _ = bench()
    rows = {"concept": known, "concept_relationship": related, "source_to_concept_map": listed}
    for name, content in rows.items():
        engine.register(f"words_{name}", arrow_table(name, content, 1))
    answers: dict[tuple[str, str], list[tuple[int, int, str | None, int]]] = {}
    borne = "(SELECT unnest(['CIM10', 'BDPM', 'CIP13', 'UCD', 'RxNorm', 'NABM', 'LPP', 'CSARR']))"
    sql = codes_sql(*(f"words_{name}" for name in rows), borne)
    for vocabulary, code, *answer in engine.rows(sql + " ORDER BY ALL"):
        answers.setdefault((vocabulary, code), []).append(tuple(answer))
    words = Words(known, related, listed)
    asked = {(row["vocabulary_id"], row["concept_code"].replace(".", "").upper()) for row in known}
    asked |= {looked_up(row["source_vocabulary_id"], row["source_code"]) for row in listed}
    asked |= {("CIP13", code) for code in CODES["CIP13"]}
    for vocabulary, code in asked:
        found = answers.get((vocabulary, code), [(0, 0, None, 1)])
        source, means = words.resolve(vocabulary, code)
        assert {row[0] for row in found} == {source}
        assert {row[1] for row in found} == means
        assert sorted(row[3] for row in found) == list(range(1, len(means) + 1))
        for _, concept_id, domain, _ in found:
            assert domain == (words.concepts[concept_id]["domain_id"] if concept_id else None)
    assert set(answers) <= asked
