"""The permit's numbers of persons who are related to each other, across buckets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from enclos.contracts.sql import SqlEngine
from enclos.contracts.view import RELATIONS
from enclos.views.plans import plan_related, plan_relatives
from enclos.views.ports import Snapshot
from enclos.views.steps.registering import INCOMING, registered


class Relatives:
    """Looks each bucket's perimeter through once, when relations are first asked for; keeps 16 bytes a related person.

    In: shown — the persons of a bucket who are in: person_id, permit_person; objecting — who objects, asked each time
    """

    def __init__(
        self,
        engine: SqlEngine,
        snapshot: Snapshot,
        shown: Callable[[int], pa.Table],
        objecting: Callable[[], NDArray[np.int64]],
    ) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._shown = shown
        self._objecting = objecting
        self._numbers: pa.Table | None = None

    def __repr__(self) -> str:
        return "Relatives()"

    def prepare(self, bucket: int, engine: SqlEngine) -> None:
        """Have the numbers that the relations of a bucket join, on the connection that asks for them."""
        if RELATIONS not in self._snapshot.tables:
            return
        numbers = self._numbers = self._numbers if self._numbers is not None else self._look_through()
        still_in = numbers.filter(pa.array(~np.isin(numbers["number"].to_numpy(), self._objecting())))
        with registered(engine, INCOMING, still_in):
            engine.execute(plan_relatives(self._snapshot, bucket, INCOMING))

    def _look_through(self) -> pa.Table:
        related = self._engine.query(plan_related(self._snapshot))
        of_bucket, persons = (related[name].to_numpy() for name in ("bucket", "person_id"))
        numbers, shown = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for bucket in np.unique(of_bucket):
            rows = self._shown(int(bucket))
            found = rows.filter(pa.array(np.isin(rows["person_id"].to_numpy(), persons[of_bucket == bucket])))
            numbers.append(found["person_id"].to_numpy())
            shown.append(found["permit_person"].to_numpy())
        return pa.table({"number": np.concatenate(numbers), "shown": np.concatenate(shown)})
