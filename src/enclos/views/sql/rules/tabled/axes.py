"""Which keys say the same in other words, so that groups of one tell those of the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from enclos.views.sql.rules.tabled.columns import Reader, joins_of, using


@dataclass(slots=True)
class _Axes:
    """Columns that say the same in other words."""

    reader: Reader
    same: dict[str, str] = field(default_factory=dict)

    def node(self, column: exp.Column) -> str:
        """What a column is: itself, or all of its vocabulary table."""
        called, table = self.reader.home(column)
        return called if table in self.reader.nouns.open else f"{called}.{column.name.lower()}"

    def root(self, node: str) -> str:
        """What stands for all that say the same."""
        while node in self.same:
            node = self.same[node]
        return node

    def join(self, one: str, other: str) -> None:
        """From now on two say the same."""
        if self.root(one) != self.root(other):
            self.same[self.root(one)] = self.root(other)

    def look_up(self, join: exp.Join) -> None:
        """A vocabulary table says the same as the code that leads to it."""
        reader, called = self.reader, str(join.this.alias or join.this.name).lower()
        condition = join.args.get("on")
        for pair in condition.find_all(exp.EQ) if condition is not None else ():
            if isinstance(pair.left, exp.Column) and isinstance(pair.right, exp.Column):
                self.join(self.node(pair.left), self.node(pair.right))
        for name in using(join):
            for other, table in reader.tables.items():
                if other != called and name.lower() in reader.types[table]:
                    self.join(called, other if table in reader.nouns.open else f"{other}.{name.lower()}")


def axes_of(values: Sequence[exp.Expr], reader: Reader) -> list[int]:
    """Keys that come from the same column are of one axis; so are a code and what vocabulary tables say of it."""
    axes = _Axes(reader)
    for each in joins_of(reader.select):
        if each.this.name.lower() in reader.nouns.open:
            axes.look_up(each)
    nodes = [
        [axes.node(column) for column in value.find_all(exp.Column)] or [f"#{at}"] for at, value in enumerate(values)
    ]
    for first, *others in nodes:
        for other in others:
            axes.join(first, other)
    numbers: dict[str, int] = {}
    return [numbers.setdefault(axes.root(first), len(numbers)) for first, *_ in nodes]
