"""Days lost and events had by the persons of shown rates, and those that other days leave to a few (``followed``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from enclos.lexicon.verdicts import Verdict
from enclos.release.followed import AFTER, DAYS, EVENTS, Followed, few_between
from enclos.release.model import Finding, Rule, Stretch
from enclos.release.rules.arrays import Bools
from enclos.release.rules.cells import Reading
from enclos.release.rules.numbers import Numbers


def stretches_of(reading: Reading, numbers: Numbers, hidden: Bools) -> Iterable[Stretch]:
    """The days that were lost and the events that were had of every number that is shown."""
    for at, cell in enumerate(reading.cells):
        first, last = (day.toordinal() for day in (cell.window.first_on, cell.window.last_on))
        time, behind = numbers.time_of[at], cell.cell
        if time is not None and cell.time is not None and not hidden[time] and cell.denominator:
            lost = cell.denominator * cell.window.n_days - cell.time
            yield Stretch(behind.dense_denominator, DAYS, first, last, lost)
            if cell.n_days_lost is not None:
                yield Stretch(behind.dense_denominator, AFTER, *cell.stratum.at_risk, cell.n_days_lost)
        if not hidden[numbers.numerator_of[at]] and cell.time is not None and behind.n_numerator:
            yield Stretch(behind.dense_numerator, EVENTS, first, last, cell.numerator)


def said_of_stretches(stretches: Sequence[Stretch], k: int) -> Iterable[Finding]:
    """A refusal where rates of one request leave few days or events between them; nothing where none do."""
    own = [Followed(each.kind, each.persons.serialize(), each.first, each.last, each.amount) for each in stretches]
    n_telling = sum(1 for _ in few_between(own, own, k))
    if n_telling:
        said = f"{n_telling} rate(s) of the same persons in other days leave fewer than {k} days or events between them"
        yield Finding(Rule.ATTACK, Verdict.REFUSE, said)
