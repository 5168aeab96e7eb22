"""The permit document: what reads, and how each fault is told."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from enclos.contracts.disclosure import Demands
from enclos.contracts.view import (
    GRANTABLE_TABLES,
    Access,
    FromSource,
    InCohort,
    PotentialIdentifier,
    RandomSample,
    Residents,
    WholeBase,
    WithConcept,
    WithControls,
    all_tables,
)
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.permits.document import (
    draft_permit,
    json_from_permit,
    permit_from_json,
    read_permit,
    text_from_form,
    text_from_permit,
    whole_permit,
)
from enclos.permits.document.population import regions
from factories.permits import PERMIT_ID, drafted, permit_text


def data(**changes: str) -> str:
    fields = {
        "tables": "all",
        "population": "all",
        "period": "{start: 2019-01-01, end: 2024-01-01}",
        "potential_identifiers": "[]",
        **changes,
    }
    return "{" + ", ".join(f"{name}: {value}" for name, value in fields.items()) + "}"


def faults(text: str, floor: int = 5) -> str:
    with pytest.raises(NotAsPromised) as refused:
        read_permit(text, min_count_floor=floor)
    assert refused.value.code is Code.PERMIT_INVALID
    return refused.value.what


def test_the_draft_reads_without_a_fault() -> None:
    permit = read_permit(drafted(), min_count_floor=11)
    assert permit.terms.grants == all_tables()
    assert permit.valid_until == datetime(2029, 11, 1, tzinfo=UTC)


def test_a_draft_of_29_february_reads_too() -> None:
    assert read_permit(draft_permit(date(2028, 2, 29)), min_count_floor=1).valid_until.day == 28


def test_every_field_is_read() -> None:
    permit = read_permit(permit_text(), min_count_floor=11)
    assert permit.id == PERMIT_ID
    assert permit.user_ids == {"alice@example.org", "bob@example.org"}
    assert permit.terms.access is Access.ROWS
    assert permit.terms.population == WholeBase()
    assert permit.terms.period.start_on == date(2019, 1, 1)
    assert permit.min_count == 11
    assert permit.valid_from == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("population", "expected"),
    [
        ("{region: '94'}", Residents(("2A", "2B"))),
        ("{departments: ['75', '01']}", Residents(("01", "75"))),
        ("{concepts: [4, 3], descendants: true, domain: drug}", WithConcept("drug", (3, 4), descendants=True)),
        ("{controls_of: {source: hosp-a}, per_case: 4, seed: 7}", WithControls(FromSource("hosp-a"), 4, 7)),
        ("all", WholeBase()),
        ("{source: hosp-a}", FromSource("hosp-a")),
        ("{circe: '{}'}", InCohort("{}")),
        ("{controls_of: {circe: '{}'}, per_case: 4, seed: 7}", WithControls(InCohort("{}"), 4, 7)),
        ("{sample_percent: 2, seed: 7}", RandomSample(Decimal(2), 7)),
        ("{sample_percent: 0.25, seed: 7}", RandomSample(Decimal("0.25"), 7)),
        ("{sample_percent: 100, seed: 0}", RandomSample(Decimal(100), 0)),
    ],
)
def test_populations(population: str, expected: object) -> None:
    permit = read_permit(permit_text(data=data(population=population)), min_count_floor=1)
    assert permit.terms.population == expected
    assert permit_from_json(json_from_permit(permit)) == permit


def test_columns_come_in_the_order_of_the_contract() -> None:
    tables = "{person: [year_of_birth, gender_concept_id], drug_exposure: all}"
    permit = read_permit(permit_text(data=data(tables=tables)), min_count_floor=1)
    grant = permit.terms.grant("person")
    assert grant is not None
    assert grant.columns == ("gender_concept_id", "year_of_birth")
    assert permit.terms.tables == ("person", "drug_exposure")
    assert permit.terms.grant("death") is None


def test_identifiers_are_a_closed_list() -> None:
    permit = read_permit(permit_text(data=data(potential_identifiers="[commune, birth_month]")), min_count_floor=1)
    assert permit.terms.identifiers == {PotentialIdentifier.COMMUNE, PotentialIdentifier.BIRTH_MONTH}
    assert "one of commune" in faults(permit_text(data=data(potential_identifiers="[name]")))


def test_the_json_form_reads_back_to_the_same_permit() -> None:
    permit = read_permit(permit_text(data=data(tables="{person: [year_of_birth], death: all}")), min_count_floor=1)
    assert permit_from_json(json_from_permit(permit)) == permit


def test_all_faults_are_told_at_once_each_with_its_line() -> None:
    text = permit_text(access="everything", disclosure="{min_count: 3}", legal_basis="my-own", colour="blue")
    told = faults(text)
    assert "4 faults" in told
    assert "line 5: legal_basis: must be one of" in told
    assert "line 7: access: must be one of rows, aggregates" in told
    assert "line 9: disclosure.min_count: is below this enclosure's floor of 5" in told
    assert "line 11: colour: is not a known field" in told


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"permit": "../etc"}, "permit: must be letters"),
        ({"permit": "'é'"}, "permit: must be letters"),
        ({"users": "[]"}, "users: must list at least one person"),
        ({"users": "[{id: a.b@c.org, role: researcher}, {id: a.b@c.org, role: researcher}]"}, "listed twice"),
        ({"users": "[{id: a.b@c.org, role: king}]"}, "users.0.role: must be one of investigator"),
        ({"users": "[{id: a.b@c.org}]"}, "users.0.role: is missing"),
        ({"purpose": '{article: "53(1)(z)", text: "Anything"}'}, "purpose.article"),
        ({"opt_out": "{applied: maybe, as_of: now}"}, "opt_out.applied: must be true or false"),
        ({"disclosure": "{min_count: eleven}"}, "disclosure.min_count: must be a whole number"),
        ({"disclosure": "{min_count: true}"}, "disclosure.min_count: must be a whole number"),
        ({"valid": "{from: 2026-11-01, until: 2029-11-01T00:00:00Z}"}, "valid.from: must be an instant"),
        ({"valid": "{from: 2026-11-01T00:00:00, until: 2029-11-01T00:00:00Z}"}, "valid.from: must be an instant"),
        ({"valid": "{from: 2026-11-01T00:00:00Z, until: 2026-11-01T00:00:00Z}"}, "must be after the beginning"),
        ({"valid": "{from: 2026-11-01T00:00:00Z, until: 2036-11-01T00:00:01Z}"}, "more than 10 years"),
        (
            {"legal_basis": "cnil-2023-146", "valid": "{from: 2026-11-01T00:00:00Z, until: 2029-11-01T00:00:01Z}"},
            "more than 3 years",
        ),
        ({"data": data(period="{start: 2019-01-01, end: 2019-01-01}")}, "data.period.end: must be after the start"),
        ({"data": data(period="{start: 2019-02-30, end: 2020-01-01}")}, "data.period.start"),
        ({"data": data(population="{circe: x.json}")}, "did not come with the permit"),
        ({"data": data(population="{region: '99'}")}, "must be one of 01, 02"),
        ({"data": data(population="{departments: []}")}, "department codes"),
        ({"data": data(population="{departments: [75]}")}, "quoted"),
        ({"data": data(population="{departments: ['96']}")}, "department codes"),
        ({"data": data(population="{concepts: [], descendants: true, domain: drug}")}, "concept ids"),
        ({"data": data(population="{concepts: [1], descendants: 1, domain: drug}")}, "true or false"),
        ({"data": data(population="{concepts: [1], descendants: true, domain: mood}")}, "must be one of condition"),
        ({"data": data(population="{controls_of: all, per_case: 1, seed: 1}")}, "leaves others"),
        ({"data": data(population="{controls_of: {source: a}, per_case: 0, seed: 1}")}, "from 1 to 20"),
        ({"data": data(potential_identifiers="[{id: commune}]")}, "why"),
        (
            {"legal_basis": "cnil-mr-007", "data": data(potential_identifiers="[commune]")},
            "must each be justified, as {id: commune, why: …}",
        ),
        (
            {"legal_basis": "cnil-mr-007", "data": data(period="{start: 2016-12-31, end: 2024-01-01}")},
            "is before 2017-01-01: cnil-mr-007 allows 9 years",
        ),
        ({"data": data(population="some")}, "data.population: must be"),
        ({"data": data(population="{sample_percent: 0, seed: 1}")}, "above 0"),
        ({"data": data(population="{sample_percent: 101, seed: 1}")}, "above 0"),
        ({"data": data(population="{sample_percent: .nan, seed: 1}")}, "above 0"),
        ({"data": data(population="{sample_percent: 1.00001, seed: 1}")}, "above 0"),
        ({"data": data(tables="{patients: all}")}, "is not a table that can be granted"),
        ({"data": data(tables="{drug_exposures: all}")}, "did you mean drug_exposure?"),
        ({"data": data(tables="{concept: all}")}, "needs no grant"),
        ({"data": data(tables="{person: [nir]}")}, "is not a column of person"),
        ({"data": data(tables="{person: []}")}, "must be `all` or a list of columns"),
        ({"data": data(tables="{}")}, "must be `all`, or tables"),
        ({"access": "rows\naccess: rows"}, "access: is given twice"),
        ({"holder": "&a {organisation: Org, investigator: a.b@c.org}"}, "anchors and aliases"),
        ({"purpose": '{article: "53(1)(e)", text: "two\\nlines"}'}, "one line"),
    ],
)
def test_faults(changes: dict[str, str], told: str) -> None:
    assert told in faults(permit_text(**changes))


@pytest.mark.parametrize("text", ["", "- 1\n", "just words", "{", "a: [", "x" * 70_000, "[" * 5000])
def test_what_is_no_document_is_refused(text: str) -> None:
    assert "fault" in faults(text)


def test_ten_years_to_the_second_are_allowed() -> None:
    text = permit_text(valid="{from: 2026-11-01T00:00:00Z, until: 2036-11-01T00:00:00Z}")
    assert read_permit(text, min_count_floor=1).valid_until.year == 2036


@pytest.mark.parametrize(
    "valid", ["9995-01-01T00:00:00Z, until: 9999-01-01", "0002-01-01T00:00:00Z, until: 0003-01-01"]
)
def test_years_that_nobody_counts_from_are_a_fault(valid: str) -> None:
    for basis in ("ehds-permit", "cnil-mr-007"):
        text = permit_text(valid=f"{{from: {valid}T00:00:00Z}}", legal_basis=basis)
        assert "valid.from: must lie from 1970 to 2199" in faults(text)


def test_a_permit_is_amended_from_its_own_text() -> None:
    rich = data(
        population='{controls_of: {departments: ["01", "2A"]}, per_case: 2, seed: 7}',
        potential_identifiers='[{id: commune, why: "Distance: « near » or not"}, birth_month]',
        tables="{person: [gender_concept_id, year_of_birth], drug_exposure: all}",
    )
    permit = read_permit(permit_text(data=rich), min_count_floor=5)
    assert read_permit(text_from_permit(permit), min_count_floor=5) == permit


def form(**changes: str) -> dict[str, list[str]]:
    given = {
        "permit": PERMIT_ID,
        "organisation": "CHU de Demain",
        "investigator": "alice@example.org",
        "users": "alice@example.org\nbob@example.org",
        "purpose": "Safety: of statins, after 75",
        "article": "53(1)(e)",
        "legal_basis": "ehds-permit",
        "persons": "region",
        "region": "11",
        "start": "2019-01-01",
        "end": "2024-01-01",
        "access": "rows",
        "min_count": "11",
        "from": "2026-11-01",
        "until": "2029-11-01",
    }
    return {name: [value] for name, value in {**given, **changes}.items()}


def test_a_form_makes_a_document_that_reads() -> None:
    listed = {"tables": ["person"], "columns": ["drug_exposure.drug_concept_id"], "identifiers": ["commune"]}
    permit = read_permit(text_from_form({**form(), **listed}), min_count_floor=5)
    assert [user.role.value for user in permit.users] == ["investigator", "researcher"]
    assert permit.terms.population == Residents(regions()["11"])
    assert permit.terms.tables == ("person",), "a column of a table that is not ticked opens nothing"
    assert permit.purpose.text == "Safety: of statins, after 75"


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"persons": "other", "population": "{source: [", "min_count": "9" * 5000}, "data.population"),
        ({"persons": "other", "population": "[" * 5000}, "data.population"),
        ({"persons": "other", "population": "2020-13-45"}, "data.population"),
        ({"persons": "nobody"}, "data.population"),
        ({"persons": "sample", "sample_percent": "1e99", "sample_seed": "010"}, "data.population.sample_percent"),
        ({"min_count": "²", "users": ""}, "disclosure.min_count"),
        ({"start": "", "until": "tomorrow"}, "data.period.start"),
    ],
)
def test_whatever_is_typed_into_a_form_is_a_fault_and_no_crash(changes: dict[str, str], told: str) -> None:
    assert told in faults(text_from_form(form(**changes)))


def test_a_fault_never_repeats_what_was_written() -> None:
    told = faults(permit_text(holder="{organisation: 7712345678901, investigator: SECRETVALUE@}"))
    assert "7712345678901" not in told
    assert "SECRETVALUE" not in told


def test_grantable_tables_are_person_tables_and_places() -> None:
    assert {"location", "care_site", "provider"} < set(GRANTABLE_TABLES)
    assert not {"note", "episode_event", "metadata"} & set(GRANTABLE_TABLES)


def test_a_reason_stays_with_what_it_is_for() -> None:
    listed = "[{id: commune, why: Distance to the hospital}, birth_month]"
    permit = read_permit(
        permit_text(data=data(potential_identifiers=listed, population="{region: '94'}")), min_count_floor=1
    )
    assert permit.whys == {"commune": "Distance to the hospital"}
    assert permit_from_json(json_from_permit(permit)) == permit
    assert json_from_permit(permit)["data"]["potential_identifiers"] == [
        "birth_month",
        {"id": "commune", "why": "Distance to the hospital"},
    ]


def test_every_department_of_france_is_in_one_region() -> None:
    codes = [code for departments in regions().values() for code in departments]
    assert len(codes) == len(set(codes)) == 101


@pytest.mark.parametrize("form", ["{circe: a b.json}", '{controls_of: {circe: "a b.json"}, per_case: 1, seed: 1}'])
def test_a_permit_is_whole_with_the_cohort_definition_that_it_names(form: str) -> None:
    content = '{"a": "it\'s",\n "é": "\u2028"}'
    text = permit_text(data=data(population=form))
    whole = whole_permit(text, {"a b.json": content}.__getitem__)
    population = read_permit(whole, min_count_floor=5).terms.population
    inner = population.cases if isinstance(population, WithControls) else population
    assert inner == InCohort(content)
    permit = read_permit(whole, min_count_floor=5)
    assert permit_from_json(json_from_permit(permit)) == permit
    assert whole_permit(whole, {}.__getitem__) == whole
    assert whole_permit("[", {}.__getitem__) == "["


def test_tables_that_can_be_granted_are_listed_once() -> None:
    with pytest.raises(NotAsPromised) as refused:
        read_permit(permit_text(data=data(tables="{persons: all, deaths: all, cost: all}")), min_count_floor=1)
    assert str(refused.value).count("payer_plan_period") == 1


def test_a_permit_can_have_counts_rounded_and_not_wider_than_it_hides() -> None:
    said = permit_text().replace("min_count: 11}", "min_count: 11, round_to: 5}")
    permit = read_permit(said, min_count_floor=5)
    assert permit.round_to == 5
    assert permit_from_json(json_from_permit(permit)) == permit
    assert "disclosure.round_to: is above the minimum count of 11" in faults(
        said.replace("round_to: 5", "round_to: 12")
    )
    assert "round_to" not in repr(json_from_permit(read_permit(permit_text(), min_count_floor=5)))


def test_rules_beyond_the_platform_s_are_read_written_and_bounded() -> None:
    said = permit_text().replace("min_count: 11}", "min_count: 11, rules: {stays: 20, hides_zeros: true}}")
    permit = read_permit(said, min_count_floor=5)
    assert permit.demands == Demands(stays=20, hides_zeros=True)
    assert permit_from_json(json_from_permit(permit)) == permit
    for wrong in ("stays: many", "dominance_percent: 0", "loosen: 1", "hides_zeros: 1"):
        assert "disclosure.rules" in faults(said.replace("stays: 20, hides_zeros: true", wrong))
    assert "rules" not in json_from_permit(read_permit(permit_text(), min_count_floor=5))["disclosure"]
