"""The exposures that make the eras by which cohorts end."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from enclos.studies.circe.domains import Domain
from enclos.studies.circe.model import Criterion, DrugEraEnd
from enclos.studies.circe.plans import entries
from enclos.studies.circe.rules.columns import NEVER, Events, Integers, integers
from enclos.studies.circe.tables import Tables

_COLUMNS = ("person_id", "start_date", "end_date")


def exposures(
    tables: Tables, ends: Mapping[int, DrugEraEnd], entered: Mapping[int, Events], few: Collection[int] | None
) -> Mapping[int, Sequence[Integers]]:
    """Of each cohort the exposures that make its eras, some of them twice: persons, first days, last days.

    In: ends — how cohorts end; entered — exposures by concept that are read already; few — as for ``plan_exposures``
    """
    found: dict[int, list[Sequence[Integers]]] = {number: [] for number in ends}
    for number, events in entered.items():
        found[number].append((events.person, events.start, events.end))
    left = {}
    for number, end in ends.items():
        if (kept := _kept(tables, end, by_concept=number not in entered)) is None:
            left[number] = end
        else:
            found[number] += kept
    if left:
        rows = tables.bucket.query(entries.plan_exposures(left, entered, tables.reading, few))
        columns = [integers(rows[name]) for name in _COLUMNS]
        cohort = rows["cohort"].to_numpy()
        for number in left:
            found[number].append(columns if len(left) == 1 else [column[cohort == number] for column in columns])
    return {number: _together(parts) for number, parts in found.items()}


def exposures_by_concept(end: DrugEraEnd) -> Criterion:
    """The criterion whose events are the exposures of an era, but for those by source concept."""
    return Criterion(Domain.DRUG_EXPOSURE, end.concept_set)


def _kept(tables: Tables, end: DrugEraEnd, *, by_concept: bool) -> list[Sequence[Integers]] | None:
    """Exposures as they are kept, by source concept and where asked by concept; None where they have to be read."""
    of_source = Criterion(Domain.DRUG_EXPOSURE, source_set=end.concept_set)
    asked = [of_source, exposures_by_concept(end)] if by_concept else [of_source]
    parts: list[Sequence[Integers]] = []
    for criterion in asked:
        if (events := tables.events(criterion, _COLUMNS)) is None:
            return None
        dated = events.at(events.start != NEVER)
        parts.append((dated.person, dated.start, dated.end))
    return parts


def _together(parts: Sequence[Sequence[Integers]]) -> Sequence[Integers]:
    some = [part for part in parts if len(part[0])] or parts[:1]
    return some[0] if len(some) == 1 else [np.concatenate(columns) for columns in zip(*some, strict=True)]
