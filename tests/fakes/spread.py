"""Buckets looked at elsewhere, as far as a test can tell: everything goes through bytes, in another order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from enclos.studies.model import Study
from enclos.studies.ports import Cdm
from enclos.studies.steps import Looker
from enclos.studies.work import Partial, Work, in_bytes, of_bytes


def spread_over(
    study: Study, cdm: Cdm, order: Callable[[Sequence[int]], Sequence[int]] = lambda buckets: buckets[::-1]
) -> Callable[[Work], Iterator[Partial]]:
    """Looks at the buckets in that order, and gives them back in theirs."""

    def spread(work: Work) -> Iterator[Partial]:
        head, tables = work.told()
        looker = Looker(study, Work.of(head, of_bytes(in_bytes(tables))))
        found: dict[int, bytes] = {}
        for number in order(cdm.buckets):
            with cdm.bucket(number) as bucket:
                found[number] = in_bytes(looker.look(bucket).tables())
        for number in cdm.buckets:
            yield Partial.of(of_bytes(found[number]))

    return spread
