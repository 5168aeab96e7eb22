"""What follows from counts alone: shares, sets of tables, and the zero that an analysis without rows must say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from enclos.warehouse.profile.catalogue import DOMAINS, Domain
from enclos.warehouse.profile.model import CountRow, Strata

Sets = Mapping[tuple[int, int], int]
"""Persons by the bits of the domains they have any record of, and any record inside observation."""

_BOTH = {2000: (400, 700), 2001: (400, 600), 2002: (1800, 400, 700), 2003: (200,)}
_N_MARKS = 7


def strata(*values: str | None) -> Strata:
    """Five strata, the missing ones empty."""
    one, two, three, four, five = [*values, None, None, None, None, None][:5]
    return one, two, three, four, five


def share_text(part: int, whole: int) -> str | None:
    """A share as the peer writes it; None of nothing."""
    return repr(part / whole) if whole else None


def outside_rows(domain: Domain, n_outside: int, n_all: int, persons_outside: int, persons: int) -> Iterator[CountRow]:
    """Whether something lies outside observation, with shares of persons and of records."""
    for offset, part, whole in ((31, persons_outside, persons), (32, n_outside, n_all)):
        yield CountRow(domain.base + offset, strata(share_text(part, whole), str(part), str(whole)), int(part > 0))


def rows_of_values(by_value: Mapping[str | None, tuple[int, int]]) -> Iterator[CountRow]:
    """Measurements with and without a value (1811, 1814, 1819, 1833).

    In: by concept, records without and with a value.
    """
    without = sum(n for n, _ in by_value.values())
    yield CountRow(1811, strata(), sum(n for _, n in by_value.values()))
    yield CountRow(1814, strata(), without)
    for concept, (lacking, valued) in by_value.items():
        if valued:
            yield CountRow(1819, strata(concept), valued)
        total = lacking + valued
        yield CountRow(1833, strata(concept, str(lacking), f"{lacking / total:.6f}"), total)


def rows_of_sets(sets: Sets, n_persons: int) -> Iterator[CountRow]:
    """Persons who are in several tables at once (2000–2004).

    The bit string of 2004 reads condition, drug, device, measurement, death, procedure, observation.
    """
    bits = {domain.base: 1 << number for number, domain in enumerate(DOMAINS)}
    for analysis, bases in _BOTH.items():
        wanted = sum(bits[base] for base in bases)
        n = sum(count for (_, inside), count in sets.items() if inside & wanted == wanted)
        yield CountRow(analysis, strata(), n)
    marked = {domain.mark: bits[domain.base] for domain in DOMAINS if domain.mark is not None}
    for mask in range(1, 1 << _N_MARKS):
        wanted = sum(bit for mark, bit in marked.items() if mask >> mark & 1)
        n = sum(count for (any_bits, _), count in sets.items() if any_bits & wanted == wanted)
        yield CountRow(2004, strata(f"{mask:0{_N_MARKS}b}", share_text(n, n_persons)), n)
