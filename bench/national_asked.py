"""What the national run asks for: twenty permits, the studies of every kind, and which releases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from enclos.synthetic.vocabulary import condition_id, ingredient_id

ALICE, CAROL, DAN = "alice@example.org", "carol@example.org", "dan@example.org"
"""Who asks, and the two who decide what leaves."""
AGGREGATES, ROWS = "FR-NATIONAL-0001", "FR-NATIONAL-0002"
"""Two permits for everybody: of numbers alone, and of rows with their days."""
_CARE = ("person", "observation_period", "death", "visit_occurrence", "condition_occurrence", "drug_exposure")
_DRUGS = ("person", "observation_period", "death", "drug_exposure", "drug_era", "condition_occurrence")


@dataclass(frozen=True)
class Permit:
    """What one permit covers."""

    id: str
    population: str
    first_year: int
    """Of the data that it shows, to the end of the last year."""
    last_year: int
    tables: tuple[str, ...] = ()
    """All, when none is named."""
    rows: bool = False

    def text(self, now: datetime) -> str:
        """The document, in force from the day before."""
        tables = f"{{{', '.join(f'{table}: all' for table in self.tables)}}}" if self.tables else "all"
        identifiers = "[birth_month, exact_dates, death_date]" if self.rows else "[]"
        start = now.replace(microsecond=0) - timedelta(days=1)
        return f"""\
permit: {self.id}
holder: {{organisation: "CHU de Demain", investigator: {ALICE}}}
users: [{{id: {ALICE}, role: researcher}}]
purpose: {{article: "53(1)(e)", text: "A measured run at the size of a national sample"}}
legal_basis: ehds-permit
data:
  tables: {tables}
  population: {self.population}
  period: {{start: {self.first_year}-01-01, end: {self.last_year + 1}-01-01}}
  potential_identifiers: {identifiers}
access: {"rows" if self.rows else "aggregates"}
opt_out: {{applied: true, as_of: now}}
disclosure: {{min_count: 11}}
valid: {{from: {start:%Y-%m-%dT%H:%M:%SZ}, until: {start + timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}}}
"""


def permits(years: tuple[int, int]) -> list[Permit]:
    """Twenty permits that overlap: everybody, samples, places, sources, diagnoses, controls; some years, tables."""
    first, last = years
    middle = (first + last) // 2
    bleed, heart = condition_id("K922"), condition_id("I21")
    asked: list[tuple[str, int, tuple[str, ...]]] = [
        ("{sample_percent: 0.1, seed: 1}", first, ()),
        ("{sample_percent: 1, seed: 1}", first, ()),
        ("{sample_percent: 1, seed: 2}", middle, _CARE),
        ("{sample_percent: 2, seed: 3}", last, ()),
        ("{sample_percent: 5, seed: 4}", first, _DRUGS),
        ("{sample_percent: 10, seed: 5}", first, ()),
        ("{sample_percent: 10, seed: 6}", middle, _CARE),
        ("{sample_percent: 50, seed: 7}", last, _DRUGS),
        ("all", last, ()),
        ("all", middle, _CARE),
        ('{region: "11"}', first, ()),
        ('{region: "93"}', middle, _DRUGS),
        ('{departments: ["75", "2A"]}', first, _CARE),
        ('{departments: ["59", "62"]}', last, ()),
        ("{source: hosp-a}", first, ()),
        ("{source: hosp-c}", first, _CARE),
        (f"{{concepts: [{bleed}], descendants: true, domain: condition}}", first, ()),
        (
            f"{{controls_of: {{concepts: [{heart}], descendants: true, domain: condition}}, per_case: 2, seed: 8}}",
            first,
            (),
        ),
    ]
    return [
        Permit(AGGREGATES, "all", first, last),
        Permit(ROWS, "all", first, last, rows=True),
        *(
            Permit(f"FR-NATIONAL-{number:04d}", population, since, last, tables)
            for number, (population, since, tables) in enumerate(asked, start=3)
        ),
    ]


@dataclass(frozen=True)
class Study:
    """One study: under which permit, its text, whether its result is asked to leave."""

    name: str
    permit: str
    text: str
    release: bool = True


def studies(years: tuple[int, int], truth: Mapping[str, str]) -> list[Study]:
    """The truth's own studies, one of every other kind on everybody, and a first one under each other permit.

    In: truth — the text of each study of the synthetic France, by its name
    """
    head, statin = _cohorts(), ingredient_id("atorvastatin")
    span = f"[{years[0]}-01-01, {years[1]}-12-31]"
    kinds = {
        "standardised": f"""
      incidence: {{outcome: [bleed, infarction], interval: [years, overall], sex: [both, male, female],
                  standardise: esp2013, date_range: {span}}}""",
        "prevalence": """
      prevalence: {outcome: [diabetes, statin], type: period, interval: years, strata: [sex, [age_group, sex]],
                   strata_age_groups: [[0, 49], [50, 69], [70, 150]]}""",
        "at-risk-in-a-cohort": """
      incidence: {outcome: bleed, target: rivaroxaban, time_at_risk: [[0, 90], [91, null]],
                  days_prior_observation: 365, interval: [overall]}""",
        "characterise": """
      characterise: {cohort: [rivaroxaban, apixaban], age_groups: [[0, 59], [60, 79], [80, 150]], strata: [sex],
                     intersect: [{cohort: bleed, window: [null, -1], label: bleed_before}], overlap: true,
                     timing: first, standardised_differences: true,
                     large_scale: {windows: [[-365, -1], [0, 0], [1, 365]],
                                   event_in_window: [condition, procedure], episode_in_window: drug}}""",
        "utilisation": f"""
      utilisation: {{cohort: [statin], exposures: [statin], gap_era: 30, ingredient: {statin},
                    indication: {{cohort: [diabetes, infarction], windows: [[-30, 0], [null, 0]], unknown: condition}},
                    dose_coverage: [{statin}], covered_days: 180,
                    restart: {{switch: [rosuvastatin], days: [30, 180, null]}}}}""",
        "survival": """
      survival: {target: [rivaroxaban, apixaban], outcome: [bleed, infarction], outcome_washout: all,
                 follow_up_days: 1825, event_gap: 365, strata: [sex]}""",
        "pathways": """
      pathways: {target: diabetes, treatments: [metformin, glimepiride, statin], follow_up_days: 730,
                 filter_treatments: changes}""",
        "diagnose": """
      diagnose: {cohort: [rivaroxaban, bleed], age_groups: [[0, 59], [60, 79], [80, 150]], strata: sex,
                 interval: years}""",
        "sccs": """
      sccs: {exposure: [rivaroxaban, apixaban], outcome: bleed_again, first_outcome_only: true,
             calendar_spline: true, windows: {exposed: {}, after: {start: 1, start_anchor: end, end: 30}},
             negative_controls: infarction}""",
        "self-controlled-cohort": """
      self_controlled_cohort: {exposure: rivaroxaban, outcome: bleed, risk_window: [1, 30],
                               control_window: [-30, -1]}""",
        "case-crossover": """
      case_crossover: {exposure: rivaroxaban, outcome: bleed, risk_window: [-30, 0], control_offsets: [-60, -120]}""",
        "case-control": """
      case_control: {exposure: rivaroxaban, outcome: bleed, controls: 4, seed: 20261128, age_caliper_years: 2}""",
    }
    found = [Study(f"truth-{name}", ROWS, text) for name, text in sorted(truth.items())]
    found += [
        Study(name, AGGREGATES, f"study: {name}\n{head}analyses:\n  -{analysis}\n") for name, analysis in kinds.items()
    ]
    found.append(Study("derived", AGGREGATES, _derived(head)))
    others = [permit for permit in permits(years) if permit.id not in (AGGREGATES, ROWS)]
    return found + [
        Study(f"first-{permit.id[-4:]}", permit.id, truth["first"], release=number % 3 == 0)
        for number, permit in enumerate(others)
    ]


def _cohorts() -> str:
    drugs = ("rivaroxaban", "apixaban", "rosuvastatin", "metformin", "glimepiride")
    lines = [f"  {drug}: {_drug(ingredient_id(drug))}" for drug in drugs]
    lines.append(f"  statin: {_drug(ingredient_id('atorvastatin'))}")
    for name, code, limit in (
        ("bleed", "K922", "first"),
        ("bleed_again", "K922", "all"),
        ("infarction", "I21", "first"),
        ("diabetes", "E119", "first"),
    ):
        which = f"concepts: [{condition_id(code)}], descendants: true, domain: condition"
        lines.append(f"  {name}: {{{which}, limit: {limit}, end: event_end}}")
    return "cohorts:\n" + "\n".join(lines) + "\n"


def _drug(ingredient: int) -> str:
    return f"{{concepts: [{ingredient}], descendants: true, domain: drug, limit: all, end: event_end, gap_era: 45}}"


def _derived(head: str) -> str:
    made = """\
  anticoagulant: {union: [rivaroxaban, apixaban]}
  new: {first: anticoagulant}
  adults: {require: {cohort: new, ages: [40, 90], days_prior_observation: 365}}
  free: {exclude: {cohort: adults, other: bleed, window: [null, 0]}}
  thousand: {sampled: {cohort: free, number: 1000, seed: 20261128}}
  like_them: {matched: {cohort: thousand, traits: [sex, year_of_birth], ratio: 2, seed: 20261128}}
"""
    analysis = "characterise: {cohort: [free, thousand, like_them], age_groups: [[40, 69], [70, 90]], strata: [sex]}"
    return f"study: derived\n{head}{made}analyses:\n  - {analysis}\n"
