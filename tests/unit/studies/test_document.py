"""A study file becomes a study, or a refusal that names every fault with its line and path."""

import json
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.studies.circe import read_circe
from enclos.studies.document import study_from_yaml, study_json_schema, study_schema_text, whole_study, with_saved
from enclos.studies.model import (
    AfterDays,
    AgeGroup,
    CirceCohort,
    ConceptCohort,
    DateRange,
    DayWindow,
    Domain,
    Incidence,
    Interval,
    Limit,
    OpenEnd,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Stratum,
    Study,
    Target,
    TimePoint,
)

FULL = """\
study: gi-bleed
cohorts:
  bleed: {concepts: [192671], descendants: true, domain: condition, limit: first, end: event_end}
  aspirin:
    concepts: [1112807, 1113008]
    descendants: false
    domain: drug
    limit: all
    end: {days: 30}
analyses:
  - incidence: {outcome: bleed, age_groups: [[0,150],[65,150]], sex: [both, male, female],
                days_prior_observation: [0, 365], interval: [years, overall], washout_days: all,
                repeated_events: false, complete_intervals: true}
  - incidence: {outcome: [bleed, aspirin], washout_days: 365, repeated_events: true, date_range: [2019-01-01, null]}
  - prevalence: {outcome: bleed, type: point, interval: months, time_point: middle}
  - prevalence: {outcome: aspirin, type: period, interval: quarters, full_contribution: true,
                 complete_intervals: false, date_range: ["2019-01-01", 2021-12-31]}
"""
SMALL = """\
study: small
cohorts:
  bleed: {concepts: [1], domain: condition}
analyses:
  - incidence: {outcome: bleed}
"""


def refused(text: str) -> NotAsPromised:
    with pytest.raises(NotAsPromised) as refusal:
        study_from_yaml(text)
    return refusal.value


def test_every_option_arrives() -> None:
    assert study_from_yaml(FULL) == Study(
        "gi-bleed",
        (
            ConceptCohort("bleed", (192671,), True, Domain.CONDITION, Limit.FIRST, OpenEnd.EVENT_END),
            ConceptCohort("aspirin", (1112807, 1113008), False, Domain.DRUG, Limit.ALL, AfterDays(30)),
        ),
        (
            Incidence(
                ("bleed",),
                Population(
                    (AgeGroup(0, 150), AgeGroup(65, 150)), (Sex.BOTH, Sex.MALE, Sex.FEMALE), (0, 365), DateRange()
                ),
                (Interval.YEARS, Interval.OVERALL),
            ),
            Incidence(
                ("bleed", "aspirin"),
                Population(date_range=DateRange(date(2019, 1, 1), None)),
                washout_days=365,
                repeated_events=True,
            ),
            PointPrevalence(("bleed",), Population(), (Interval.MONTHS,), TimePoint.MIDDLE),
            PeriodPrevalence(
                ("aspirin",),
                Population(date_range=DateRange(date(2019, 1, 1), date(2021, 12, 31))),
                (Interval.QUARTERS,),
                full_contribution=True,
                complete_intervals=False,
            ),
        ),
    )


def test_what_is_not_said_is_as_in_the_field() -> None:
    study = study_from_yaml(SMALL)
    assert study.cohorts == (
        ConceptCohort("bleed", (1,), True, Domain.CONDITION, Limit.FIRST, OpenEnd.OBSERVATION_END),
    )
    assert study.analyses == (Incidence(("bleed",), Population()),)


@pytest.mark.parametrize(
    ("old", "new", "code", "said"),
    [
        ("outcome: bleed", "outcome: blood", Code.STUDY_UNKNOWN_NAME, "line 5, analyses[0].incidence.outcome[0]"),
        ("{outcome: bleed}", "{outcome: bleed, washout: 3}", Code.STUDY_UNKNOWN_NAME, "incidence.washout: there is no"),
        ("incidence: ", "incidense: ", Code.STUDY_UNKNOWN_NAME, "analyses[0].incidense: there is no such analysis"),
        (
            "study: small",
            "study: small\nversion: 2",
            Code.STUDY_UNKNOWN_NAME,
            "line 2, version: there is no such option",
        ),
        (
            "{concepts: [1], domain: condition}",
            "{circe: a.json}",
            Code.STUDY_INVALID,
            "line 3, cohorts.bleed.circe: names a file that did not come with the study",
        ),
        (
            "{concepts: [1], domain: condition}",
            "{circe: '{}', limit: all}",
            Code.STUDY_UNKNOWN_NAME,
            "line 3, cohorts.bleed.limit: there is no such option",
        ),
        (
            "{concepts: [1], domain: condition}",
            """{circe: '{"PrimaryCriteria": {"CriteriaList": [{"Drug": {}}]}}'}""",
            Code.STUDY_INVALID,
            "PrimaryCriteria.CriteriaList[0].Drug is not known to Circe",
        ),
        ("domain: condition", "domain: conditions", Code.STUDY_INVALID, "line 3, cohorts.bleed.domain"),
        ("concepts: [1]", "concepts: []", Code.STUDY_INVALID, "cohorts.bleed.concepts"),
        ("concepts: [1]", "concepts: ['1']", Code.STUDY_INVALID, "cohorts.bleed.concepts[0]"),
        ("concepts: [1]", "concepts: [1, 1]", Code.STUDY_INVALID, "a concept is given twice"),
        ("concepts: [1]", "concepts: [true]", Code.STUDY_INVALID, "cohorts.bleed.concepts[0]"),
        ("concepts: [1], ", "", Code.STUDY_INVALID, "cohorts.bleed.concepts: is missing"),
        ("condition}", "condition, end: never}", Code.STUDY_INVALID, "should be event_end, observation_end or"),
        ("condition}", "condition, end: {days: -1}}", Code.STUDY_INVALID, "should be event_end, observation_end or"),
        ("condition}", "condition, end: {days: 1, until: 2}}", Code.STUDY_INVALID, "cohorts.bleed.end"),
        ("bleed:", "Bleed:", Code.STUDY_INVALID, "snake case"),
        ("study: small", "study: a/b", Code.STUDY_INVALID, "line 1, study"),
        ("study: small\n", "", Code.STUDY_INVALID, "study: is missing"),
        ("{outcome: bleed}", "{outcome: []}", Code.STUDY_INVALID, "incidence.outcome"),
        ("{outcome: bleed}", "{outcome: bleed, washout_days: -1}", Code.STUDY_INVALID, "washout_days"),
        ("{outcome: bleed}", "{outcome: bleed, washout_days: null}", Code.STUDY_INVALID, "a number of days, or all"),
        ("{outcome: bleed}", "{outcome: bleed, age_groups: [[5, 1]]}", Code.STUDY_INVALID, "[lowest, highest]"),
        ("{outcome: bleed}", "{outcome: bleed, age_groups: [5, 1]}", Code.STUDY_INVALID, "age_groups[0]"),
        ("{outcome: bleed}", "{outcome: bleed, sex: [male, male]}", Code.STUDY_INVALID, "given twice"),
        ("{outcome: bleed}", "{outcome: bleed, interval: daily}", Code.STUDY_INVALID, "interval[0]"),
        ("{outcome: bleed}", "{outcome: bleed, repeated_events: 1}", Code.STUDY_INVALID, "repeated_events"),
        (
            "{outcome: bleed}",
            "{outcome: bleed, date_range: [2020-01-02, 2020-01-01]}",
            Code.STUDY_INVALID,
            "date_range",
        ),
        ("incidence: {", "prevalence: {", Code.STUDY_INVALID, "prevalence.type: is missing"),
        ("incidence: {", "prevalence: {type: point, interval: overall, ", Code.STUDY_INVALID, "no overall interval"),
        ("incidence: {", "prevalence: {type: point, full_contribution: true, ", Code.STUDY_INVALID, "only a period"),
        ("incidence: {", "prevalence: {type: period, time_point: end, ", Code.STUDY_INVALID, "only a point"),
        ("- incidence: {outcome: bleed}", "- {}", Code.STUDY_INVALID, "analyses[0]: each entry is one analysis"),
        ("study: small", "study: small\nstudy: large", Code.STUDY_INVALID, "line 2, study: study is given twice"),
        ("study: small", "1: 2\nstudy: small", Code.STUDY_INVALID, "a key is a word"),
        ("study: small", "study: &a small", Code.STUDY_UNREADABLE, "line 1 has an anchor"),
        ("study: small", "study: !!binary aGk=", Code.STUDY_UNREADABLE, "line 1 has a tag"),
        ("study: small", "study: small\n---\nstudy: small", Code.STUDY_UNREADABLE, "second document"),
        ("study: small", "study: [", Code.STUDY_UNREADABLE, "is not YAML"),
        (
            "study: small",
            "study: 2019-13-45",
            Code.STUDY_UNREADABLE,
            "line 1: the calendar has no such day (YYYY-MM-DD)",
        ),
        ("study: small", "study: 0x_", Code.STUDY_UNREADABLE, "line 1: a number in it is none"),
        ("{outcome: bleed}", "{outcome: []}", Code.STUDY_INVALID, "outcome: value should have at least 1 item, not 0"),
        ("{outcome: bleed}", "{outcome: bleed, washot: 3}", Code.STUDY_UNKNOWN_NAME, "the nearest is washout"),
        (
            "domain: condition",
            "domian: condition",
            Code.STUDY_INVALID,
            "there is no such option; the nearest is domain",
        ),
        ("study: small", "study: small\n\tx: 1", Code.STUDY_UNREADABLE, "is not YAML (indent by spaces, not by tabs)"),
        ("study: small", "study: " + "[" * 40 + "]" * 40, Code.STUDY_UNREADABLE, "nests too deep"),
    ],
)
def test_a_fault_is_named_with_its_line_and_path(old: str, new: str, code: Code, said: str) -> None:
    assert old in SMALL
    refusal = refused(SMALL.replace(old, new, 1))
    assert refusal.code is code
    assert said in refusal.what
    assert refusal.exit_code == 4


@pytest.mark.parametrize("text", ["", "study", "- study", "\0", "study: small\n\tcohorts: x", "x" * 1_000_001])
def test_what_is_no_mapping_cannot_be_read(text: str) -> None:
    assert refused(text).code is Code.STUDY_UNREADABLE


def test_all_faults_are_named_at_once_in_order_of_their_lines() -> None:
    text = SMALL.replace("domain: condition", "domain: x").replace(
        "{outcome: bleed}", "{outcome: c, sex: x, washout: 1}"
    )
    what = refused(text).what
    places = [
        "line 3, cohorts.bleed.domain",
        "line 5, analyses[0].incidence.sex[0]",
        "line 5, analyses[0].incidence.washout",
    ]
    assert [place for place in places if place in what] == places
    assert sorted(places, key=what.index) == places


def test_a_refused_study_does_not_repeat_what_was_written_as_a_value() -> None:
    assert "secret" not in str(refused(SMALL.replace("domain: condition", "domain: secret-value")))


SCHEMA_FILE = Path(__file__).resolve().parents[3] / "docs" / "study.schema.json"


def test_the_published_schema_is_the_one_in_force() -> None:
    assert SCHEMA_FILE.read_text(encoding="utf-8") == study_schema_text()


def test_the_schema_is_a_schema_and_accepts_what_is_accepted() -> None:
    schema = study_json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for text in (FULL, SMALL):
        plain = json.loads(json.dumps(yaml.safe_load(text), default=str))
        assert list(validator.iter_errors(plain)) == []


@pytest.mark.parametrize(
    "change", [("outcome: bleed", "outcome: 3"), ("domain: condition", "domain: x"), ("incidence:", "incidense:")]
)
def test_the_schema_refuses_what_has_the_wrong_shape(change: tuple[str, str]) -> None:
    plain = json.loads(json.dumps(yaml.safe_load(SMALL.replace(*change)), default=str))
    assert list(Draft202012Validator(study_json_schema()).iter_errors(plain))


def test_a_study_is_whole_with_the_definitions_that_it_names() -> None:
    content = '{"PrimaryCriteria": {"CriteriaList": [{"Death": {}}]}}\n\u2028 "é" \U0001f600 \\ \x85'
    whole = whole_study(
        SMALL.replace("{concepts: [1], domain: condition}", '{circe: "a b/c.json"} # kept'),
        {"a b/c.json": content}.__getitem__,
    )
    assert "\n" not in whole[whole.index("circe") : whole.index("# kept")]
    node = yaml.safe_load(whole)
    assert node["cohorts"]["bleed"] == {"circe": content}
    assert whole_study(whole, {}.__getitem__) == whole


@pytest.mark.parametrize("cohort", ["{saved: kept one}", '{"saved": "kept one"}', "\n    saved: kept one\n    # more"])
def test_the_definition_of_a_saved_cohort_takes_the_place_of_its_name(cohort: str) -> None:
    content = '{"PrimaryCriteria": {"CriteriaList": [{"Death": {}}]}}'
    text = SMALL.replace("{concepts: [1], domain: condition}", cohort)
    whole = with_saved(text, {"kept one": content}.get)
    assert study_from_yaml(whole).cohorts == (
        CirceCohort("bleed", read_circe(content), sha256(content.encode()).hexdigest()),
    )
    assert whole.count("\n") == text.count("\n")
    assert with_saved(SMALL, {}.get) == SMALL


def test_a_saved_cohort_is_known_under_its_permit_alone() -> None:
    text = SMALL.replace("{concepts: [1], domain: condition}", "{saved: kept one}")
    with pytest.raises(NotAsPromised) as refused:
        study_from_yaml(text)
    assert "line 3, cohorts.bleed.saved: only a run under the permit knows its saved cohorts" in str(refused.value)
    with pytest.raises(NotAsPromised) as refused:
        with_saved(text, {}.get)
    assert refused.value.code is Code.STUDY_UNKNOWN_NAME
    assert "line 3, cohorts.bleed.saved: the permit has no saved cohort of that name" in str(refused.value)


def test_a_cohort_of_circe_has_the_hash_of_its_file() -> None:
    content = '{"PrimaryCriteria": {"CriteriaList": [{"Death": {}}]}}'
    text = SMALL.replace("{concepts: [1], domain: condition}", "{circe: a.json}")
    (cohort,) = study_from_yaml(whole_study(text, {"a.json": content}.__getitem__)).cohorts
    assert cohort == CirceCohort("bleed", read_circe(content), sha256(content.encode()).hexdigest())


@pytest.mark.parametrize(
    ("options", "n_groups", "name", "weight"),
    [
        ("standardise: esp2013", 18, "esp2013", 100_000),
        ("standardise: esp2013, age_groups: [[0, 64], [65, 150]]", 2, "esp2013", 100_000),
        ("standardise: [[0, 39, 2], [40, 150, 3]]", 2, "own", 5),
    ],
)
def test_a_standard_is_named_or_given_and_brings_its_age_groups(
    options: str, n_groups: int, name: str, weight: int
) -> None:
    text = SMALL.replace("outcome: bleed", f"outcome: bleed, {options}")
    (analysis,) = study_from_yaml(text).analyses
    assert isinstance(analysis, Incidence)
    assert analysis.standard is not None
    ages = [(each.min_years, each.max_years) for each in analysis.population.age_groups]
    weights = analysis.standard.weights_of(ages)
    assert weights is not None
    assert (len(ages), analysis.standard.name, sum(weights.values())) == (n_groups, name, weight)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("standardise: esp1976", "standardise: input should be 'esp2013'"),
        ("standardise: [[0, 39, 0]]", "standardise: a standard is"),
        ("standardise: [[0, 39, 1], [30, 50, 1]]", "standardise: a standard is"),
        ("standardise: esp2013, age_groups: [[0, 17], [18, 150]]", "age_groups: age groups are made of whole bands"),
        ("standardise: esp2013, age_groups: [[0, 9], [5, 14]]", "age_groups: age groups are made of whole bands"),
    ],
)
def test_a_standard_that_does_not_fit_is_refused(options: str, fault: str) -> None:
    with pytest.raises(NotAsPromised, match=f"line 5, analyses\\[0\\].incidence.{fault}"):
        study_from_yaml(SMALL.replace("outcome: bleed", f"outcome: bleed, {options}"))


def test_a_target_and_a_censor_are_cohorts_of_the_study() -> None:
    options = "outcome: bleed, target: drug, time_at_risk: [[0, 30], [31, null]], censor: drug"
    text = SMALL.replace("outcome: bleed", options).replace(
        "analyses:", "  drug: {concepts: [2], domain: drug}\nanalyses:"
    )
    target = Target("drug", (DayWindow(0, 30), DayWindow(31, None)))
    assert study_from_yaml(text).analyses == (Incidence(("bleed",), Population(target=target), censor="drug"),)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("target: aspirin", "target: there is no cohort"),
        ("censor: aspirin", "censor: there is no cohort"),
        ("time_at_risk: [[0, 30]]", "time_at_risk: only a population in a target"),
        ("requirements_at_entry: true", "requirements_at_entry: only a population in a target"),
        ("target: bleed, time_at_risk: [[-1, 30]]", r"time_at_risk\[0\]: time at risk starts on day 0"),
        ("target: bleed, time_at_risk: [[null, 30]]", r"time_at_risk\[0\]: time at risk starts on day 0"),
        ("target: bleed, time_at_risk: [[9, 3]]", r"time_at_risk\[0\]: a window is"),
        ("target: bleed, time_at_risk: [[0, 3], [0, 3]]", "time_at_risk: a value is given twice"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(options: str, fault: str) -> None:
    with pytest.raises(NotAsPromised, match=f"line 5, analyses\\[0\\].incidence.{fault}"):
        study_from_yaml(SMALL.replace("outcome: bleed", f"outcome: bleed, {options}"))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("strata: [age_group]", "strata: age_group needs strata_age_groups"),
        ("strata_age_groups: [[0, 9]]", "strata_age_groups: strata does not name age_group"),
        ("strata: [age_group], strata_age_groups: [[0, 9], [5, 20]]", "strata_age_groups: an age is in two groups"),
        ("strata: [age_group], strata_age_groups: [[9, 0]]", r"strata_age_groups\[0\]: an age group is"),
        ("strata: [sex, [sex]]", "strata: a value is given twice"),
        (
            "strata: [age_group], strata_age_groups: [[0, 9]], standardise: esp2013",
            "strata: a rate standardised by age",
        ),
    ],
)
def test_strata_that_make_no_sense_are_refused(options: str, fault: str) -> None:
    with pytest.raises(NotAsPromised, match=f"line 5, analyses\\[0\\].incidence.{fault}"):
        study_from_yaml(SMALL.replace("outcome: bleed", f"outcome: bleed, {options}"))


def test_strata_are_names_or_lists_of_names() -> None:
    text = SMALL.replace("bleed}", "bleed, strata: [sex, [age_group, sex]], strata_age_groups: [[0, 64], [65, 150]]}")
    (analysis,) = study_from_yaml(text).analyses
    assert isinstance(analysis, Incidence)
    assert analysis.population.strata == ((Stratum.SEX,), (Stratum.AGE_GROUP, Stratum.SEX))
    assert analysis.population.strata_age_groups == (AgeGroup(0, 64), AgeGroup(65, 150))
