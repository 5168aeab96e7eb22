"""Deliveries that arrive one after the other: what a build keeps is what making everything again would give."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factories.pseudonymised import Row, Snapshot, built
from factories.some_of_everything import delivery, everything

N_BUCKETS = 4
BUCKETS_OF_A_PASS, SLICES_OF_A_BUCKET = 250, 100
"""Lines in a pass, so that it holds some whole buckets or a part of one."""
SEEN: Counter[str] = Counter()
Tables = dict[str, list[Row]]


def arrivals(tables: Mapping[str, Sequence[Row]], draw: random.Random) -> list[Tables]:
    """The tables as they stand after each arrival; the vocabulary is there from the beginning.

    Arrivals are fluxes (some lines of any table or of one, corrections and late beneficiaries among them), a hospital
    that takes its records back and sends others later, a link that shows two persons to be one, and nothing new.
    """
    first = {"concept", "concept_relationship", "drug_strength"}
    waiting = [(name, row) for name, rows in tables.items() if name not in first for row in rows]
    draw.shuffle(waiting)
    now: Tables = {name: list(rows) for name, rows in tables.items() if name in first}
    states = []
    for event in ("flux", *draw.sample(("one table", "supersedes", "merger", "nothing"), 4), "flux"):
        SEEN[event] += 1
        if event == "supersedes":
            for name in [name for name in now if name.startswith("h_")]:
                now[name] = [row for row in now[name] if row["source"] != "hosp-a"]
        elif event == "merger":
            now = {name: [merged(row, 18, 1) for row in rows] for name, rows in now.items()}
            waiting = [(name, merged(row, 18, 1)) for name, row in waiting]
        elif event != "nothing":
            only = draw.choice(("prs", "pha", "mco_b", "h_lab", "cci", "ben")) if event == "one table" else ""
            come = [pair for pair in waiting if only in ("", pair[0])]
            for name, row in come if len(states) == 5 else come[: len(waiting) // 2]:
                now.setdefault(name, []).append(row)
            waiting = waiting if not come else [pair for pair in waiting if pair[1] not in now.get(pair[0], [])]
        states.append({name: list(rows) for name, rows in now.items()})
    return states


def merged(row: Row, given_up: int, stays: int) -> Row:
    return {**row, "person_id": stays} if row.get("person_id") == given_up else row


@contextmanager
def build(tables: Tables, lines_per_pass: int, **options: Any) -> Iterator[Snapshot]:
    with built(tables, n_buckets=N_BUCKETS, lines_per_pass=lines_per_pass, **options) as snapshot:
        yield snapshot


def state_of(snapshot: Snapshot) -> tuple[Any, ...]:
    report = snapshot.report
    return everything(snapshot), report.tables, report.account, report.unmapped


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_a_build_that_keeps_what_it_may_equals_one_that_makes_everything(seed: int) -> None:
    check_arrivals(seed, BUCKETS_OF_A_PASS)


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 10_000))
def test_so_it_is_where_a_pass_holds_a_part_of_a_bucket(seed: int) -> None:
    check_arrivals(seed, SLICES_OF_A_BUCKET)


def check_arrivals(seed: int, lines_per_pass: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - rows for a test
    found = []
    for number, tables in enumerate(arrivals(delivery(seed), draw)):
        with build(tables, lines_per_pass, full=number == 0) as snapshot:
            found.append((tables, state_of(snapshot)))
            SEEN["kept"] += number > 0 and len(snapshot.report.rebuilt) < len(snapshot.report.tables)
            assert snapshot.report.full == (number == 0)
    for tables, state in [draw.choice(found[1:-1]), found[-1]]:
        with build(tables, BUCKETS_OF_A_PASS, full=True, n_threads=2) as snapshot:
            assert state_of(snapshot) == state


def test_every_way_of_arriving_was_generated_and_something_kept() -> None:
    every = ("flux", "one table", "supersedes", "merger", "nothing", "kept")
    if not all(SEEN[event] for event in every):  # another process ran what counts them
        test_a_build_that_keeps_what_it_may_equals_one_that_makes_everything()
    assert all(SEEN[event] for event in every), SEEN
