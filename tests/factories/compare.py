"""A small CDM with two drugs, an outcome and confounding that conditions show, drawn with a known hazard ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from fakes.cdm import CdmOfTables, cdm_of_rows

TARGET, COMPARATOR, OUTCOME, FIRST_CONTROL, FIRST_CONDITION = 1001, 1002, 2001, 3001, 4001
START = 10_957
"""1 January 2000."""
N_DAYS = 4 * 365


@dataclass(frozen=True, slots=True)
class World:
    """What is true."""

    n_persons: int = 1500
    hazard_ratio: float = 1.0
    base_hazard: float = 0.05
    """Of the outcome, a year, for somebody without any condition; rare, so that ratios in all and in some are one."""
    n_conditions: int = 6
    choice: float = 0.8
    """How much the first three conditions raise the log odds of the target drug, each."""
    harm: float = 0.6
    """How much they raise the log hazard of the outcome, each."""
    n_controls: int = 0
    hidden: float = 0.0
    """How much something that nobody records raises both."""


def world_tables(world: World, seed: int) -> dict[str, pa.Table]:
    """The tables of a CDM in which every person begins one of the drugs."""
    rng = np.random.default_rng(seed)
    n = world.n_persons
    person = np.arange(1, n + 1)
    female = rng.random(n) < 0.5
    born = rng.integers(1930, 1970, n)
    conditions = rng.random((n, world.n_conditions)) < 0.3
    hidden = rng.standard_normal(n) * world.hidden
    confounders = conditions[:, :3].sum(axis=1)
    odds = world.choice * (confounders - 0.9) + hidden
    treated = rng.random(n) < 1 / (1 + np.exp(-odds))
    entry = START + rng.integers(400, 730, n)
    lasts = rng.integers(60, 720, n)
    observed_last = np.full(n, START + N_DAYS - 1)
    risk = np.exp(world.harm * confounders + hidden)
    hazard = world.base_hazard * risk * np.where(treated, world.hazard_ratio, 1.0) / 365.25
    event = entry + 1 + rng.exponential(1 / hazard).astype(np.int64)
    happened = event <= observed_last
    has, which = np.nonzero(conditions)
    records = [
        (person[has], FIRST_CONDITION + which, entry[has] - rng.integers(1, 300, len(has))),
        (person[happened], np.full(int(happened.sum()), OUTCOME), event[happened]),
    ]
    for control in range(world.n_controls):
        at = entry + 1 + rng.exponential(365.25 / (world.base_hazard * risk)).astype(np.int64)
        inside = at <= observed_last
        records.append((person[inside], np.full(int(inside.sum()), FIRST_CONTROL + control), at[inside]))
    persons, concepts, days = (np.concatenate(parts) for parts in zip(*records, strict=True))
    ids = [TARGET, COMPARATOR, OUTCOME, *range(FIRST_CONTROL, FIRST_CONTROL + world.n_controls)]
    ids += range(FIRST_CONDITION, FIRST_CONDITION + world.n_conditions)
    return {
        "person": pa.table(
            {
                "person_id": person,
                "gender_concept_id": np.where(female, 8532, 8507),
                "year_of_birth": born,
                "month_of_birth": np.full(n, 1),
                "day_of_birth": np.full(n, 1),
                "location_id": np.full(n, 1),
            }
        ),
        "observation_period": pa.table(
            {
                "person_id": person,
                "observation_period_start_date": _dates(np.full(n, START)),
                "observation_period_end_date": _dates(observed_last),
            }
        ),
        "condition_occurrence": pa.table(
            {
                "person_id": persons,
                "condition_concept_id": concepts,
                "condition_start_date": _dates(days),
                "condition_end_date": _dates(days),
            }
        ),
        "drug_exposure": pa.table(
            {
                "person_id": person,
                "drug_concept_id": np.where(treated, TARGET, COMPARATOR),
                "drug_exposure_start_date": _dates(entry),
                "drug_exposure_end_date": _dates(np.minimum(entry + lasts, observed_last)),
                "drug_type_concept_id": np.full(n, 32869),
                "drug_source_concept_id": np.full(n, 0),
                "quantity": np.full(n, 1.0),
            }
        ),
        "concept": pa.table({"concept_id": ids, "concept_name": [f"concept {each}" for each in ids]}),
    }


def world_cdm(world: World, seed: int, n_buckets: int = 1) -> CdmOfTables:
    """The CDM of a world."""
    return cdm_of_rows(world_tables(world, seed), n_buckets)


def _dates(days: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32), pa.int32()).cast(pa.date32())


def study_text(options: str = "", n_controls: int = 0) -> str:
    """A comparison of the two drugs.

    In: options — further lines of the analysis, indented by six blanks
    """
    controls = [f"control_{at}" for at in range(n_controls)]
    cohorts = "\n".join(
        f"  {name}: {{concepts: [{FIRST_CONTROL + at}], domain: condition, limit: all, end: event_end}}"
        for at, name in enumerate(controls)
    )
    listed = f"      negative_controls: [{', '.join(controls)}]\n" if controls else ""
    return f"""
study: compared
cohorts:
  new: {{concepts: [{TARGET}], domain: drug, limit: first, end: event_end}}
  old: {{concepts: [{COMPARATOR}], domain: drug, limit: first, end: event_end}}
  harm: {{concepts: [{OUTCOME}], domain: condition, limit: all, end: event_end}}
{cohorts}
analyses:
  - compare:
      target: new
      comparator: old
      outcome: harm
{listed}{options}"""
