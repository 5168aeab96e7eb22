"""A country's sample from deliveries to releases, by the commands, measured step by step; it goes on where it stopped.

    python bench/national.py --dir DIR [--persons 1360000] [--years 2014-2023] [--keep-text] [--floor-gb 6]
                             [--studies NAME …] [--study-minutes 90] [--workers 1]
    python bench/national.py --dir DIR --status

1.36 million persons is the size of the ESND, the 2 % sample of France. The steps: synth, init, ingest (each delivery is
removed once it has landed), link, build, twenty permits, a study of every kind, releases (asked for, two votes, a
signed package), both verifications, a move to another folder, and there the same again: a build with nothing new, runs
made anew, and a search for known identities in every byte. At the end ``DIR/report.md`` and ``DIR/report.json``.

Each step that is done is a line of ``DIR/run.jsonl``, so the same command goes on after a kill, a full disk or a
reboot; a step in whose midst it was stopped is run again, and what its command had finished by then stays. Nothing is
begun that would leave less free than the floor: it says how much is needed. A study or a release that fails is written
down and tried again by the next call; every other step that fails ends the run. A later call may name another number of
``--workers``: results are the same.
"""

from __future__ import annotations

import argparse
import gzip
import json
import mmap
import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import national_asked as asked
import pyarrow.parquet as pq
from national_told import QUALITY, status, write_report
from resumed import (
    GB,
    Journal,
    NoRoomError,
    Step,
    StepFailedError,
    Used,
    bytes_in,
    need_room,
    only_one,
)

PERSON_YEARS_A_BUCKET = 170_000
"""A bucket is read once when it has no more than ten million lines, of which a person-year has some 51."""
GROUP_BYTES = 0.06
"""Deliveries are taken in by one command until they are this share of all."""
ROOM = {"synth": 1_700, "ingest": 120, "build": 1_900, "move": 1_900}
"""Bytes that a step may take for each person-year, a quarter more than were measured."""
N_CANARIES, SHORTEST_CANARY = 24, 8
SEED = 3
_PIECE = 1 << 24


class National:
    """One run in its folder."""

    def __init__(self, folder: Path, persons: int, years: tuple[int, int], given: argparse.Namespace) -> None:
        self.folder, self.persons, self.years = folder, persons, years
        self.keep_text, self.floor = bool(given.keep_text), int(given.floor_gb * GB)
        self.only: list[str] | None = given.studies
        self.longest = 60.0 * given.study_minutes
        self.workers: int = given.workers
        self.spread = ("--workers", self.workers)
        self.france, self.home, self.moved = folder / "france", folder / "home", folder / "moved"
        self.journal = Journal(folder / "run.jsonl")
        self.person_years = persons * (years[1] - years[0] + 1)
        self._used = Used(folder, self.floor)
        self._step = ""
        for name in ("log", "out", "asked", "packages"):
            (folder / name).mkdir(exist_ok=True)

    # -- steps

    def steps(self) -> Iterator[Step]:
        """The steps in their order; each is told after those before it are done."""
        yield Step("synth", self._synth, self._room("synth"))
        yield Step("canaries", self._canaries)
        yield Step("init", self._init)
        for number, group in enumerate(self._groups()):
            yield Step(f"ingest-{number:02d}", partial(self._ingest, group), self._room("ingest"))
            self._forget_text(group)
        yield Step("link", partial(self._enclos, "link", self.home, "--truth", self.france / "truth"))
        yield Step("build", self._build, self._room("build"))
        for permit in asked.permits(self.years):
            yield Step(f"permit-{permit.id[-4:]}", partial(self._permit, permit))
        studies = [
            each
            for each in asked.studies(self.years, self._truth_studies())
            if self.only is None or each.name in self.only
        ]
        for study in studies:
            yield Step(f"study-{study.name}", partial(self._study, study), may_fail=True)
        for study in studies:
            if study.release and self.journal.is_done(f"study-{study.name}"):
                yield Step(f"release-{study.name}", partial(self._release, study), may_fail=True)
        yield from self._verifications("before", self.home)
        carried = bytes_in(self.moved) if self.moved.exists() else 0  # by a call that was killed
        yield Step("move", self._move, max(0, self._room("move") - carried))
        self._forget_source()
        yield from self._verifications("after", self.moved)
        yield Step("build-again", self._build_again)
        for name in ("truth-first", "prevalence"):
            if self.journal.is_done(f"study-{name}"):
                yield Step(f"rerun-{name}", partial(self._rerun, name))
        yield Step("search", self._search)
        yield Step(
            "quality",
            partial(self._enclos, "quality", self.moved, keep=QUALITY),
            may_fail=True,
        )

    def _room(self, step: str) -> int:
        return ROOM[step] * self.person_years

    def _synth(self) -> dict[str, Any]:
        shutil.rmtree(self.france, ignore_errors=True)
        self.france.mkdir()
        span = f"{self.years[0]}-{self.years[1]}"
        made = self._enclos("synth", self.france, "--persons", self.persons, "--years", span, "--seed", SEED)
        deliveries = [[each.name, bytes_in(each)] for each in sorted((self.france / "deliveries").iterdir())]
        n_plain = sum(_plain_bytes(path) for path in (self.france / "deliveries").rglob("*") if path.is_file())
        found = {"n_files": made["n_files"], "n_bytes": made["n_bytes"], "n_plain_bytes": n_plain}
        return {**found, "n_rows": sum(made["n_rows"].values()), "deliveries": deliveries}

    def _canaries(self) -> dict[str, Any]:
        """Identities to look for at the end; each is seen in a delivery now, or the search would prove nothing."""
        keys = pq.read_table(self.france / "truth" / "identities.parquet", columns=["source_person_id"])
        told = keys["source_person_id"].to_pylist()
        wanted = [told[at * len(told) // (4 * N_CANARIES)].split("/")[0] for at in range(4 * N_CANARIES)]
        chosen = [each for each in dict.fromkeys(wanted) if len(each) >= SHORTEST_CANARY][:N_CANARIES]
        missing = set(chosen)
        for name, _ in sorted(self._deliveries(), key=lambda each: (each[0].startswith("snds-dcir"), each[0])):
            for path in sorted((self.france / "deliveries" / name).iterdir()):
                if missing:
                    missing -= _seen_in_text(path, missing)
        if missing or not chosen:
            raise StepFailedError("a known identity is in no delivery")
        return {"values": chosen}

    def _init(self) -> dict[str, Any]:
        shutil.rmtree(self.home, ignore_errors=True)
        n_buckets = max(self.workers, -(-self.person_years // PERSON_YEARS_A_BUCKET))
        return self._enclos("init", self.home, "--buckets", n_buckets)

    def _ingest(self, group: list[str]) -> dict[str, Any]:
        folders = [self.france / "deliveries" / name for name in group]
        return self._enclos("ingest", self.home, *folders, keep=("n_new", "n_delivered", "n_landed", "n_rejected"))

    def _build(self) -> dict[str, Any]:
        built = self._enclos("build", self.home, "--account", *self.spread)
        return {name: built[name] for name in ("n_persons", "tables", "account", "phases")} | {
            "crossing": built["crossing"]["tables"]
        }

    def _permit(self, permit: asked.Permit) -> dict[str, Any]:
        path = self.folder / "asked" / f"{permit.id}.yaml"
        if not path.exists():
            path.write_text(permit.text(datetime.now(UTC)), encoding="utf-8")
        self._enclos("permit", "sign", self.home, path, already="PRM-11")
        opened = self._enclos("permit", "open", self.home, permit.id)
        return {name: opened[name] for name in ("permit", "n_persons", "bytes_written", "seconds")}

    def _study(self, study: asked.Study) -> dict[str, Any]:
        path = self.folder / "asked" / f"{study.name}.yaml"
        path.write_text(study.text, encoding="utf-8")
        who = ("--permit", study.permit, "--user", asked.ALICE)
        told = self._enclos("study", self.home, path, *who, *self.spread)
        found = {name: told[name] for name in ("run", "n_rows", "verdict", "seconds")}
        ratios = [row for row in told["summary"] if row.get("hazard_ratio") is not None]
        if ratios:
            found["ratio"] = {name: ratios[0][name] for name in ("hazard_ratio", "lower", "upper")}
        return found

    def _release(self, study: asked.Study) -> dict[str, Any]:
        run = self.journal.found(f"study-{study.name}")["run"]
        known = [
            row
            for row in self._enclos("release", "list", self.home)["requests"]
            if row["permit"] == study.permit and row["run"] == run and row["state"] != "refused"
        ]
        if known:
            request = known[0]["request"]
        else:
            who = ("--permit", study.permit, "--user", asked.ALICE)
            told = self._enclos("release", "request", self.home, *who, "--run", run, "--purpose", "a measured run")
            if told["verdict"] == "refuse":
                return {"left": 0}
            request = told["request"]
        for voter in (asked.CAROL, asked.DAN):
            vote = ("--user", voter, "--accept", "--reason", "The checks pass and the context is clear.")
            self._enclos("release", "review", self.home, request, *vote, already="REL-05")
        package = self.folder / "packages" / f"{study.name}.zip"
        if not package.exists():
            self._enclos("release", "export", self.home, request, package)
        self._enclos("release", "verify", package, "--key", self.journal.found("init")["release_key"])
        return {"left": 1, "n_bytes": package.stat().st_size}

    def _verifications(self, when: str, home: Path) -> Iterator[Step]:
        yield Step(f"hosting-verify-{when}", partial(self._enclos, "hosting", "verify", home))
        yield Step(f"ledger-verify-{when}", partial(self._enclos, "ledger", "verify", home / "ledger"))
        yield Step(f"snapshots-{when}", partial(self._enclos, "snapshots", home))

    def _move(self) -> dict[str, Any]:
        target = self.folder / "target.toml"
        target.write_text(f'[enclosure]\npath = "{self.moved.name}"\n', encoding="utf-8")
        return self._enclos("move", self.home, "--to", target)

    def _build_again(self) -> dict[str, Any]:
        built = self._enclos("build", self.moved, "--account", *self.spread)
        before = self.journal.found("build")
        same = {name: built[name] == before[name] for name in ("n_persons", "tables", "account")}
        if not all(same.values()):
            raise StepFailedError(f"after the move it is not the same: {same}")
        return {
            "same": same,
            "rebuilt": built["rebuilt"],
            "crossing": built["crossing"]["tables"] == before["crossing"],
        }

    def _rerun(self, name: str) -> dict[str, Any]:
        study = next(each for each in asked.studies(self.years, self._truth_studies()) if each.name == name)
        run = self.journal.found(f"study-{name}")["run"]
        who = ("--permit", study.permit, "--user", asked.ALICE)
        told = self._enclos("rerun", self.moved, run, *who, *self.spread)
        return {name: value for name, value in told.items() if isinstance(value, bool | int | str)}

    def _search(self) -> dict[str, Any]:
        """Look for the known identities in every byte of the enclosure and of what left it."""
        values = [value.encode() for value in self.journal.found("canaries")["values"]]
        found: set[bytes] = set()
        n_files = n_bytes = 0
        for root in (self.moved, self.home, self.folder / "packages"):
            for path in root.rglob("*"):
                if path.is_file() and path.stat().st_size:
                    n_files, n_bytes = n_files + 1, n_bytes + path.stat().st_size
                    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                        found |= {value for value in values if content.find(value) >= 0}
        if found:
            raise StepFailedError(f"{len(found)} known identities are in files of the enclosure")
        return {"n_values": len(values), "n_files": n_files, "n_bytes": n_bytes, "n_found": 0}

    # -- what steps share

    def _deliveries(self) -> list[tuple[str, int]]:
        return [(name, size) for name, size in self.journal.found("synth")["deliveries"]]

    def _groups(self) -> list[list[str]]:
        """Deliveries in their order, some for each command."""
        deliveries = self._deliveries()
        most = GROUP_BYTES * sum(size for _, size in deliveries)
        groups: list[list[str]] = []
        held = most
        for name, size in deliveries:
            if held + size > most and held:
                groups.append([])
                held = 0
            groups[-1].append(name)
            held += size
        return groups

    def _forget_text(self, group: list[str]) -> None:
        for name in [] if self.keep_text else group:
            shutil.rmtree(self.france / "deliveries" / name, ignore_errors=True)

    def _forget_source(self) -> None:
        """After a move the old folder holds ciphertext without keys: the room is needed."""
        for part in ("lake", "vault", "crossing"):
            shutil.rmtree(self.home / part, ignore_errors=True)

    def _truth_studies(self) -> dict[str, str]:
        return {
            path.stem: path.read_text(encoding="utf-8")
            for path in sorted((self.france / "truth" / "studies").glob("*.yaml"))
        }

    def _enclos(self, *arguments: object, already: str = "", keep: tuple[str, ...] = ()) -> dict[str, Any]:
        """Run one command; its JSON document, or of it what is to be kept; ``{}`` when it refuses with ``already``."""
        command = [sys.executable, "-c", "from enclos.cli import main; main()", *map(str, arguments), "--json"]
        environment = {"OPENBLAS_NUM_THREADS": "1", "ENCLOS_PASSPHRASE": "national", **os.environ}
        said = self.folder / "out" / f"{self._step}.json"
        with said.open("wb") as out, (self.folder / "log" / f"{self._step}.log").open("ab") as err:
            ended = self._used.run(command, environment, out, err)
        text = said.read_text(encoding="utf-8")
        document: dict[str, Any] = json.loads(text.splitlines()[-1]) if text.strip() else {}
        if ended:
            refused = document.get("refused", {})
            if already and refused.get("code") == already:
                return {}
            raise StepFailedError(
                f"{arguments[0]} ended with {ended}: {refused.get('what', 'see its log')}", refused.get("code", "")
            )
        return {name: document[name] for name in keep if name in document} if keep else document

    # -- the run

    def run(self) -> int:
        """Do what is not done yet; 0 when all is done."""
        for step in self.steps():
            if self.journal.is_done(step.name):
                continue
            need_room(self.folder, step, self.floor)
            self._say(f"{step.name} …")
            self.journal.begin(step.name)
            self._step, self._used = step.name, Used(self.folder, self.floor)
            self._used.longest = self.longest if step.may_fail else 0.0
            began = datetime.now(UTC)
            try:
                found = step.do()
            except StepFailedError as error:
                self.journal.fail(step.name, str(error))
                self._say(f"{step.name} failed: {error}")
                if step.may_fail:
                    continue
                return 1
            used = self._used.as_json() | {"folder_bytes": bytes_in(self.folder)}
            used["step_seconds"] = round((datetime.now(UTC) - began).total_seconds(), 2)
            self.journal.finish(step.name, used, found)
            self._say(f"{step.name} done: {used['wall']} s, {used['cpu']} processor seconds, {used['peak_gib']} GiB")
        return write_report(self.folder, self.journal, self.persons, self.years)

    def _say(self, what: str) -> None:
        print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {what}", flush=True)


def _plain_bytes(path: Path) -> int:
    """What a delivered file is unpacked, by the last four bytes of gzip, which hold it up to four gigabytes."""
    if path.suffix != ".gz":
        return path.stat().st_size
    with path.open("rb") as file:
        file.seek(-4, os.SEEK_END)
        return int.from_bytes(file.read(4), "little")


def _seen_in_text(path: Path, values: set[str]) -> set[str]:
    """Which values a delivered file holds."""
    wanted = {value: value.encode() for value in values}
    longest = max(map(len, wanted.values()))
    seen: set[str] = set()
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else raw as file:
        rest = b""
        while piece := file.read(_PIECE):
            rest += piece
            seen |= {value for value, content in wanted.items() if value not in seen and content in rest}
            rest = rest[-longest:]
    return seen


def main() -> int:
    """Run, or say where the run is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", type=Path, required=True)
    parser.add_argument("--persons", type=int, default=1_360_000)
    parser.add_argument("--years", default="2014-2023")
    parser.add_argument("--keep-text", action="store_true", help="leave deliveries there once they landed")
    parser.add_argument("--floor-gb", type=float, default=6.0, help="what stays free on the disk")
    parser.add_argument("--studies", nargs="*", help="only these of the list, by name")
    parser.add_argument(
        "--study-minutes", type=float, default=90, help="a study or a release that takes longer is ended"
    )
    parser.add_argument(
        "--workers", type=int, default=1, help="processes of builds and studies; a bucket each at least"
    )
    parser.add_argument("--status", action="store_true")
    given = parser.parse_args()
    folder: Path = given.dir.resolve()
    if given.status:
        print(status(folder, Journal(folder / "run.jsonl")))
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    first, _, last = given.years.partition("-")
    years = (int(first), int(last or first))
    with only_one(folder):
        _same_as_before(folder, {"persons": given.persons, "years": list(years)})
        run = National(folder, given.persons, years, given)
        try:
            return run.run()
        except NoRoomError as error:
            print(f"stopped, to go on call it again: {error}", file=sys.stderr)
            return 3


def _same_as_before(folder: Path, wanted: dict[str, Any]) -> None:
    """A folder keeps to the population it was begun with."""
    kept = folder / "parameters.json"
    if kept.exists() and json.loads(kept.read_text(encoding="utf-8")) != wanted:
        raise SystemExit(f"{folder} was begun with {kept.read_text(encoding='utf-8')}: name another folder")
    kept.write_text(json.dumps(wanted), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
