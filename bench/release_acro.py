"""The corpus of requests through this release desk and through ACRO: what each lets through, by family.

    python bench/release_acro.py [--venv DIR]

ACRO 1.0.2 (MIT) wants an older pandas than other tools here: it gets a virtual environment of its own, which is made
where none is there. Each request is put to ACRO as a researcher would: rates and descriptions as crosstab with margins
over the town's persons, means by pivot_table, effects as logit of the outcome on the cohort, curves as surv_func, what
is no table as custom_output; what left before is asked for in the same session. Its defaults are kept (threshold 10, no
suppression).
A request passes when each of its outputs does; `review` leaves it to a person.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_AGGREGATES = {
    "max",
    "min",
    "mean",
    "median",
    "std",
    "var",
    "sum",
    "mode",
    "sd",
    "variance",
    "max_cost",
    "mean_cost",
    "std_cost",
}
_NAMES = {"sd": "std", "variance": "var"}
Call = dict[str, Any]


def calls_of(case: Any) -> list[Call]:
    """What a researcher would ask ACRO for."""
    builders: dict[str, Callable[[], list[Call]]] = {
        "rates": lambda: _rates(case.asked),
        "descriptions": lambda: _description(case.asked),
        "histories": lambda: _histories(case.earlier, case.asked),
        "rounded": lambda: _histories(case.earlier, case.asked.split(";", 1)[1]),
        "curves": lambda: _curve(case.asked),
        "automatic": lambda: _rates(case.asked.split(":", 1)[1]),
        "effects": lambda: _effect(case.asked),
        "texts": lambda: _text(case),
        "kinds": lambda: _kind(case.asked),
        "tables": lambda: _table(case.asked),
        "sums": lambda: _sums(case.earlier, case.asked),
        "days": lambda: [{"op": "file", "name": "days.csv"}],
        "numbers": lambda: [{"op": "file", "name": "numbers.csv"}],
    }
    found: list[Call] = builders[case.family]()
    return found


def _histories(earlier: str, asked: str) -> list[Call]:
    from factories.corpus import persons_of

    texts = [part.split(":", 1)[1] for part in earlier.split("|") if part.strip()]
    cohorts = [part.split() for text in (*texts, asked) for part in text.split(";")]
    sizes = [(name, len(persons_of(ranges))) for name, *ranges in cohorts]
    return [_crosstab(["all"] * n, [name] * n, margins=False) for name, n in sizes]


def _effect(asked: str) -> list[Call]:
    *arms, name = [part.strip() for part in asked.split(";")]
    if not name.endswith(("ratio", "error", "p_value")):
        return [{"op": "file", "name": f"{name}.csv"}]
    counts = [[int(each) for each in arm.split(" ")[1].split("/")] for arm in arms]
    rows = [(arm, int(at < events)) for arm, (n, events) in enumerate(counts) for at in range(n)]
    return [{"op": "logit", "arm": [arm for arm, _ in rows], "has": [has for _, has in rows]}]


def _table(asked: str) -> list[Call]:
    from factories.corpus import tables_rows

    rows, said = tables_rows(asked)
    told = said.get("told", ["persons"])
    names = {"sd": "std", "sum": "sum", "mean": "mean", "median": "median"}
    by, values = [str(row["key_0"]) for row in rows], [float(row["value_0"] or 0) for row in rows]
    found = [_crosstab(by, [str(row["key_1"]) for row in rows], margins="cube" in said)]
    if "fits" in told:
        found.append(_crosstab(by, [str(row["condition_1"]) for row in rows]))
    found += [{"op": "aggregate", "name": names[each], "by": by, "values": values} for each in told if each in names]
    quantiles = [each for each in told if each.startswith("q")]
    return [*found, *({"op": "file", "name": f"{each}.csv"} for each in quantiles)]


def _sums(earlier: str, asked: str) -> list[Call]:
    texts = [part.split(":", 1)[1] for part in earlier.split("|")]
    return [call for text in (*texts, asked) for call in _table(text)]


def _curve(asked: str) -> list[Call]:
    from factories.corpus import followed_of

    people = followed_of(asked.split(";", maxsplit=1)[0])
    return [{"op": "survival", "days": [each.n_days for each in people], "ended": [each.ending for each in people]}]


def _text(case: Any) -> list[Call]:
    _, column, said = case.asked.split(" ", 2)
    if column.startswith("settings"):
        return [{"op": "file", "name": "settings.csv"}]
    label = case.must_not_leave or said
    labels = [label] * 30 + ["other"] * 30 + [label] * 15 + ["other"] * 110
    return [_crosstab(["Female"] * 60 + ["Male"] * 125, labels)]


def _kind(asked: str) -> list[Call]:
    _, variable, estimate, _ = asked.split(" ", 3)
    if estimate not in _AGGREGATES:
        return [{"op": "file", "name": f"{variable}_{estimate}.csv"}]
    name = _NAMES.get(estimate, estimate.removesuffix("_cost"))
    values = [3.0 + at % 40 for at in range(299)] + [9120.0]
    return [{"op": "aggregate", "name": name, "by": ["Female", "Male"] * 150, "values": values}]


def _crosstab(index: list[str], columns: list[str], *, margins: bool = True) -> Call:
    return {"op": "crosstab", "index": index, "columns": columns, "margins": margins}


def _rates(text: str) -> list[Call]:
    town, *options = [part.strip() for part in text.split(";")]
    said = {name: words for name, *words in (option.split() for option in options)}
    people = []
    for block in town.split(","):
        n, sex, born, *events = block.split()
        years = [int(each) for each in events[0].removeprefix("+").split("/")] if events else []
        when = [year for year, each in enumerate(years) for _ in range(each)]
        people += [(sex, 2019 - int(born), when[at] if at < len(when) else None) for at in range(int(n))]
    sexes = said.get("sexes", ["Both", "Male", "Female"])
    n_years = max((1 + (when or 0) for _, _, when in people), default=1)
    windows = [[year] for year in range(n_years)] if "years" in said.get("windows", ["years"]) else []
    windows += [list(range(n_years))] if "overall" in said.get("windows", []) else []
    found = []
    for band in said.get("ages", ["0-150"]):
        youngest, oldest = (int(each) for each in band.split("-"))
        for window in windows:
            own = [(sex, when in window) for sex, age, when in people if youngest <= age <= oldest]
            parts = [("all", [("all", has) for _, has in own])] if "Both" in sexes and len(sexes) < 3 else []
            shown = [(sex, has) for sex, has in own if sex in sexes]
            parts += [("sex", shown)] if shown else []
            found += [
                _crosstab([who for who, _ in rows], [str(has) for _, has in rows], margins=len(sexes) == 3)
                for _, rows in parts
                if rows
            ]
    return found


def _description(asked: str) -> list[Call]:
    from factories.corpus import subjects_of

    subjects = subjects_of(asked)
    found = []
    for cohort in sorted({each.cohort for each in subjects}):
        own = [each for each in subjects if each.cohort == cohort]
        sexes = [each.sex for each in own]
        found.append(_crosstab(sexes, [each.age_group for each in own]))
        flags = sorted(frozenset().union(*(each.flags for each in own)))
        found += [_crosstab(sexes, [f"{flag} {flag in each.flags}" for each in own]) for flag in flags]
        known = [each for each in own if each.value is not None]
        if known:
            values = [float(each.value) for each in known]
            found.append({"op": "aggregate", "name": "mean", "by": [each.sex for each in known], "values": values})
    return found


def peer(path: Path) -> None:
    """Run in ACRO's environment: the worst status of each request, as JSON."""
    import contextlib
    import io
    import logging
    import warnings

    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    import pandas as pd
    from acro import ACRO

    answers: dict[str, str] = {}
    for task in json.loads(path.read_text(encoding="utf-8")):
        with contextlib.redirect_stdout(io.StringIO()):
            session, broken = ACRO(suppress=False), False
            for call in task["calls"]:
                try:
                    _ask(session, pd, call, path.parent)
                except Exception:  # noqa: BLE001 - a request that the peer cannot take is one that it refuses
                    broken = True
        found = [record.status for record in session.results.results.values()]
        answers[task["id"]] = next((word for word in ("fail", "review") if word in found), "pass" if found else "fail")
        if broken and answers[task["id"]] == "pass":
            answers[task["id"]] = "fail"
    print(json.dumps(answers))


def _ask(session: Any, pd: Any, call: Call, folder: Path) -> None:
    if call["op"] == "crosstab":
        table = pd.DataFrame({"index": call["index"], "columns": call["columns"]})
        session.crosstab(table["index"], table["columns"], margins=call["margins"])
    elif call["op"] == "aggregate":
        table = pd.DataFrame({"by": call["by"], "values": call["values"]})
        session.pivot_table(table, values="values", index="by", aggfunc=call["name"])
    elif call["op"] == "logit":
        session.logit(
            pd.Series(call["has"]), pd.DataFrame({"constant": 1.0, "arm": [float(each) for each in call["arm"]]})
        )
    elif call["op"] == "survival":
        session.surv_func(pd.Series(call["days"]), pd.Series([int(each == 1) for each in call["ended"]]), "table")
    else:
        file = folder / call["name"].replace("/", "_")
        file.write_text("value\n1\n", encoding="utf-8")
        session.custom_output(str(file))


def main() -> None:
    """Print one line for each family, as JSON and as a table on standard error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--venv", type=Path, default=Path(tempfile.gettempdir()) / "enclos-bench-acro")
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peer:
        peer(asked.peer)
        return
    sys.path.insert(0, str(ROOT / "tests"))
    from factories.corpus import FAMILIES, MIN_COUNT, cases
    from factories.desk import Desk

    python = asked.venv / "bin" / "python"
    if not python.exists():
        venv.create(asked.venv, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "acro==1.0.2"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        tasks = Path(folder) / "tasks.json"
        tasks.write_text(json.dumps([{"id": case.id, "calls": calls_of(case)} for case in cases()]), encoding="utf-8")
        done = subprocess.run([python, __file__, "--peer", str(tasks)], check=True, capture_output=True, text=True)
    theirs = json.loads(done.stdout.splitlines()[-1])
    ours: dict[str, str] = {}
    for case in cases():
        desk = Desk(MIN_COUNT, case.round_to, case.automatic)
        for permit, result in case.before:
            desk.release(desk.ask(result, permit))
        said = desk.ask(case.result, "P1")
        ours[case.id] = said.verdict
        if said.verdict == "pass" and not case.is_safe:  # it leaves without what it should not carry, or with it
            is_cut = case.family == "curves" or (case.must_not_leave and case.must_not_leave not in said.table)
            ours[case.id] = "cut" if is_cut else "pass"  # steps leave, no day of a curve does
        if case.family == "automatic" and said.verdict == "pass" and said.state != "accepted":
            ours[case.id] = "review"
    print(f"{'family':<14}{'label':<8}{'n':>4}  {'Enclos':<44}ACRO 1.0.2", file=sys.stderr)
    rows = []
    for family in FAMILIES:
        for is_safe in (True, False):
            ids = [case.id for case in cases() if case.family == family and case.is_safe is is_safe]
            counts = [Counter(answers[id_] for id_ in ids) for answers in (ours, theirs)]
            rows.append({"family": family, "safe": is_safe, "n": len(ids), "enclos": counts[0], "acro": counts[1]})
            said = [", ".join(f"{n} {word}" for word, n in sorted(each.items())) for each in counts]
            if ids:
                print(
                    f"{family:<14}{'safe' if is_safe else 'unsafe':<8}{len(ids):>4}  {said[0]:<44}{said[1]}",
                    file=sys.stderr,
                )
    print(json.dumps([{"name": "corpus of requests, beside ACRO", "rows": rows}]))


if __name__ == "__main__":
    main()
