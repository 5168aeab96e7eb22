"""A page with pictures from bench/history.jsonl: each ratio, its goal, its history, and what became worse beyond noise.

**Noise.** Ratios are compared as logarithms, among lines of the same machine (processor and cores). The noise of a
ratio is 1.4826 times the median absolute difference between one line and the next, divided by the square root of 2,
which a step from one level to another hardly moves; at least 3 %. With fewer than five lines it is not known and is
taken as 15 %. A ratio is a regression when it is worse than the median of the up to eight lines before it by more than
three times its noise. Of a normal noise about one ratio in 350 is called so by chance.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

LEAST_NOISE, UNKNOWN_NOISE, BEYOND = 0.03, 0.15, 3.0
N_FOR_NOISE, N_BEFORE = 5, 8
WIDTH, HEIGHT, EDGE = 260, 56, 6
STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #5a5a5a; --line: #c8c8c8; --paper: #fff; --band: #0072b233;
  --mark: #0072b2; --bad: #a33a00 }
@media (prefers-color-scheme: dark) { :root { --ink: #ececec; --soft: #b4b4b4; --line: #4a4a4a; --paper: #161616;
  --band: #56b4e944; --mark: #56b4e9; --bad: #ff9d5c } }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--ink);
  background: var(--paper) }
.wide { overflow-x: auto } table { border-collapse: collapse; width: 100% }
caption { text-align: left; color: var(--soft) }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line) }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.worse { color: var(--bad); font-weight: 600 } .soft { color: var(--soft) }
svg { display: block } .band { fill: var(--band) } .goal { stroke: var(--soft); stroke-dasharray: 4 3 }
.way { fill: none; stroke: var(--mark); stroke-width: 1.5 } .dot { fill: var(--mark) } .last.worse { fill: var(--bad) }
"""


@dataclass(frozen=True)
class Series:
    """One ratio over time on one machine, oldest first."""

    name: str
    script: str
    better: str
    goal: float | None
    at: tuple[str, ...]
    ratios: tuple[float, ...]

    @property
    def noise(self) -> float:
        """The noise of its logarithm."""
        logs = [math.log(each) for each in self.ratios]
        if len(logs) < N_FOR_NOISE:
            return UNKNOWN_NOISE
        steps = [abs(after - before) for before, after in pairwise(logs)]
        return max(LEAST_NOISE, 1.4826 * median(steps) / math.sqrt(2))

    @property
    def before(self) -> float | None:
        """What it is compared with: the median of the lines before; None at the first."""
        earlier = self.ratios[-1 - N_BEFORE : -1]
        return median(earlier) if earlier else None

    @property
    def change(self) -> float | None:
        """By what the newest is better (above 0) or worse than before, as a logarithm."""
        if self.before is None:
            return None
        found = math.log(self.ratios[-1] / self.before)
        return found if self.better == "more" else -found

    @property
    def is_worse(self) -> bool:
        """Whether the newest is worse than before beyond noise."""
        return self.change is not None and self.change < -BEYOND * self.noise

    @property
    def is_met(self) -> bool | None:
        """Whether the newest meets the goal; None without a goal."""
        if self.goal is None:
            return None
        return self.ratios[-1] >= self.goal if self.better == "more" else self.ratios[-1] <= self.goal


def series_of(lines: Sequence[Mapping[str, Any]]) -> list[Series]:
    """Every ratio of the newest line's machine, with its history on that machine."""
    if not lines:
        return []
    here = _machine(lines[-1])
    kept: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for line in lines:
        if _machine(line) == here:
            for row in line["goals"]:
                if row.get("ratio"):
                    kept.setdefault((row.get("script", ""), row["name"]), []).append((line["at"], row))
    found = []
    for (script, name), rows in kept.items():
        newest = rows[-1][1]
        found.append(
            Series(
                name,
                script,
                newest.get("better", "more"),
                newest.get("goal"),
                tuple(at for at, _ in rows),
                tuple(float(row["ratio"]) for _, row in rows),
            )
        )
    return found


def _machine(line: Mapping[str, Any]) -> tuple[object, object]:
    return line["machine"].get("processor"), line["machine"]["cores"]


def picture(series: Series) -> str:
    """The history as a line on a logarithmic scale, with the band of its noise and its goal."""
    logs = [math.log(each) for each in series.ratios]
    middle = math.log(series.before or series.ratios[-1])
    reach = BEYOND * series.noise
    shown = [*logs, middle - reach, middle + reach]
    goal = math.log(series.goal) if series.goal else None
    if goal is not None and min(shown) - 1 < goal < max(shown) + 1:
        shown.append(goal)
    low, high = min(shown), max(shown)

    def up(value: float) -> float:
        return round(HEIGHT - EDGE - (value - low) / ((high - low) or 1) * (HEIGHT - 2 * EDGE), 1)

    apart = (WIDTH - 2 * EDGE) / max(1, len(logs) - 1)
    across = [round(EDGE + at * apart, 1) for at in range(len(logs))]
    points = list(zip(across, map(up, logs), strict=True))
    top, bottom = up(middle + reach), up(middle - reach)
    parts = [f'<rect class="band" x="0" width="{WIDTH}" y="{top}" height="{round(bottom - top, 1)}"/>']
    if goal is not None and low <= goal <= high:
        parts.append(f'<line class="goal" x1="0" x2="{WIDTH}" y1="{up(goal)}" y2="{up(goal)}"/>')
    parts.append(f'<polyline class="way" points="{" ".join(f"{x},{y}" for x, y in points)}"/>')
    parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="2"/>' for x, y in points[:-1]]
    (x, y), worse = points[-1], " worse" if series.is_worse else ""
    parts.append(f'<circle class="dot last{worse}" cx="{x}" cy="{y}" r="3.5"/>')
    said = f"{len(logs)} measurements from {_number(series.ratios[0])} to {_number(series.ratios[-1])}"
    return (
        f'<svg role="img" aria-label="{said}" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"{''.join(parts)}</svg>"
    )


def _number(value: float) -> str:
    return f"{value:.3g}"


def _verdict(series: Series) -> str:
    change = series.change
    if change is None:
        return '<span class="soft">first measurement</span>'
    share = f"{100 * (math.exp(change) - 1):+.0f} %"
    noise = f"noise {100 * series.noise:.0f} %"
    if series.is_worse:
        return f'<span class="worse">▼ worse beyond noise: {share}</span> <span class="soft">({noise})</span>'
    better = "▲ better beyond noise" if change > BEYOND * series.noise else "● within noise"
    return f'{better}: {share} <span class="soft">({noise})</span>'


def _met(series: Series) -> str:
    if series.is_met is None:
        return '<span class="soft">none</span>'
    sign = "≥" if series.better == "more" else "≤"
    return f"{sign} {_number(series.goal or 0)}: {'✓ met' if series.is_met else '✗ not met'}"


def _tables(found: Sequence[Series], goals: Mapping[str, str]) -> Iterator[str]:
    for script in dict.fromkeys(each.script for each in found):
        yield f"<h2>{escape(script)}</h2><div class='wide'><table><caption>{escape(goals.get(script, ''))}</caption>"
        yield (
            '<thead><tr><th scope="col">What</th><th scope="col">Ratio</th><th scope="col">Goal</th>'
            '<th scope="col">History, oldest first</th><th scope="col">Against before</th></tr></thead><tbody>'
        )
        for each in found:
            if each.script == script:
                yield (
                    f'<tr><th scope="row">{escape(each.name)}</th><td class="number">{_number(each.ratios[-1])}</td>'
                    f"<td>{_met(each)}</td><td>{picture(each)}</td><td>{_verdict(each)}</td></tr>"
                )
        yield "</tbody></table></div>"


def page_of(lines: Sequence[Mapping[str, Any]], goals: Mapping[str, str]) -> str:
    """The whole page: no script, no request."""
    found, newest = series_of(lines), lines[-1]
    worse = [each for each in found if each.is_worse]
    failed = [row["name"] for row in newest["goals"] if row.get("failed")]
    missing = [script for script in goals if script not in {each.script for each in found}]
    facts = ", ".join(f"{name} {value}" for name, value in newest["machine"].items())
    load = " to ".join(map(str, newest.get("load", ["unknown"])))
    measured = f"{newest['at']}, commit {newest.get('commit', 'unknown')}; {facts}; load {load}"
    met = [sum(each.is_met is value for each in found) for value in (True, False, None)]
    what = "; ".join(each.name for each in worse) or "nothing"
    head = [
        f"<p>Newest: {escape(measured)}. {len(lines)} lines of history.</p>",
        f"<p>{met[0]} goals met, {met[1]} not met, {met[2]} ratios without a goal.</p>",
        f"<p><strong>Worse beyond noise</strong>: {escape(what)}.</p>",
    ]
    if failed:
        head.append(f"<p class='worse'>Failed: {escape('; '.join(failed))}.</p>")
    if missing:
        head.append(f"<p>Never measured on this machine: {escape(', '.join(missing))}.</p>")
    note = (__doc__ or "").partition("**Noise.** ")[2]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>Benchmarks of Enclos</title><style>{STYLE}</style></head><body><main>"
        f"<h1>Benchmarks</h1>{''.join(head)}"
        f"<p class='soft'>The band is three times the noise around the median of the lines before, the dashed line the "
        f"goal, the scale logarithmic. {escape(note)}</p>{''.join(_tables(found, goals))}</main></body></html>\n"
    )


def write_page(history: Path, page: Path, goals: Mapping[str, str]) -> list[str]:
    """Draw the page of a history; what became worse beyond noise, in words."""
    if not history.exists():
        return ["no history yet"]
    lines = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines() if line.strip()]
    page.write_text(page_of(lines, goals), encoding="utf-8")
    return [
        f"worse beyond noise: {each.name}: {_number(each.before or 0)} before, {_number(each.ratios[-1])} now"
        for each in series_of(lines)
        if each.is_worse
    ]
