"""The grouped scans of the profile equal the slow oracle on random CDMs, in one part or in several."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from enclos.stores.engine import open_engine
from enclos.warehouse.profile.model import N_STRATA, Profile
from enclos.warehouse.profile.steps import run_profile
from factories.dirty_cdm import as_relations, small_cdm
from oracle.profile import Cdm, Oracle

PROFILED_ON = date(2025, 6, 30)


def cdm_with_persons(seed: int, n_rows: int) -> Cdm:
    """A dirty CDM whose persons are unique, as the analyses presume; with rather more observation."""
    cdm = small_cdm(seed, n_rows, "5.4")
    cdm["observation_period"] = small_cdm(seed + 1, 3 * n_rows, "5.4")["observation_period"]
    unique = {row["person_id"]: row for row in cdm["person"] if row["person_id"] is not None}
    unique = unique or {1: cdm["person"][0] | {"person_id": 1}}
    return cdm | {"person": list(unique.values())}


def profiled(cdm: Cdm, n_parts: int) -> Profile:
    with open_engine(threads=1) as engine, as_relations(engine, cdm, "5.4") as relation:
        if n_parts == 1:
            return run_profile(engine, relation, profiled_on=PROFILED_ON)

        def bucketed(table: str) -> str | None:
            place = relation(table)
            if place is None or not cdm[table] or "person_id" not in cdm[table][0]:
                return place
            return f"(SELECT abs(coalesce(person_id, 0)) % {n_parts} AS bucket, * FROM {place})"

        return run_profile(engine, bucketed, profiled_on=PROFILED_ON, buckets=range(n_parts), rows_at_once=1)


def padded(key: tuple[str | None, ...]) -> tuple[str | None, ...]:
    return (*key, *(None,) * (N_STRATA - len(key)))


def near(mine: tuple[Any, ...], theirs: tuple[Any, ...]) -> bool:
    return all(
        a == b or (a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9))
        for a, b in zip(mine, theirs, strict=True)
    )


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), n_rows=st.integers(1, 14), n_parts=st.sampled_from((1, 3)))
def test_scans_equal_the_slow_oracle(seed: int, n_rows: int, n_parts: int) -> None:
    cdm = cdm_with_persons(seed, n_rows)
    profile, oracle = profiled(cdm, n_parts), Oracle(cdm)
    for analysis, expected in oracle.counts().items():
        mine = {row.strata: row.count_value for row in profile.of(analysis)}
        assert mine == {padded(key): n for key, n in expected.items()}, analysis
    for analysis, wanted in oracle.distributions().items():
        found = {row.strata: row[2:] for row in profile.of(analysis)}
        assert found.keys() == {padded(key) for key in wanted}, analysis
        for key, numbers in wanted.items():
            assert near(found[padded(key)], numbers), (analysis, key)
