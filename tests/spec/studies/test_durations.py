"""A cohort of drugs can let dispensings last by another rule than the snapshot's: a sensitivity analysis."""

from datetime import date

import pyarrow as pa
import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.document import study_from_yaml
from enclos.studies.steps import cohort_table, columns_read
from factories.studies import rows_table
from fakes.cdm import EMPTY, cdm_of_rows

CLAIM, PRESCRIPTION = 32869, 32838
DISPENSED = date(2019, 3, 1)
STUDY = """
study: durations
cohorts:
  statin: {{concepts: [7], domain: drug, limit: all, end: event_end{option}}}
analyses:
  - incidence: {{outcome: statin}}
"""


def exposure(person: int, kind: int, pack: int, quantity: float | None) -> tuple[object, ...]:
    """From 1 to 28 March, as the snapshot's own rule has it."""
    return (person, 7, DISPENSED, date(2019, 3, 28), kind, pack, quantity)


def ends(option: str, rules: tuple[str, ...] = ("one-box-30", "pack-size", "ddd")) -> dict[int, date]:
    """The last day of each person's cohort; the pack 70 holds 28 units and 14 daily doses."""
    days = {"one-box-30": 30.0, "pack-size": 28.0, "ddd": 14.0}
    rows = {
        "person": [(person, 8507, 1960, 1, 1) for person in (1, 2, 3, 4)],
        "observation_period": [(person, date(2019, 1, 1), date(2019, 12, 31)) for person in (1, 2, 3, 4)],
        "drug_exposure": [
            exposure(1, CLAIM, 70, 56.0),
            exposure(2, CLAIM, 0, 1.0),
            exposure(3, PRESCRIPTION, 70, 56.0),
            exposure(4, CLAIM, 70, None),
        ],
        "concept": [(7, "seven")],
        "concept_ancestor": [(7, 7)],
        "drug_duration": [(70, rule, f"{rule}-1", 28, days[rule]) for rule in rules],
    }
    tables: dict[str, pa.Table] = {name: rows_table(name, values) for name, values in rows.items()}
    assert tables.keys() <= EMPTY.keys()
    found = cohort_table(study_from_yaml(STUDY.format(option=option)), cdm_of_rows(tables)).to_pylist()
    return {row["subject_id"]: row["cohort_end_date"] for row in found}


def test_without_the_option_records_last_as_the_snapshot_says() -> None:
    assert set(ends("").values()) == {date(2019, 3, 28)}


@pytest.mark.parametrize(
    ("rule", "end"),
    [("one-box-30", date(2019, 4, 29)), ("pack-size", date(2019, 4, 25)), ("ddd", date(2019, 3, 28))],
)
def test_two_boxes_last_as_the_rule_says(rule: str, end: date) -> None:
    """60, 56 and 28 days."""
    assert ends(f", duration: {rule}")[1] == end


def test_unknown_packs_other_records_and_missing_quantities_keep_their_own_end() -> None:
    """A pack that the vocabulary lacks lasts the same under every rule; a prescription is no dispensing."""
    found = ends(", duration: one-box-30")
    assert (found[2], found[3], found[4]) == (date(2019, 3, 28),) * 3


def test_the_permit_must_grant_what_the_rule_reads() -> None:
    read = columns_read(study_from_yaml(STUDY.format(option=", duration: ddd")))
    assert {"quantity", "drug_source_concept_id", "drug_type_concept_id"} <= set(read["drug_exposure"])
    plain = columns_read(study_from_yaml(STUDY.format(option="")))
    assert "quantity" not in plain["drug_exposure"]


def test_a_rule_that_the_snapshot_keeps_no_days_of_is_refused_by_name() -> None:
    with pytest.raises(NotAsPromised) as refused:
        ends(", duration: ddd", rules=("one-box-30",))
    assert refused.value.code is Code.STUDY_DURATION_UNKNOWN
    assert "ddd" in str(refused.value)


@pytest.mark.parametrize(("domain", "rule"), [("drug", "two-boxes"), ("condition", "ddd"), ("drug", "[1]")])
def test_an_unknown_rule_or_another_domain_is_refused_with_its_line(domain: str, rule: str) -> None:
    text = STUDY.format(option=f", duration: {rule}").replace("domain: drug", f"domain: {domain}")
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(text)
    assert refused.value.code is Code.STUDY_INVALID
    assert "line 4, cohorts.statin.duration" in str(refused.value)
