"""The profile of GiBleed equals the slow oracle's; where the reference data is absent, that of the dirty CDM does.

Every twentieth person is taken: the oracle is slow.
"""

from __future__ import annotations

import math
from datetime import date

from enclos.stores.engine import open_engine
from enclos.warehouse.profile.model import N_STRATA, Profile
from enclos.warehouse.profile.steps import run_profile
from factories.dirty_cdm import as_relations, small_cdm
from oracle.profile import EVENTS, Cdm, Oracle
from shared_data import shared

GIBLEED = shared("omop", "gibleed")
EVERY = 20


def profiled() -> tuple[Profile, Cdm]:
    with open_engine() as engine:
        if GIBLEED is None:
            cdm = small_cdm(7, 12, "5.4")
            cdm["person"] = list({row["person_id"]: row for row in cdm["person"] if row["person_id"]}.values())
            with as_relations(engine, cdm, "5.4") as relation:
                return run_profile(engine, relation, profiled_on=date(2025, 6, 30)), cdm
        places = {path.stem: f"read_parquet('{path}')" for path in GIBLEED.glob("*.parquet")}
        tables = ("person", "observation_period", "death", *(table for table, *_ in EVENTS.values()))
        for table in tables:
            engine.execute(f"CREATE TABLE few_{table} AS SELECT * FROM {places[table]} WHERE person_id % {EVERY} = 0")
        profile = run_profile(
            engine,
            lambda table: f"few_{table}" if table in tables else places.get(table),
            profiled_on=date(2025, 6, 30),
        )
        return profile, {table: engine.query(f"FROM few_{table}").to_pylist() for table in tables}


def padded(key: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return (*key, *(None,) * (N_STRATA - len(key)))


def test_the_profile_is_what_plain_python_counts() -> None:
    profile, cdm = profiled()
    oracle = Oracle(cdm)
    n_rows = 0
    for analysis, expected in oracle.counts().items():
        mine = {row.strata: row.count_value for row in profile.of(analysis)}
        assert mine == {padded(key): n for key, n in expected.items()}, analysis
        n_rows += len(mine)
    for analysis, wanted in oracle.distributions().items():
        found = {row.strata: row[2:] for row in profile.of(analysis)}
        assert found.keys() == {padded(key) for key in wanted}, analysis
        for key, numbers in wanted.items():
            for mine, theirs in zip(found[padded(key)], numbers, strict=True):
                assert mine == theirs or math.isclose(mine, theirs, rel_tol=1e-9, abs_tol=1e-9), (analysis, key)  # type: ignore[arg-type]
    assert n_rows > (10_000 if GIBLEED else 200)
