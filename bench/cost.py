"""A model of cost: measured at small sizes, fitted, checked at a larger one, and asked for a country.

    python bench/cost.py measure [--etl 4000 8000 12000 16000 20000] [--check-etl 40000] [--study 50000 100000 200000]
                                 [--check-study 2000000] [--kinds 25000 50000 100000] [--repeats 3] [--dir DIR]
                                 [--national DIR]
    python bench/cost.py show
    python bench/cost.py predict [--persons 68000000] [--years 10] [--bucket 312500] [--cores 4 16 64 256 1024]

``measure`` takes processor seconds and bytes of each step for some numbers of persons and puts them into
``bench/cost.json``, beside those that are there; ``show`` fits and prints each step with its intervals and how far each
check was off; ``predict`` prints what a population takes. Steps of the ETL (ingest, link, build) are those of the
commands on a synthetic France of five years, its deliveries included; the studies are those of `scale.py` and one of
each kind on its tables, five years, bucket by bucket: what is done where the bucket is (look), what the process that
runs the study does with each answer (absorb), the bytes between them, and what it does once at the end (report).

The model of a step is ``a * units + b * person-years``: units are buckets, or 1 for the ETL and reports. It is fitted
by least squares of relative errors, neither below nought; intervals are those of a prediction for one more run, 95 %,
by Student's t. Processor seconds on a busy machine are more than on a quiet one: caches are shared.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import process_time
from typing import Any

import ingest
import numpy as np
import scale
from resumed import Journal
from run import commit, machine
from scipy.optimize import nnls
from scipy.stats import t as student

from enclos.studies.document import study_from_yaml
from enclos.studies.steps import Looker, run_study
from enclos.studies.work import Partial, Work, in_bytes, of_bytes

POINTS = Path(__file__).resolve().parent / "cost.json"
YEARS = 5
FIRST = scale.FIRST_CLASS
COHORTS = f"""
study: kinds
cohorts:
  condition_a: {{concepts: [{FIRST + 3}], descendants: true, domain: condition, limit: first, end: event_end}}
  condition_b: {{concepts: [{FIRST + 40}], descendants: true, domain: condition, limit: all, end: {{days: 30}}}}
  drug_a: {{concepts: [{FIRST + 7}], descendants: true, domain: drug, limit: all, end: event_end, gap_era: 30}}
  drug_b: {{concepts: [{FIRST + 60}], descendants: true, domain: drug, limit: first, end: event_end}}
analyses:
  - """
KINDS = {
    "rates": scale.STUDY,
    "characterise": COHORTS
    + """characterise: {cohort: [drug_a, drug_b], age_groups: [[0, 17], [18, 64], [65, 150]],
         intersect: [{cohort: condition_a, window: [null, -1]}], overlap: true,
         large_scale: {windows: [[null, -1], [0, 0], [1, 365]], event_in_window: condition,
                       episode_in_window: drug}}""",
    "survival": COHORTS + "survival: {target: [drug_a, drug_b], outcome: [condition_a, condition_b], event_gap: 365}",
    "pathways": COHORTS + "pathways: {target: condition_a, treatments: [drug_a, drug_b], follow_up_days: 365}",
    "sccs": COHORTS + "sccs: {exposure: drug_a, outcome: condition_b, windows: {exposed: {}}}",
    "case_crossover": COHORTS
    + "case_crossover: {exposure: drug_a, outcome: condition_b, risk_window: [-30, 0], control_offsets: [-60]}",
}
PARTS = ("look", "absorb", "report")
Point = dict[str, Any]


def etl(sizes: Sequence[int], folder: Path) -> Iterator[Point]:
    """Processor seconds, bytes and peak memory of each command for some numbers of persons."""
    for n_persons in sizes:
        place = folder / f"etl_{n_persons}"
        place.mkdir(parents=True)
        found = ingest.measure(place, n_persons, again=False, copy=False)
        shutil.rmtree(place)
        base = {"persons": n_persons, "years": YEARS, "units": 1, "rows": found["n_rows"]}
        for step, used in (("synth", found["synth"]), *found["steps"].items()):
            yield {**base, "step": step, "cpu": round(used["cpu"], 2), "gib": round(used["gib"], 2)}
        for what in ("lake_bytes", "delivered_bytes", "kept_bytes"):
            yield {**base, "step": what, "bytes": found[what]}


def national(folder: Path) -> Iterator[Point]:
    """What a run of national.py took for the same steps, as far as it is."""
    asked = json.loads((folder / "parameters.json").read_text(encoding="utf-8"))
    first, last = asked["years"]
    base = {"persons": asked["persons"], "years": last - first + 1, "units": 1}
    journal = Journal(folder / "run.jsonl")
    used = {row["step"]: row["used"] for row in journal.rows}
    taken_in = [each for step, each in used.items() if step.startswith("ingest-")]
    if "synth" in used:
        found = journal.found("synth")
        yield {**base, "step": "synth", "cpu": used["synth"]["cpu"], "gib": used["synth"]["peak_gib"]}
        yield {**base, "step": "delivered_bytes", "bytes": found["n_plain_bytes"]}
    if "link" in used:  # then everything was taken in
        cpu, gib = sum(each["cpu"] for each in taken_in), max(each["peak_gib"] for each in taken_in)
        yield {**base, "step": "ingest", "cpu": round(cpu, 2), "gib": gib}
    for step in ("link", "build"):
        if step in used:
            yield {**base, "step": step, "cpu": used[step]["cpu"], "gib": used[step]["peak_gib"]}


def studies(sizes: Sequence[int], folder: Path, kinds: Sequence[str], repeats: int) -> Iterator[Point]:
    """Processor seconds of studies for some numbers of persons: in one process, and by their parts."""
    for n_persons in sizes:
        place = folder / f"study_{n_persons}"
        place.mkdir(parents=True)
        n_buckets = scale.write_tables(n_persons, place)
        base = {"persons": n_persons, "years": YEARS, "units": n_buckets}
        for kind in kinds:
            for _ in range(repeats):
                command = [sys.executable, __file__, "study", kind, str(place), str(n_buckets)]
                done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
                for point in json.loads(done.stdout):
                    yield base | point
        shutil.rmtree(place)


def study(kind: str, folder: Path, n_buckets: int) -> list[Point]:
    """One study in this process: as a whole for rates, and for each kind by its parts."""
    asked = study_from_yaml(KINDS[kind])
    found: list[Point] = []

    def opened() -> scale.InFiles:
        cdm = scale.InFiles(folder, n_buckets)
        cdm.connection.execute(
            f"SET threads = 2; SET memory_limit = '4GB'; SET temp_directory = '{folder / 'spilled'}'"
        )
        return cdm

    if kind == "rates":
        began = process_time()
        run_study(asked, opened())
        found.append({"step": "rates: in one process", "cpu": round(process_time() - began, 3)})
    cdm, looked, n_bytes, given = opened(), 0.0, 0, 0.0

    def spread(work: Work) -> Iterator[Partial]:
        nonlocal looked, n_bytes, given
        looker = Looker(asked, work)
        for number in cdm.buckets:
            started = process_time()
            with cdm.bucket(number) as bucket:
                content = in_bytes(looker.look(bucket).tables())
            looked += process_time() - started
            n_bytes += len(content)
            started = process_time()
            yield Partial.of(of_bytes(content))
            given += process_time() - started  # the stage takes it before it asks for the next

    began = process_time()
    run_study(asked, cdm, spread=spread)
    whole = process_time() - began
    seconds = zip(PARTS, (looked, given, whole - looked - given), strict=True)
    found += [{"step": f"{kind}: {part}", "cpu": round(cpu, 3)} for part, cpu in seconds]
    return [*found, {"step": f"{kind}: answers", "bytes": n_bytes}]


@dataclass(frozen=True)
class Fit:
    """A step's cost: of a unit, of a person-year, and how far a run lies from it."""

    step: str
    what: str
    """``cpu`` or ``bytes``."""
    of_unit: float
    of_person_year: float
    n_points: int
    relative: float
    """The standard deviation of a run's relative error."""
    spread: tuple[tuple[float, float], tuple[float, float]]
    """Of both costs together: their variances and covariance for a relative error of 1."""

    def predicted(self, units: float, person_years: float) -> tuple[float, float, float]:
        """What one more run takes, and its interval (95 %)."""
        at = np.array([units, person_years])
        value = float(at @ [self.of_unit, self.of_person_year])
        half = float(self._factor * np.hypot(self.relative * value, self.relative * np.sqrt(at @ self.spread @ at)))
        return value, max(0.0, value - half), value + half

    @property
    def interval(self) -> tuple[float, float]:
        """The interval of the cost of a person-year (95 %)."""
        half = float(self._factor * self.relative * np.sqrt(self.spread[1][1]))
        return max(0.0, self.of_person_year - half), self.of_person_year + half

    @property
    def _factor(self) -> float:
        return float(student.ppf(0.975, max(1, self.n_points - 2)))


def units_of(step: str, n_buckets: int) -> int:
    """How often a step's fixed cost comes: for each bucket, or once where the step comes once."""
    return n_buckets if ": " in step and not step.endswith(": report") else 1


def fitted(points: Sequence[Point], step: str) -> Fit | None:
    """The model of a step from its points that are no check; None from fewer than three."""
    mine = [point for point in points if point["step"] == step and not point.get("check")]
    if len(mine) < 3:
        return None
    what = "cpu" if "cpu" in mine[0] else "bytes"
    value = np.array([point[what] for point in mine], dtype=float)
    design = np.array([[units_of(step, point["units"]), point["persons"] * point["years"]] for point in mine])
    weighted = design / np.maximum(value, 1e-9)[:, None]
    size = np.linalg.norm(weighted, axis=0)  # persons are many and units few: solve in numbers of one size
    costs = nnls(weighted / size, np.ones(len(mine)))[0] / size
    relative = float(np.sqrt(np.sum((weighted @ costs - 1) ** 2) / max(1, len(mine) - 2)))
    used = [at for at in (0, 1) if costs[at] > 0]
    spread = np.zeros((2, 2))
    spread[np.ix_(used, used)] = np.linalg.pinv((weighted.T @ weighted)[np.ix_(used, used)])
    (one, both), (_, other) = spread.tolist()
    return Fit(step, what, float(costs[0]), float(costs[1]), len(mine), relative, ((one, both), (both, other)))


def fits(points: Sequence[Point]) -> list[Fit]:
    """The model of every step that was measured often enough."""
    found = (fitted(points, step) for step in dict.fromkeys(point["step"] for point in points))
    return [fit for fit in found if fit is not None]


def checks(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Each check: what was predicted, what was measured, and by how much it was off."""
    found = []
    for point in (point for point in points if point.get("check")):
        fit = fitted(points, point["step"])
        if fit is not None and fit.what in point:
            value, low, high = fit.predicted(units_of(fit.step, point["units"]), point["persons"] * point["years"])
            off = point[fit.what] / value - 1 if value else float("nan")
            told = {"predicted": round(value, 2), "from": round(low, 2), "to": round(high, 2)}
            told |= {"measured": point[fit.what], "off": round(off, 3)}
            found.append({"step": fit.step, "persons": point["persons"], **told})
    return found


def show(points: Sequence[Point]) -> None:
    """Print every step and every check as Markdown."""
    print("| step | per person-year | 95 % | fixed, each bucket or run | runs | scatter |\n|---|---|---|---|---|---|")
    for fit in fits(points):
        unit, scaled = ("µs", 1e6) if fit.what == "cpu" else ("bytes", 1.0)
        low, high = (each * scaled for each in fit.interval)
        fixed = f"{fit.of_unit:.2f} s" if fit.what == "cpu" else f"{fit.of_unit:.0f} bytes"
        print(
            f"| {fit.step} | {fit.of_person_year * scaled:.3g} {unit} | {low:.3g} to {high:.3g} | {fixed} | "
            f"{fit.n_points} | {100 * fit.relative:.0f} % |"
        )
    print("\n| check | persons | predicted | 95 % | measured | off |\n|---|---|---|---|---|---|")
    for each in checks(points):
        print(
            f"| {each['step']} | {each['persons']} | {each['predicted']} | {each['from']} to {each['to']} | "
            f"{each['measured']} | {100 * each['off']:+.0f} % |"
        )


def predict(points: Sequence[Point], persons: int, years: int, bucket: int, cores: Sequence[int]) -> None:
    """Print what each step takes for a population, and how long on so many cores."""
    n_buckets, person_years = -(-persons // bucket), persons * years
    of = {fit.step: fit for fit in fits(points)}
    print(f"{persons} persons x {years} years, {n_buckets} buckets")
    print("| step | total | 95 % |\n|---|---|---|")
    for fit in of.values():
        units = units_of(fit.step, n_buckets)
        unit, scaled = ("core-hours", 1 / 3600) if fit.what == "cpu" else ("GB", 1e-9)
        value, low, high = (each * scaled for each in fit.predicted(units, person_years))
        print(f"| {fit.step} | {value:.3g} {unit} | {low:.3g} to {high:.3g} |")
    print("\n| study | " + " | ".join(f"{n} cores" for n in cores) + " | bound by |\n|---|" + "---|" * (len(cores) + 1))
    for kind in KINDS:
        if not all(f"{kind}: {part}" in of for part in PARTS):
            continue
        look, absorb, report = (
            of[f"{kind}: {part}"].predicted(units_of(f": {part}", n_buckets), person_years)[0] for part in PARTS
        )
        alone = absorb + report
        times = [max(look / min(n, n_buckets), absorb) + report for n in cores]
        shown = " | ".join(f"{seconds / 60:.3g} min" for seconds in times)
        print(f"| {kind} | {shown} | one core from {max(1, look / alone):.0f} cores on |")


def main() -> int:
    """Measure, show or predict; with ``study``, be the process that is measured."""
    if sys.argv[1:2] == ["study"]:
        print(json.dumps(study(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=("measure", "show", "predict"))
    for name, sizes in (
        ("etl", (4_000, 8_000, 12_000, 16_000, 20_000)),
        ("check-etl", (40_000,)),
        ("study", (50_000, 100_000, 200_000)),
        ("check-study", (2_000_000,)),
        ("kinds", (25_000, 50_000, 100_000)),
    ):
        parser.add_argument(f"--{name}", type=int, nargs="*", default=list(sizes))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--national", type=Path, help="the folder of a run of national.py, for a check of the ETL")
    parser.add_argument("--persons", type=int, default=68_000_000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--bucket", type=int, default=scale.PERSONS_PER_BUCKET)
    parser.add_argument("--cores", type=int, nargs="+", default=[4, 16, 64, 256, 1024])
    asked = parser.parse_args()
    kept = json.loads(POINTS.read_text(encoding="utf-8")) if POINTS.exists() else {"points": []}
    if asked.act == "measure":
        with tempfile.TemporaryDirectory(dir=asked.dir) as temporary:
            folder, others = Path(temporary), [kind for kind in KINDS if kind != "rates"]
            for points, check in (
                (studies(asked.study, folder, ["rates"], asked.repeats), False),
                (studies(asked.check_study, folder, ["rates"], 1), True),
                (studies(asked.kinds, folder, others, asked.repeats), False),
                (etl(asked.etl, folder), False),
                (etl(asked.check_etl, folder), True),
                (national(asked.national) if asked.national else (), True),
            ):
                for point in points:
                    print(json.dumps(point), file=sys.stderr)
                    kept["points"].append(point | ({"check": True} if check else {}))
                    facts = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": commit()}
                    kept |= facts | {"machine": machine()}
                    POINTS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    points = kept["points"]
    if asked.act == "predict":
        predict(points, asked.persons, asked.years, asked.bucket, asked.cores)
    else:
        show(points)
    return 0


if __name__ == "__main__":
    sys.exit(main())
