"""Real data through the whole chain: delivery, vault, crossing, lake, permit, view, study equal the R peers' numbers.

Where the reference data is absent, forty persons made here are delivered instead, and the engine on the raw rows
(itself held to slow oracles elsewhere) says what the chain must give.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil

import pytest

from enclos.app.permits import active, perimeter_of, permit_key
from enclos.app.snapshots import reading_snapshot
from enclos.contracts.result import result_from_csv
from enclos.release.model import Rule, Verdict
from enclos.release.rules.disclosure import assess
from enclos.stores.run_files import RunFiles
from enclos.studies.document import study_from_yaml
from enclos.studies.model import Population
from enclos.studies.steps import cohort_table, denominator_table, run_study
from enclos.views.steps import PermitCdm
from factories.built_in import OUTCOMES, built_in, write_tables
from factories.enclosure import ALICE, PASSPHRASE, open_home, permit_text, run_cli
from factories.studies import tables_of
from fakes.cdm import cdm_of_parquet, cdm_of_rows
from shared_data import shared

GIBLEED, ORACLE = shared("omop", "gibleed"), shared("oracle", "gibleed")
STUDY = """\
study: gibleed-chain
cohorts:
  gibleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
  bronchitis: {concepts: [260139], descendants: true, domain: condition, limit: all, end: {days: 1}}
  sinusitis: {concepts: [40481087], descendants: true, domain: condition, limit: all, end: {days: 1}}
  otitis: {concepts: [372328], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
  - incidence: {outcome: [gibleed, bronchitis, sinusitis, otitis], interval: [years, overall], washout_days: all}
  - incidence: {outcome: [gibleed, bronchitis, sinusitis, otitis], interval: [years, overall], washout_days: 365,
                repeated_events: true}
  - prevalence: {outcome: [gibleed, bronchitis, sinusitis, otitis], type: point, interval: years}
"""
FOLLOWING = f"""\
study: gibleed-cohorts
cohorts:
  drug: {{concepts: [{1118084 if GIBLEED else 192671}], descendants: false, domain: drug, limit: all, end: event_end,
         gap_era: 30}}
  gibleed: {{concepts: [192671], domain: condition, limit: all, end: {{days: 1}}}}
  bronchitis: {{concepts: [260139], domain: condition, limit: all, end: {{days: 1}}}}
  grown: {{require: {{cohort: bronchitis, ages: [18, 80], days_prior_observation: 365}}}}
  grown_first: {{first: grown}}
  either: {{union: [gibleed, grown_first]}}
  since: {{require: {{cohort: bronchitis, date_range: [1980-01-01, null]}}}}
analyses:
  - characterise: {{cohort: [gibleed, bronchitis, either], age_groups: [[0, 64], [65, 150]], strata: [sex],
                   overlap: true,
                   intersect: [{{cohort: drug, window: [null, -1]}}], standardised_differences: true,
                   large_scale: {{windows: [[-365, -1]], event_in_window: condition, minimum_frequency: 0.05}}}}
  - characterise: {{cohort: gibleed, large_scale: {{windows: [[null, -1]], episode_in_window: drug}}}}
  - utilisation: {{cohort: [gibleed], exposures: [drug], ingredient: 1118084, covered_days: 3,
                  restart: {{switch: drug}}, indication: {{cohort: bronchitis, windows: [[-30, 0]],
                  unknown: condition}}}}
  - diagnose: {{cohort: [either, drug, since], strata: sex}}
"""
FILES = ("ip_gibleed_inc", "ip_gibleed_inc2", "ip_gibleed_pp")
COUNTS = {"denominator_count", "outcome_count", "person_days", "count"}

pytestmark = pytest.mark.xdist_group("gibleed-chain")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An enclosure built from GiBleed alone, by the commands that a person types."""
    folder = tmp_path_factory.mktemp("gibleed")
    delivery = folder / "delivery"
    if GIBLEED is None:
        write_tables(delivery)
    else:
        shutil.copytree(GIBLEED, delivery)
        delivery.chmod(0o755)
    home = folder / "GiBleed"
    run_cli("init", home, "--min-count-floor", "1")
    run_cli("delivery", "make", delivery, "--kind", "omop", "--source", "gibleed")
    ingested = run_cli("ingest", home, delivery)
    assert ingested["n_delivered"] == ingested["n_landed"] + ingested["n_rejected"]
    assert ingested["n_rejected"] == 0
    built = run_cli("build", home, "--account")
    assert built["tables"]["person"] == (2694 if GIBLEED else len(built_in()))
    assert GIBLEED is None or built["tables"]["condition_occurrence"] == 65332
    for row in built["account"]:
        assert row["delivered"] == row["mapped"] + row["cancelled"] + row["filtered"] + row["rejected"]
    permit = folder / "permit.yaml"
    permit.write_text(permit_text(period="{start: 1900-01-01, end: 2030-01-01}", min_count=1), encoding="utf-8")
    run_cli("permit", "sign", home, permit)
    run_cli("permit", "open", home, "FR-TEST-0001")
    study = folder / "study.yaml"
    study.write_text(STUDY, encoding="utf-8")
    answer = run_cli("study", home, study, "--permit", "FR-TEST-0001", "--user", ALICE)
    return home, answer


@pytest.fixture(scope="module")
def result(home):
    folder, answer = home
    with open_home(folder) as enclosure:
        key = enclosure.keys.secret(permit_key("FR-TEST-0001"))
        return RunFiles(folder / "permits" / "FR-TEST-0001", key).read(answer["run"]).result


def raw_cdm():
    return cdm_of_rows(tables_of(built_in(), OUTCOMES.values()), 1, name="GiBleed")


def expected_rows(number):
    if ORACLE is not None and GIBLEED is not None:
        return result_from_csv(reference(FILES[number]))[0].to_pylist()
    whole = run_study(study_from_yaml(STUDY), raw_cdm())
    ids = [each.result_id for each in whole.settings[2 * number : 2 * number + 2]]
    rows = [row for row in whole.table.to_pylist() if row["result_id"] in ids]
    return [{**row, "result_id": row["result_id"] - 2 * number} for row in rows]


def reference(name):
    with gzip.open(ORACLE / f"{name}.csv.gz") as file:
        return file.read()


@pytest.mark.parametrize("number", range(len(FILES)), ids=FILES)
def test_counts_person_days_and_intervals_equal_the_peers(result, number):
    expected = expected_rows(number)
    ids = [each.result_id for each in result.settings[2 * number : 2 * number + 2]]
    own = [row for row in result.table.to_pylist() if row["result_id"] in ids]
    assert len(own) == len(expected)
    for mine, wanted in zip(own, expected, strict=True):
        value, wanted_value = mine.pop("estimate_value"), wanted.pop("estimate_value")
        assert {**mine, "result_id": mine["result_id"] - 2 * number} == wanted
        if wanted["estimate_name"] in COUNTS:
            assert value == wanted_value
        else:
            assert float(value) == pytest.approx(float(wanted_value), abs=1e-6)


def test_cohort_and_denominator_rows_are_the_peers_rows(home):
    """Person numbers are the permit's; perimeter and vault, which only the test may join, lead back to GiBleed's."""
    folder, _ = home
    with open_home(folder) as enclosure:
        with enclosure.vault_engine() as engine:
            persons = engine.query("SELECT person_id, source_person_key FROM vault.person_map").to_pylist()
        original = {row["person_id"]: int(row["source_person_key"]) for row in persons}
        signed = active(enclosure, "FR-TEST-0001", ALICE)
        with reading_snapshot(enclosure) as (engine, snapshot):
            perimeter = perimeter_of(enclosure, "FR-TEST-0001", engine, snapshot)
            numbers = perimeter.rows()
            back = dict(zip(numbers["permit_person"].to_pylist(), numbers["person_id"].to_pylist(), strict=True))
            cdm = PermitCdm(
                signed.permit.terms,
                name="GiBleed",
                engine=engine,
                snapshot=snapshot,
                perimeter=perimeter,
                opted_out=(),
                check=lambda: None,
            )
            cohorts = cohort_table(study_from_yaml(STUDY), cdm).to_pylist()
            denominator = denominator_table(Population(), cdm).to_pylist()
    assert not set(back) & set(back.values())
    number = {name: str(at) for at, name in enumerate(OUTCOMES, start=1)}

    def rows(found, definition):
        return sorted(
            (
                definition(row),
                str(original[back[row["subject_id"]]]),
                str(row["cohort_start_date"]),
                str(row["cohort_end_date"]),
            )
            for row in found
        )

    assert rows(cohorts, lambda row: number[row["cohort_name"]]) == oracle_rows("ip_outcome_cohort", number)
    assert rows(denominator, lambda _row: "1") == oracle_rows("ip_denominator_cohort", number)


def oracle_rows(name, number):
    if ORACLE is None or GIBLEED is None:
        is_outcome = name == "ip_outcome_cohort"
        table = (
            cohort_table(study_from_yaml(STUDY), raw_cdm())
            if is_outcome
            else denominator_table(Population(), raw_cdm())
        )
        columns = ("subject_id", "cohort_start_date", "cohort_end_date")
        return sorted(
            (number[row["cohort_name"]] if is_outcome else "1", *(str(row[column]) for column in columns))
            for row in table.to_pylist()
        )
    reader = csv.DictReader(io.StringIO(reference(name).decode("utf-8")))
    columns = ("cohort_definition_id", "subject_id", "cohort_start_date", "cohort_end_date")
    return sorted(tuple(row[column] for column in columns) for row in reader)


def test_analyses_of_cohorts_are_the_same_through_a_permit(home):
    """The engine on the raw rows, itself held to the peers elsewhere, says what the chain must give."""
    folder, _ = home
    study = folder.parent / "following.yaml"
    study.write_text(FOLLOWING, encoding="utf-8")
    answer = run_cli("study", folder, study, "--permit", "FR-TEST-0001", "--user", ALICE)
    told = {each["analysis"] for each in answer["summary"]}
    assert {"summarise_characteristics", "summarise_drug_utilisation"} <= told
    with open_home(folder) as enclosure:
        key = enclosure.keys.secret(permit_key("FR-TEST-0001"))
        found = RunFiles(folder / "permits" / "FR-TEST-0001", key).read(answer["run"]).result
    raw = raw_cdm() if GIBLEED is None else cdm_of_parquet(GIBLEED, 1, name="GiBleed")
    expected = run_study(study_from_yaml(FOLLOWING), raw)
    assert found.table.equals(expected.table)
    assert [cell.key for cell in found.cells] == [cell.key for cell in expected.cells]
    counts = [(cell.n_numerator, cell.n_denominator) for cell in found.cells]
    assert counts == [(cell.n_numerator, cell.n_denominator) for cell in expected.cells]
    assessed = assess(found, 1)  # names of all drugs and days of the study file are among its labels
    assert [each.verdict for each in assessed.findings if each.rule is Rule.TYPED] == [Verdict.PASS]


SHOWN = """\
study: gibleed-shown
cohorts:
  gibleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
  bronchitis: {concepts: [260139], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
  - incidence: {outcome: gibleed, interval: [years, overall]}
  - characterise: {cohort: [gibleed, bronchitis], overlap: true}
"""
PERMITS = {  # who may look at what: access, potential identifiers, what is shown
    "FR-TEST-0011": ("aggregates", "[exact_dates, birth_month]", "releasable"),
    "FR-TEST-0012": ("rows", "[birth_month]", "releasable"),
    "FR-TEST-0013": ("rows", "[exact_dates, birth_month]", "whole"),
}


@pytest.mark.parametrize(
    "permit", ["FR-TEST-0011", pytest.param("FR-TEST-0012", marks=pytest.mark.slow), "FR-TEST-0013"]
)
def test_files_show_everything_only_to_who_may_see_the_rows_with_their_days(home, permit):
    folder, _ = home
    access, identifiers, shown = PERMITS[permit]
    text = permit_text(permit, period="{start: 1900-01-01, end: 2030-01-01}", access=access, identifiers=identifiers)
    for name, content in (("permit", text), ("shown", SHOWN)):
        (folder.parent / f"{name}.yaml").write_text(content, encoding="utf-8")
    run_cli("permit", "sign", folder, folder.parent / "permit.yaml")
    run_cli("permit", "open", folder, permit)
    out = folder.parent / permit
    arguments = ("study", folder, folder.parent / "shown.yaml", "--permit", permit, "--user", ALICE, "--out", out)
    answer = run_cli(*arguments)
    assert answer["shown"] == shown
    with open_home(folder) as enclosure:
        result = (
            RunFiles(folder / "permits" / permit, enclosure.keys.secret(permit_key(permit))).read(answer["run"]).result
        )
    if shown == "releasable":
        result = assess(result, 11).safe
    kinds = [] if result is None else [each.result_type for each in result.settings]
    tables = {path.name.partition("-")[2].removesuffix(".csv"): path for path in out.glob("*.csv")}
    assert sorted(tables) == sorted(kinds)
    assert all(path.stat().st_mode & 0o077 == 0 for path in out.iterdir())
    own = [] if result is None else result.of_type("incidence").to_pylist()
    with tables["incidence"].open(newline="") as file:
        written = [row["outcome_count"] for row in csv.DictReader(file)]
    assert written == [row["estimate_value"] for row in own if row["estimate_name"] == "outcome_count"]
    assert ("-" in written) == (shown == "releasable")
    assert len(list(out.glob("*.png"))) == len(list(out.glob("*.svg"))) > 0


def test_a_second_run_of_everything_changes_nothing(home):
    folder, answer = home
    delivery = folder.parent / "delivery"
    assert run_cli("ingest", folder, delivery)["n_new"] == 0
    again = run_cli("study", folder, folder.parent / "study.yaml", "--permit", "FR-TEST-0001", "--user", ALICE)
    assert again["already"]
    assert again["run"] == answer["run"]
    assert again["summary"] == answer["summary"]
    assert json.dumps(PASSPHRASE) not in json.dumps(again)
