"""Is a cohort what its definition meant?"""

import json
from datetime import date

from enclos.release.rules.labelled import labelled
from enclos.studies.circe import read_circe
from enclos.studies.derived.model import First, Match, Require, Sample
from enclos.studies.diagnose.model import Diagnosis
from enclos.studies.model import (
    AgeGroup,
    CirceCohort,
    Cohort,
    ConceptCohort,
    DerivedCohort,
    Domain,
    Interval,
    Limit,
    OpenEnd,
    Stratum,
    Study,
)
from enclos.studies.ports import Cdm
from enclos.studies.steps import run_study
from factories.circe import condition, definition, drug, person
from factories.studies import rows_table, tables_of
from factories.study_tables import EVENTS, OTHERS, Row, cdm, people, rows_of
from fakes.cdm import cdm_of_rows
from fakes.whole_cdm import whole_cdm_of_rows
from oracle.histories import FEMALE, Exposure, History

PERSONS = """
    person | sex | born       | observed               | events                                     | others
    1      | F   | 1980-02-29 | 2018-01-01..2020-12-31 | 2018-02-01, 2020-02-29, 2021-01-05         | 2020-02-05
    2      | M   | 1950-01-01 | 2020-01-01..2020-06-30 | 2020-03-01..2020-03-05, 2020-03-04         | 2020-03-01
    3      | M   | 1990-01-01 | 2020-01-01..2020-12-31 |                                            | 2020-05-01
"""
BOTH = ConceptCohort("both", (1, 2), False, Domain.CONDITION, Limit.FIRST, OpenEnd.EVENT_END)


def told(result_type: str, analysis: Diagnosis, *cohorts: Cohort, data: Cdm | None = None) -> list[Row]:
    """Cohort, stratum, variable, additional level and counts of a result type."""
    result = run_study(Study("spec", (*cohorts, EVENTS, OTHERS), (analysis,)), data or cdm(PERSONS))
    found: dict[Row, list[str]] = {}
    for row in result.of_type(result_type).to_pylist():
        if row["estimate_name"] != "percentage":
            place = (row["group_level"], row["strata_level"], row["variable_name"], row["additional_level"])
            found.setdefault(place, []).append(row["estimate_value"])
    return [(*place, ", ".join(values)) for place, values in found.items()]


def attrition(cohort: str, *cohorts: Cohort, data: Cdm | None = None) -> list[Row]:
    """Reason, records and subjects left, and how many of each it took."""
    counts: dict[str, list[str]] = {}
    for _, reason, _, _, count in told("summarise_cohort_attrition", Diagnosis((cohort,)), *cohorts, data=data):
        counts.setdefault(reason, []).append(count)
    return [(reason, *values) for reason, values in counts.items()]


def test_attrition_begins_with_the_records_of_the_concepts_and_follows_each_operation() -> None:
    grown = DerivedCohort("grown", Require("events", AgeGroup(18, 65), n_days_prior_observation=100))
    assert attrition("grown", grown) == rows_of("""
        reason                                     | records | subjects | gone | gone
        Initial qualifying events                  | 5       | 2        | 0    | 0
        Record in observation                      | 4       | 2        | 1    | 0
        Not missing record date                    | 4       | 2        | 0    | 0
        Merge overlapping records                  | 3       | 2        | 1    | 0
        Age requirement: 18 to 65                  | 2       | 1        | 1    | 1
        Sex requirement: Both                      | 2       | 1        | 0    | 0
        Prior observation requirement: 100 days    | 1       | 1        | 1    | 0
        Future observation requirement: 0 days     | 1       | 1        | 0    | 0
    """)


def test_attrition_of_a_drug_cohort_has_the_gaps_of_its_eras() -> None:
    taken = [("2020-01-01", "2020-01-10"), ("2020-01-15", "2020-01-20"), ("2020-03-01", "2020-03-05")]
    taken.append(("2020-03-03", "2020-03-08"))
    observed = ((date(2020, 1, 1), date(2020, 12, 31)),)
    exposures = tuple(Exposure(4, date.fromisoformat(a), date.fromisoformat(b), None) for a, b in taken)
    data = cdm_of_rows(tables_of([History(1, FEMALE, (1980, 1, 1), observed, (), exposures)]), n_buckets=2)
    eras = ConceptCohort("eras", (4,), False, Domain.DRUG, Limit.FIRST, OpenEnd.EVENT_END, gap_era_days=30)
    assert attrition("eras", eras, data=data) == rows_of("""
        reason                                      | records | subjects | gone | gone
        Initial qualifying events                   | 4       | 1        | 0    | 0
        Record in observation                       | 4       | 1        | 0    | 0
        Not missing record date                     | 4       | 1        | 0    | 0
        Merge overlapping records                   | 3       | 1        | 1    | 0
        Collapse records separated by 30 or less days | 2     | 1        | 1    | 0
        Restricted to first entry                   | 1       | 1        | 1    | 0
    """)


def test_attrition_of_what_is_drawn_says_how_many() -> None:
    one = DerivedCohort("one", Sample("events", None, 1, 1))
    assert attrition("one", one)[-1] == ("Sample 1 individuals", "1", "1", "2", "1")
    alike = DerivedCohort("alike", Match("events", 1))
    assert attrition("alike", alike) == rows_of("""
        reason                                  | records | subjects | taken | of whom
        In observation                          | 3       | 3        | 0     | 0
        Exclude cases from controls             | 1       | 1        | 2     | 2
        Exclude individuals to fulfil the ratio | 0       | 0        | 1     | 1
    """)


def test_attrition_of_matches_goes_on_through_what_is_made_of_them() -> None:
    """Of six twins of the two who have events, who are like them in sex and year of birth, two are drawn."""
    lines = ["person | sex | born | observed | events | others"]
    for number in range(1, 9):
        event = "2020-03-01" if number <= 2 else ""
        other = "2020-02-01" if number % 2 else ""
        lines.append(f"{number} | F | 1980-02-01 | 2020-01-01..2020-12-31 | {event} | {other}")
    alike = DerivedCohort("alike", Match("events", 1))
    grown = DerivedCohort("grown", First("alike"))
    assert attrition("grown", alike, grown, data=cdm("\n".join(lines))) == rows_of("""
        reason                                  | records | subjects | taken | of whom
        In observation                          | 8       | 8        | 0     | 0
        Exclude cases from controls             | 6       | 6        | 2     | 2
        Exclude individuals to fulfil the ratio | 2       | 2        | 4     | 4
        Restricted to first entry               | 2       | 2        | 0     | 0
    """)


def test_codes_are_counted_in_the_data_by_the_persons_of_the_cohort_and_on_the_days_of_entry() -> None:
    asked = Diagnosis(("both",))
    assert told("code_use", asked, BOTH) == rows_of("""
        codelist | stratum | concept   | domain    | records, persons
        both     | overall | overall   | overall   | 7, 3
        both     | overall | concept 1 | condition | 4, 2
        both     | overall | concept 2 | condition | 3, 3
    """)
    rows = [row for row in told("cohort_code_use", asked, BOTH) if row[2] != "overall"]
    assert rows == rows_of("""
        cohort        | stratum | concept   | domain    | on entry: records, persons; at any time: records, persons
        both &&& both | overall | concept 1 | condition | 2, 2, 4, 2
        both &&& both | overall | concept 2 | condition | 2, 2, 3, 3
    """)


def test_codes_have_the_names_of_the_vocabulary_until_they_leave() -> None:
    names = [(1, "{28 (drug) } Pack"), (2, "<30 | >100"), (3, "NDA02080012 drug")]
    data = cdm_of_rows({**tables_of(people(PERSONS)), "concept": rows_table("concept", names)})
    result = run_study(Study("spec", (BOTH, EVENTS, OTHERS), (Diagnosis(("both",)),)), data)
    assert set(result.of_type("code_use")["variable_name"].to_pylist()) == {"overall", names[0][1], names[1][1]}
    left = labelled(result).of_type("code_use")["variable_name"].to_pylist()
    assert set(left) == {"overall", "(28 (drug) ) Pack", "less than 30 / more than 100"}


def test_related_concepts_are_what_a_set_may_have_forgotten() -> None:
    """Concept 2 is below 1, 3 right above it, 4 above 3; 5 has a valid relationship with 1, 6 had one, 7 has none."""
    records = rows_of("""
        person | concept | day
        1      | 1       | 2020-02-29
        1      | 2       | 2020-03-01
        1      | 2       | 2020-03-02
        2      | 3       | 2020-03-01
        2      | 4       | 2020-03-01
        1      | 5       | 2020-03-01
        2      | 5       | 2021-03-01
        2      | 6       | 2020-03-01
        2      | 7       | 2020-03-01
    """)
    days = [(int(person), int(concept), date.fromisoformat(day)) for person, concept, day in records]
    tables = {
        **tables_of(people(PERSONS)),
        "condition_occurrence": rows_table("condition_occurrence", days),
        "concept_ancestor": rows_table(
            "concept_ancestor", [(1, 1, 0), (1, 2, 1), (3, 1, 1), (3, 2, 2), (4, 3, 1), (4, 1, 2), (4, 2, 3)]
        ),
        "concept_relationship": rows_table(
            "concept_relationship",
            [(1, 5, "Occurs before", None), (1, 6, "Occurs before", "D"), (1, 0, "Maps to", None)],
        ),
    }
    one = ConceptCohort("one", (1,), False, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    below = ConceptCohort("below", (1,), True, Domain.CONDITION, Limit.ALL, OpenEnd.EVENT_END)
    found = told("orphan_code_use", Diagnosis(("one", "below")), one, below, data=cdm_of_rows(tables))
    assert found == rows_of("""
        codelist | stratum | concept   | domain    | records, persons
        one      | overall | overall   | overall   | 4, 2
        one      | overall | concept 2 | condition | 2, 1
        one      | overall | concept 3 | condition | 1, 1
        one      | overall | concept 5 | condition | 1, 1
        below    | overall | overall   | overall   | 2, 2
        below    | overall | concept 3 | condition | 1, 1
        below    | overall | concept 5 | condition | 1, 1
    """)


def test_the_trend_has_every_year_between_the_first_and_the_last_entry() -> None:
    assert told("summarise_trend", Diagnosis(("events",), strata=(Stratum.SEX,))) == rows_of("""
        cohort | stratum | variable           | years                    | count
        events | overall | Number of records  | 2018-01-01 to 2018-12-31 | 1
        events | overall | Number of subjects | 2018-01-01 to 2018-12-31 | 1
        events | overall | Number of records  | 2019-01-01 to 2019-12-31 | 0
        events | overall | Number of subjects | 2019-01-01 to 2019-12-31 | 0
        events | overall | Number of records  | 2020-01-01 to 2020-12-31 | 2
        events | overall | Number of subjects | 2020-01-01 to 2020-12-31 | 2
        events | Female  | Number of records  | 2018-01-01 to 2018-12-31 | 1
        events | Female  | Number of subjects | 2018-01-01 to 2018-12-31 | 1
        events | Female  | Number of records  | 2019-01-01 to 2019-12-31 | 0
        events | Female  | Number of subjects | 2019-01-01 to 2019-12-31 | 0
        events | Female  | Number of records  | 2020-01-01 to 2020-12-31 | 1
        events | Female  | Number of subjects | 2020-01-01 to 2020-12-31 | 1
        events | Male    | Number of records  | 2020-01-01 to 2020-12-31 | 1
        events | Male    | Number of subjects | 2020-01-01 to 2020-12-31 | 1
    """)
    quarters = told("summarise_trend", Diagnosis(("others",), interval=Interval.QUARTERS))
    assert [(row[3], row[4]) for row in quarters if row[2] == "Number of subjects"] == [
        ("2020-01-01 to 2020-03-31", "2"),
        ("2020-04-01 to 2020-06-30", "1"),
    ]


def test_age_and_sex_at_entry_and_the_overlap_of_cohorts_are_told_as_a_characterisation_tells_them() -> None:
    asked = Diagnosis(("events", "others"))
    result = run_study(Study("spec", (EVENTS, OTHERS), (asked,)), cdm(PERSONS))
    levels = [
        (row["group_level"], row["variable_level"], row["estimate_value"])
        for row in result.of_type("summarise_characteristics").to_pylist()
        if row["variable_name"] in {"Age group", "Sex"}
        and row["estimate_name"] == "count"
        and row["estimate_value"] != "0"
    ]
    assert levels == rows_of("""
        cohort | level    | entries
        events | 30 to 39 | 1
        events | 40 to 49 | 1
        events | 70 to 79 | 1
        events | Female   | 2
        events | Male     | 1
        others | 30 to 39 | 2
        others | 70 to 79 | 1
        others | Female   | 1
        others | Male     | 2
    """)
    both = [row[-1] for row in told("summarise_cohort_overlap", asked) if row[2] == "In both cohorts"]
    assert both == ["2", "2"]


def test_attrition_and_codes_of_a_circe_cohort_follow_its_rules_and_its_entry_events() -> None:
    persons = person(1, condition(2, "2020-03-01"), condition(2, "2020-06-01"), drug(3, "2020-02-20"))
    for table, rows in person(2, condition(2, "2020-03-01"), condition(4, "2020-03-02")).items():
        persons[table] = persons.get(table, []) + (rows if not table.startswith("concept") else [])
    window = {"Start": {"Days": 30, "Coeff": -1}, "End": {"Days": 0, "Coeff": 1}}
    criterion = {"Criteria": {"DrugExposure": {"CodesetId": 3}}, "StartWindow": window}
    group = {"Type": "ALL", "CriteriaList": [{**criterion, "Occurrence": {"Type": 2, "Count": 1}}]}
    written = definition("ConditionOccurrence", 2, InclusionRules=[{"name": "treated before", "expression": group}])
    cohort = CirceCohort("ruled", read_circe(json.dumps(written)), "0" * 64)
    asked = Diagnosis(("ruled",))
    result = run_study(Study("spec", (cohort,), (asked,)), whole_cdm_of_rows(persons))
    left = result.of_type("summarise_cohort_attrition").to_pylist()
    assert [
        (row["strata_level"], row["estimate_value"]) for row in left if row["variable_name"] == "number_records"
    ] == [
        ("Initial qualifying events", "3"),
        ("treated before", "1"),
        ("Limits, exits and eras", "1"),
    ]
    codes = result.of_type("code_use").to_pylist()
    assert [(row["variable_level"], row["estimate_value"]) for row in codes] == [
        (None, "3"),
        (None, "2"),
        ("2", "3"),
        ("2", "2"),
    ]


def test_a_circe_cohort_whose_concepts_the_vocabulary_does_not_have_is_empty_and_so_is_what_is_told() -> None:
    written = definition("ConditionOccurrence", 19)
    written["ConceptSets"][18]["expression"]["items"][0]["concept"]["CONCEPT_ID"] = 12345
    cohort = CirceCohort("nothing", read_circe(json.dumps(written)), "0" * 64)
    rows = person(1, condition(2, "2020-03-01"))
    result = run_study(Study("spec", (cohort,), (Diagnosis(("nothing",)),)), whole_cdm_of_rows(rows))
    assert [result.of_type(kind).num_rows for kind in ("code_use", "cohort_code_use", "summarise_trend")] == [0, 0, 0]
    left = result.of_type("summarise_cohort_attrition").to_pylist()
    assert {row["strata_level"] for row in left} == {"Initial qualifying events", "Limits, exits and eras"}
    assert {row["estimate_value"] for row in left} == {"0"}
