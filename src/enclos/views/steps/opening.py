"""Opening a permit: who is in, and under what numbers."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import ViewTerms
from enclos.lexicon.ids import MAX_PERSONS, PERSON_BITS
from enclos.views.model import Numbered, Opened
from enclos.views.plans import OPTED_OUT, plan_candidates
from enclos.views.plans.population import COHORT_PERSONS
from enclos.views.ports import PerimeterStore, Randomness, Snapshot
from enclos.views.steps.registering import INCOMING, registered

_MAX_DRAWS = 64
_NUMBERED = pa.schema([("bucket", pa.int32()), ("person_id", pa.int64()), ("permit_person", pa.int64())])

UNNUMBERED = 0
"""Stands for a person who has no number yet."""


def open_view(
    terms: ViewTerms,
    *,
    engine: SqlEngine,
    snapshot: Snapshot,
    perimeter: PerimeterStore,
    randomness: Randomness,
    opted_out: Collection[int] = (),
    cohort: NDArray[np.int64] | None = None,
) -> Opened:
    """Write the permit's perimeter, and nothing else.

    In: cohort — the persons of the population's cohort definition, where it has one
    Opened again, on a later snapshot, everybody who is still in keeps their number.
    Out: one row per person: bucket, person_id, permit_person (secretly permuted, unique).
    Empty: a population without persons gives an empty perimeter.
    Refuses: VIEW_POPULATION.
    """
    known = perimeter.rows() if perimeter.exists() else _NUMBERED.empty_table()
    objecting = pa.table({"person_id": pa.array(sorted(opted_out), pa.int64())})
    persons_of_cohort = pa.table({"person_id": cohort if cohort is not None else np.zeros(0, np.int64)})
    with (
        registered(engine, OPTED_OUT, objecting),
        registered(engine, INCOMING, known),
        registered(engine, COHORT_PERSONS, persons_of_cohort),
    ):
        found = engine.query(
            f"SELECT now_in.bucket, now_in.person_id, known.permit_person FROM ({plan_candidates(terms, snapshot)}) "
            f"AS now_in LEFT JOIN {INCOMING} AS known USING (person_id) ORDER BY now_in.bucket, now_in.person_id"
        ).combine_chunks()
    persons = found["person_id"].to_numpy()
    known_numbers = found["permit_person"].fill_null(UNNUMBERED).to_numpy()
    numbers = numbered(known_numbers, perimeter.renumbered(Numbered.PERSON, persons), randomness)
    n_bytes = perimeter.write(found.set_column(2, "permit_person", pa.array(numbers)), terms)
    n_new = int(np.count_nonzero(known_numbers == UNNUMBERED))
    return Opened(snapshot.id, found.num_rows, n_new, n_bytes)


def numbered(known: NDArray[np.int64], own: NDArray[np.int64], randomness: Randomness) -> NDArray[np.int64]:
    """A number for everybody: the known ones stay, others have their own; where two are equal one is drawn anew.

    In: known — one number per person, UNNUMBERED where there is none yet; own — what each would have
    Out: numbers from 1 up to, not including, 2**43, all different.
    """
    is_new = known == UNNUMBERED
    numbers = np.where(is_new, own, known)
    for _ in range(_MAX_DRAWS):
        if numbers.size and not 0 <= int(numbers.min()) <= int(numbers.max()) < MAX_PERSONS:
            raise ValueError("random numbers are out of range")
        ordered = np.sort(numbers)
        twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        numbers[is_new & np.isin(numbers, twice)] = UNNUMBERED
        wanted = numbers == UNNUMBERED
        if not wanted.any():
            return numbers
        numbers[wanted] = randomness.numbers(int(np.count_nonzero(wanted)), PERSON_BITS)
    raise RuntimeError("the source of random numbers repeats itself")
