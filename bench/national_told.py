"""What the national run tells: where it is, and at the end its report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from resumed import GB, Journal

_KINDS = ("synth", "canaries", "init", "ingest", "link", "build", "permit", "study", "release", "move", "search")
QUALITY = ("checks", "passed", "failed", "not_applicable")
"""What is kept of `enclos quality`."""


def status(folder: Path, journal: Journal) -> str:
    """The steps that are done, the one that runs with the last that its command said, what failed."""
    lines = [
        f"{row['at']} {row['step']}: {row['used']['wall']:.0f} s, {row['used']['cpu']:.0f} processor seconds, "
        f"{row['used']['peak_gib']:.2f} GiB"
        for row in journal.rows
    ]
    for step in journal.unfinished:
        log = folder / "log" / f"{step}.log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        last = text.replace("\r", "\n").strip().splitlines()[-1:] or [""]
        lines.append(f"{step}: begun {journal.times_begun(step)} times; {last[0]}")
    lines += [f"{step} failed: {said}" for step, said in journal.failed.items()]
    lines.append(f"{shutil.disk_usage(folder).free / GB:.1f} GB are free")
    return "\n".join(lines)


def accounts(journal: Journal) -> list[tuple[str, bool, str]]:
    """What must be true at the end: a name, whether it is, the figures."""
    landed = [row["found"] for row in journal.rows if row["step"].startswith("ingest-")]
    delivered, kept, rejected = (
        sum(each[f"n_{what}"] for each in landed) for what in ("delivered", "landed", "rejected")
    )
    made, built, again = journal.found("synth"), journal.found("build"), journal.found("build-again")
    unbalanced = [
        row["table"]
        for row in built["account"]
        if row["delivered"] != row["mapped"] + row["cancelled"] + row["filtered"] + row["rejected"]
    ]
    lost = [
        f"{row['source']} {row['table']}"
        for row in built["crossing"]
        if row["landed"] != row["crossed"] + sum(row["left_behind"].values())
    ]
    n_lines = sum(row["delivered"] for row in built["account"])
    before, after = journal.found("hosting-verify-before"), journal.found("hosting-verify-after")
    search = journal.found("search")
    reruns = [row["found"] for row in journal.rows if row["step"].startswith("rerun-")]
    return [
        ("rows made = rows delivered", made["n_rows"] == delivered, f"{made['n_rows']} = {delivered}"),
        (
            "rows delivered = landed + rejected",
            delivered == kept + rejected,
            f"{delivered} = {kept} + {rejected}",
        ),
        ("every table that landed crossed or was left behind for a reason", not lost, ", ".join(lost) or "all"),
        (
            "every line is mapped, cancelled, filtered or rejected",
            not unbalanced,
            ", ".join(unbalanced) or f"{n_lines} lines",
        ),
        (
            "persons of the snapshot = persons linked",
            built["tables"]["person"] == built["n_persons"],
            f"{built['tables']['person']} rows of {built['n_persons']} persons with a number",
        ),
        (
            "objects before = after the move",
            before["n_objects"] == after["n_objects"],
            f"{before['n_objects']} and {after['n_objects']}, {before['n_bytes']} and {after['n_bytes']} bytes",
        ),
        ("tables and account the same after the move", all(again["same"].values()), json.dumps(again["same"])),
        ("runs made anew after the move are the same", _all_same(reruns), f"{len(reruns)} runs"),
        (
            "known identities in no file",
            search["n_found"] == 0,
            f"{search['n_values']} values, {search['n_files']} files, {search['n_bytes']} bytes",
        ),
    ]


def _all_same(reruns: list[dict[str, Any]]) -> bool:
    return bool(reruns) and all(each.get("same") is not False for each in reruns)


def summed(journal: Journal) -> list[dict[str, Any]]:
    """The steps by kind: how many, wall and processor seconds, peak memory, the folder's bytes after them."""
    found: dict[str, dict[str, Any]] = {}
    for row in journal.rows:
        kind = next((kind for kind in _KINDS if row["step"] == kind or row["step"].startswith(f"{kind}-")), row["step"])
        kind = row["step"] if row["step"] == "build-again" else kind
        used, sums = (
            row["used"],
            found.setdefault(kind, {"step": kind, "n": 0, "wall": 0.0, "cpu": 0.0, "peak_gib": 0.0}),
        )
        sums["n"] += 1
        sums["wall"] += used["step_seconds"]
        sums["cpu"] += used["cpu"]
        sums["peak_gib"] = max(sums["peak_gib"], used["peak_gib"])
        sums["folder_bytes"] = used["folder_bytes"]
        sums["joules"] = None if used["joules"] is None else (sums.get("joules") or 0) + used["joules"]
    return list(found.values())


def quality(journal: Journal) -> list[str]:
    """What the checks of quality counted, in a line; none before they were made."""
    found = journal.found("quality") if journal.is_done("quality") else {}
    counts = ", ".join(f"{found[name]} {name.replace('_', ' ')}" for name in QUALITY if name in found)
    return [f"Quality: {counts}."] if counts else []


def ratios_told(found: Mapping[str, Mapping[str, float]], known: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A line for each ratio that a study found, with the truth and what the persons drawn make of it."""
    lines = []
    for name, ratio in found.items():
        truth = known.get(name, {})
        drawn = truth.get("drawn", {})
        lines.append(f"{name}: {ratio['hazard_ratio']} ({ratio['lower']} to {ratio['upper']})")
        if truth:
            lines[-1] += f"; true: {truth['hazard_ratio']}"
        if drawn.get("ratio"):
            lines[-1] += f"; drawn: {drawn['ratio']} ({drawn['lower']} to {drawn['upper']})"
        lines[-1] += "."
    return lines


def write_report(folder: Path, journal: Journal, persons: int, years: tuple[int, int]) -> int:
    """Write report.md and report.json; 0 when everything is done and every account holds."""
    person_years = persons * (years[1] - years[0] + 1)
    told, steps = accounts(journal), summed(journal)
    stopped = sum(journal.times_begun(row["step"]) - 1 for row in journal.rows)
    energy = (
        "not readable on this machine" if steps[0]["joules"] is None else f"{sum(s['joules'] for s in steps):.0f} J"
    )
    lines = [f"# {persons} persons × {years[1] - years[0] + 1} years", ""]
    lines += ["| step | times | wall s | processor s | µs a person-year | peak GiB | folder after, GB |"]
    lines += ["|---|---|---|---|---|---|---|"]
    lines += [
        f"| {s['step']} | {s['n']} | {s['wall']:.0f} | {s['cpu']:.0f} | {s['cpu'] / person_years * 1e6:.1f} | "
        f"{s['peak_gib']:.2f} | {s['folder_bytes'] / GB:.2f} |"
        for s in steps
    ]
    wall, cpu = (sum(s[what] for s in steps) for what in ("wall", "cpu"))
    most = max(s["peak_gib"] for s in steps)
    lines += [
        f"| all | | {wall:.0f} | {cpu:.0f} | {cpu / person_years * 1e6:.1f} | {most:.2f} | |",
        "",
    ]
    lines += [f"Energy: {energy}. Steps that were stopped and run again: {stopped}.", ""]
    lines += ["| nothing lost | holds | figures |", "|---|---|---|"]
    lines += [f"| {name} | {'yes' if holds else '**no**'} | {figures} |" for name, holds, figures in told]
    lines += ["", "| permit | persons | bytes | s |", "|---|---|---|---|"]
    of = {
        kind: [row for row in journal.rows if row["step"].startswith(f"{kind}-")]
        for kind in ("permit", "study", "release")
    }
    for row in of["permit"]:
        at = row["found"]
        lines.append(f"| {at['permit']} | {at['n_persons']} | {at['bytes_written']} | {at['seconds']:.1f} |")
    lines += ["", "| study | wall s | processor s | peak GiB | rows | verdict |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {row['step'].removeprefix('study-')} | {row['used']['wall']:.1f} | {row['used']['cpu']:.1f} | "
        f"{row['used']['peak_gib']:.2f} | {row['found']['n_rows']} | {row['found']['verdict']} |"
        for row in of["study"]
    ]
    ratios = {
        row["step"].removeprefix("study-"): row["found"]["ratio"] for row in of["study"] if "ratio" in row["found"]
    }
    effects = folder / "france" / "truth" / "effects.json"
    known = json.loads(effects.read_text(encoding="utf-8")) if effects.exists() else []
    lines += ["", *ratios_told(ratios, {f"truth-{Path(each['study']).stem}": each for each in known})]
    left = sum(row["found"]["left"] for row in of["release"])
    lines += [
        "",
        f"Releases: {left} of {len(of['release'])} left as signed packages; the others had no safe number.",
        "",
    ]
    lines += [*quality(journal), ""]
    lines += [f"{step} failed: {said}" for step, said in journal.failed.items()]
    (folder / "report.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    document = {
        "persons": persons,
        "years": list(years),
        "steps": steps,
        "accounts": [{"name": name, "holds": holds, "figures": figures} for name, holds, figures in told],
        "failed": journal.failed,
        "rows": journal.rows,
    }
    (folder / "report.json").write_text(json.dumps(document, indent=1, ensure_ascii=False), encoding="utf-8")
    print("\n".join(lines))
    return 0 if all(holds for _, holds, _ in told) and not journal.failed else 1
