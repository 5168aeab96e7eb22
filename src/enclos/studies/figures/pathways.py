"""Sequences of treatments as ribbons between steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import altair as alt

from enclos.studies.figures.model import Figure, Kind, Point, Say
from enclos.studies.figures.style import INK, colour, is_narrow
from enclos.studies.pathways.rules import NO_PATH, THEN

_MOST_NAMES = 7
"""So many treatments are told apart; the others are drawn together."""
_N_PIECES = 24
_NODE = 0.035
"""Half the breadth of a node, in steps."""
_GAP = 0.03
"""The space between two nodes, as a share of all."""


@dataclass(frozen=True, slots=True)
class Node:
    """The persons who have a treatment at a step, as a bar from ``low`` to ``high``. Units: persons."""

    step: int
    name: str
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Ribbon:
    """The persons who go from one node to one of the next step, and where it leaves and arrives."""

    step: int
    start: str
    end: str
    n: int
    low: float
    end_low: float


def sankey(paths: Sequence[tuple[tuple[str, ...], int]]) -> tuple[list[Node], list[Ribbon]]:
    """Nodes and ribbons of paths; a ribbon is as broad as the persons who go along it.

    In: paths — treatments in their order with the number of persons; whose path ends goes no further
    """
    at: Counter[tuple[int, str]] = Counter()
    going: Counter[tuple[int, str, str]] = Counter()
    for path, n in paths:
        for step, name in enumerate(path):
            at[step, name] += n
            if step:
                going[step - 1, path[step - 1], name] += n
    n_steps = 1 + max((step for step, _ in at), default=-1)
    gap = _GAP * max((sum(n for (step, _), n in at.items() if step == each) for each in range(n_steps)), default=0)
    order = [name for name, _ in sorted(_totals(at).items(), key=lambda each: (-each[1], each[0]))]
    nodes: dict[tuple[int, str], Node] = {}
    for step in range(n_steps):
        low = 0.0
        for name in order:
            if n := at[step, name]:
                nodes[step, name] = Node(step, name, n, low, low + n)
                low += n + gap
    leaving, arriving = Counter[tuple[int, str]](), Counter[tuple[int, str]]()
    ribbons = []
    for step, start, end in sorted(going, key=lambda each: (each[0], order.index(each[1]), order.index(each[2]))):
        n = going[step, start, end]
        low = nodes[step, start].low + leaving[step, start]
        end_low = nodes[step + 1, end].low + arriving[step + 1, end]
        ribbons.append(Ribbon(step, start, end, n, low, end_low))
        leaving[step, start] += n
        arriving[step + 1, end] += n
    return list(nodes.values()), ribbons


def _totals(at: Counter[tuple[int, str]]) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (_, name), n in at.items():
        totals[name] += n
    return totals


def _outline(number: int, ribbon: Ribbon) -> list[dict[str, Any]]:
    """The ribbon's lower and upper edge, which turn smoothly from one height to the other."""
    begin, stop = ribbon.step + _NODE, ribbon.step + 1 - _NODE
    pieces = []
    for piece in range(_N_PIECES + 1):
        way = piece / _N_PIECES
        turned = way * way * (3 - 2 * way)
        low = ribbon.low + (ribbon.end_low - ribbon.low) * turned
        pieces.append(
            {
                "ribbon": number,
                "name": ribbon.start,
                "x": round(begin + (stop - begin) * way, 5),
                "low": round(low, 4),
                "high": round(low + ribbon.n, 4),
            }
        )
    return pieces


def pathway_figures(kind: Kind, say: Say) -> list[Figure]:
    """One picture per target and stratum; persons without a treatment and withheld paths are not drawn."""
    groups: dict[tuple[int, str, str], list[Point]] = {}
    for point in kind.points:
        groups.setdefault((point.result_id, point.group["target_cohort"], point.stratum), []).append(point)
    figures = []
    for (_, target, stratum), points in groups.items():
        counted = [(tuple(p.level.split(THEN)), p.number("count")) for p in points if p.level != NO_PATH]
        paths = [(path, int(n)) for path, n in counted if n]
        if not paths:
            continue
        nodes, ribbons = sankey(_with_few_names(paths, say("others")))
        n_persons = sum(n for _, n in paths)
        title = say("Sequences of treatments after {target}", target=target) + (f": {stratum}" if stratum else "")
        said = say(
            "{n} persons with a treatment, from left to right by step; a ribbon is as broad as the persons who go "
            "along it, and whose sequence ends goes no further.",
            n=n_persons,
        )
        data = {
            "nodes": [_bar(node) for node in nodes],
            "ribbons": [piece for number, ribbon in enumerate(ribbons) for piece in _outline(number, ribbon)],
        }
        labels = list(dict.fromkeys(node.name for node in nodes))
        n_steps = 1 + max(node.step for node in nodes)
        figures.append(Figure(title, said, data, partial(_chart, labels, n_steps, say)))
    return figures


def _bar(node: Node) -> dict[str, Any]:
    return {
        "x": node.step - _NODE,
        "x2": node.step + _NODE,
        "beside": node.step + _NODE,
        "middle": (node.low + node.high) / 2,
        "low": node.low,
        "high": node.high,
        "n": node.n,
        "step": node.step + 1,
        "name": node.name,
    }


def _with_few_names(paths: Sequence[tuple[tuple[str, ...], int]], others: str) -> list[tuple[tuple[str, ...], int]]:
    totals: Counter[str] = Counter()
    for path, n in paths:
        for name in path:
            totals[name] += n
    if len(totals) <= _MOST_NAMES + 1:
        return list(paths)
    kept = {name for name, _ in sorted(totals.items(), key=lambda each: (-each[1], each[0]))[:_MOST_NAMES]}
    return [(tuple(name if name in kept else others for name in path), n) for path, n in paths]


def _chart(labels: list[str], n_steps: int, say: Say, width: int) -> Any:
    height = 300 if is_narrow(width) else 360
    ticks = list(range(n_steps))
    axis = alt.Axis(values=ticks, labelExpr="datum.value + 1", grid=False, domain=False, ticks=False, title=say("step"))
    scale = alt.Scale(domain=[-0.1, n_steps - 1 + 0.3], nice=False)
    y = alt.Y("low:Q", axis=None, scale=alt.Scale(reverse=True, nice=False, zero=True))
    hues = colour(labels, width, "name")
    ribbons = (
        alt.Chart(alt.NamedData("ribbons"), width=width - 20, height=height)
        .mark_area(opacity=0.45)
        .encode(x=alt.X("x:Q", scale=scale, axis=axis), y=y, y2="high:Q", color=hues, detail="ribbon:N")
    )
    base = alt.Chart(alt.NamedData("nodes"))
    bars = base.mark_rect(opacity=1, stroke="#ffffff", strokeWidth=0.5).encode(
        x=alt.X("x:Q", scale=scale, axis=axis), x2="x2:Q", y=y, y2="high:Q", color=hues
    )
    texts = base.mark_text(align="left", dx=4, fontSize=11, color=INK).encode(
        x=alt.X("beside:Q", scale=scale), y=alt.Y("middle:Q", axis=None), text=alt.Text("n:Q", format=",d")
    )
    return alt.layer(ribbons, bars, texts)
