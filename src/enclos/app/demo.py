"""The whole story on a synthetic France: deliveries, one person, one snapshot, a permit, a study, a release."""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

import pyarrow.parquet as pq
import yaml

from enclos.app import ledger, permits, releases, studies
from enclos.app.deliveries import ingest_deliveries
from enclos.app.enclosure import Enclosure, create_enclosure, open_enclosure
from enclos.app.known_effects import run_known_effects
from enclos.app.persons import link_persons
from enclos.app.progress import Report, silent, within
from enclos.app.report.page import report_page
from enclos.app.snapshots import build_omop
from enclos.ledger.rules.tiles import CHECKPOINT
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.lexicon.version import __version__
from enclos.stores.files import remove_tree, write_atomically
from enclos.synthetic import make_france

YEARS = (2019, 2023)
_MARK = ".enclos-demo"
_PERMIT, _SAFETY_PERMIT = "FR-DEMO-0001", "FR-DEMO-0002"
_RESEARCHER, _REVIEWERS = "alice@example.org", ("carol@example.org", "dan@example.org")
_N_CANARIES = 24
_CANARY_SIGNS = 8
_AGE_GROUPS = [[0, 49], [50, 69], [70, 79], [80, 150]]
_DAYS_PER_YEAR, _PER = 365.25, 100_000


class _Steps:
    """What was done and how long it took."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        started = perf_counter()
        yield
        self.rows.append({"name": name, "seconds": round(perf_counter() - started, 2)})


def run_demo(folder: Path, *, n_persons: int, seed: int, report: Report = silent) -> dict[str, Any]:
    """Tell the whole story in a folder and write report.html and report.json there.

    Out: where the report is, and its main figures.
    Refuses: a folder that holds something else than an earlier demo.
    """
    _make_room(folder)
    steps = _Steps()
    france, home = folder / "france", folder / "enclosure"
    with steps.step("synth: a France that never was"):
        make_france(france, n_persons, YEARS, seed, progress=within(report, "synth"))
    # Thrown away with the process: nobody needs to open the demo's enclosure again.
    passphrase = secrets.token_urlsafe(24)
    with steps.step("init: keys and ledger"):
        made = create_enclosure(home, passphrase=passphrase, name="synthetic France")
    deliveries = sorted((france / "deliveries").iterdir())
    with open_enclosure(home, passphrase) as enclosure:
        with steps.step("ingest: verify and land"):
            ingested = ingest_deliveries(enclosure, deliveries, report=report)
        with steps.step("link: who is one person"):
            linked = link_persons(enclosure, truth=france / "truth", report=report)
        with steps.step("build: one OMOP snapshot"):
            built = build_omop(enclosure, account=True, report=report)
        with steps.step("permit: signed and opened"):
            permits.sign(enclosure, _permit_text(enclosure))
            opened = permits.open_one(enclosure, _PERMIT)
        with steps.step("study: incidence, on the permit's view"):
            text = _study_text(france / "truth" / "studies" / "incidence.yaml")
            found = studies.run(enclosure, permit=_PERMIT, user=_RESEARCHER, text=text, report=report)
        with steps.step("release: checked, reviewed, exported"):
            released = _release(enclosure, found["run"], folder / "package.zip")
        with steps.step("permit and studies: a drug that harms, one that does not"):
            permits.sign(enclosure, _safety_permit_text(enclosure))
            permits.open_one(enclosure, _SAFETY_PERMIT)
            effects = run_known_effects(
                enclosure,
                permit=_SAFETY_PERMIT,
                user=_RESEARCHER,
                truth=france / "truth",
                folder=folder,
                report=report,
            )
    with steps.step("release verify, with the public key only"):
        if released["n_files"]:
            releases.verify(folder / "package.zip", made["release_key"])
    with steps.step("ledger verify, with public files only"):
        verified = ledger.verify(home)
    with steps.step("search every file for known identities"):
        canary = search_for_canaries(france, home)
    figures = {
        "enclos": __version__,
        "persons": n_persons,
        "years": list(YEARS),
        "seed": seed,
        "ingest": {
            "n_deliveries": len(deliveries),
            **{k: ingested[k] for k in ("n_delivered", "n_landed", "n_rejected")},
        },
        "linkage": linked,
        "tables": built["tables"],
        "account": built["account"],
        "crossing": built["crossing"],
        "sizes": _sizes(france / "deliveries", home),
        "permit": {**opened, "min_count": enclosure.floor},
        "study": {key: found[key] for key in ("run", "n_rows", "seconds", "verdict", "nearest_safe")},
        "release": released,
        "effects": effects,
        "ledger": {**verified, "checkpoint": (home / "ledger" / CHECKPOINT).read_text(encoding="utf-8")},
        "canary": canary,
        "steps": steps.rows,
        "seconds_total": round(sum(row["seconds"] for row in steps.rows), 1),
    }
    figures |= compare_with_truth(found["summary"], france / "truth")
    figures["stages"] = _stages(figures)
    write_atomically(
        folder / "report.json", json.dumps(figures, indent=1, ensure_ascii=False).encode("utf-8"), "a report"
    )
    write_atomically(folder / "report.html", report_page(figures).encode("utf-8"), "a report", mode=0o644)
    return {
        "report": str(folder / "report.html"),
        "figures": str(folder / "report.json"),
        "package": str(folder / "package.zip")
        if released["n_files"]
        else "refused: too few persons to release anything",
        "seconds": figures["seconds_total"],
        "n_delivered": ingested["n_delivered"],
        "n_rejected": ingested["n_rejected"],
        "link_recall": linked["direct"]["recall"],
        "false_links": linked["direct"]["false_links"],
        "n_persons": built["tables"]["person"],
        "truth_inside_intervals": f"{figures['truth']['n_inside']} of {figures['truth']['n_cells']}",
        "known_hazard_ratios_inside_intervals": f"{sum(row['holds_truth'] is True for row in effects)} of "
        f"{sum(row['holds_truth'] is not None for row in effects)}",
        "null_drug_called_harmful": any(row["called_harmful"] for row in effects if row["true_ratio"] == 1),
        "n_cells_withheld": sum(row["n"] for row in released["cells"] if row["fate"] != "shown"),
        "lake_share_of_deliveries": figures["sizes"]["lake_share_of_deliveries"],
        "identities_found_in_files": canary["n_found"],
        "ledger_entries": verified["size"],
    }


def compare_with_truth(summary: Sequence[Mapping[str, Any]], truth: Path) -> dict[str, Any]:
    """Each shown incidence over all years beside the rate of the synthetic France.

    Out: incidence — rows with outcome, sex, age_group, rate, lower, upper, true_rate (per 100 000 person-years);
         truth — how many intervals contain the truth.
    """
    true_rows = [row for row in pq.read_table(truth / "incidence.parquet").to_pylist() if row["interval"] == "overall"]
    rows = []
    for shown in summary:
        true_rate = _true_rate(true_rows, shown["outcome"], shown["sex"], shown["age_group"])
        if shown["analysis"] != "incidence" or shown["interval"] != "overall" or true_rate is None:
            continue
        if shown["per_100k_person_years"] is None or shown["lower"] is None:
            continue
        rows.append(
            {
                "outcome": shown["outcome"],
                "age_group": shown["age_group"],
                "sex": shown["sex"],
                "n_events": shown["n_events"],
                "rate": shown["per_100k_person_years"],
                "lower": shown["lower"],
                "upper": shown["upper"],
                "true_rate": true_rate,
            }
        )
    n_inside = sum(row["lower"] <= row["true_rate"] <= row["upper"] for row in rows)
    share = n_inside / len(rows) if rows else None
    return {
        "n_events": sum(row["n_events"] or 0 for row in rows),
        "incidence": rows,
        "truth": {"n_cells": len(rows), "n_inside": n_inside, "share_inside": share},
    }


def _true_rate(rows: Sequence[Mapping[str, Any]], outcome: str, sex: str, age_group: str) -> float | None:
    """The truth's rate over the decades that make up an age group, per 100 000 person-years; None when none does."""
    low, high = map(int, age_group.split(" to "))
    decades = [
        row
        for row in rows
        if row["outcome"] == outcome
        and row["sex"] == sex.lower()
        and row["age_group"] != "0 to 150"
        and low <= int(row["age_group"].split(" to ")[0])
        and int(row["age_group"].split(" to ")[1]) <= high
    ]
    n_days = sum(row["person_days"] for row in decades)
    return sum(row["n_events"] for row in decades) / n_days * _DAYS_PER_YEAR * _PER if n_days else None


def search_for_canaries(france: Path, home: Path) -> dict[str, Any]:
    """Look for identities and values that the deliveries hold, as bytes in every file of the enclosure.

    Out: how many values were looked for, in how many files and bytes, and how many were found; the same search finds
         every one of them in the deliveries, or the search itself would prove nothing.
    Refuses: ValueError when a value is not in the deliveries.
    """
    identities = pq.read_table(france / "truth" / "identities.parquet").to_pylist()
    # An SNDS key is 'pseudonym/rank'; short numbers would be found anywhere by chance.
    keys = {str(row["source_person_id"]).split("/")[0] for row in identities}
    long_enough = sorted(key for key in keys if len(key) >= _CANARY_SIGNS)
    values = [value.encode("utf-8") for value in long_enough[:: max(1, len(long_enough) // _N_CANARIES)][:_N_CANARIES]]
    in_deliveries = _found(values, _contents(france / "deliveries"))[0]
    if not values or in_deliveries != set(values):
        raise ValueError("the search for known values does not find them where they are")
    found, n_files, n_bytes = _found(values, _contents(home))
    return {"n_values": len(values), "n_files": n_files, "n_bytes": n_bytes, "n_found": len(found)}


def _contents(folder: Path) -> Iterator[bytes]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            yield gzip.decompress(content) if path.suffix == ".gz" else content


def _found(values: Sequence[bytes], contents: Iterator[bytes]) -> tuple[set[bytes], int, int]:
    found: set[bytes] = set()
    n_files = n_bytes = 0
    for content in contents:
        n_files, n_bytes = n_files + 1, n_bytes + len(content)
        found |= {value for value in values if value not in found and value in content}
    return found, n_files, n_bytes


def _make_room(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise refusal(
                Code.ENCLOSURE_EXISTS,
                "The folder for the demo holds something else.",
                "Name an empty or a new folder with --dir.",
            )
        remove_tree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()


def _permit_text(enclosure: Enclosure) -> str:
    now = enclosure.ledger.now().replace(microsecond=0)
    users = f"[{{id: {_RESEARCHER}, role: researcher}}]"
    return f"""\
permit: {_PERMIT}
holder: {{organisation: "CHU de Demain", investigator: {_RESEARCHER}}}
users: {users}
purpose: {{article: "53(1)(e)", text: "Incidence of gastrointestinal bleeding and myocardial infarction"}}
legal_basis: ehds-permit
data:
  tables: all
  population: all
  period: {{start: {YEARS[0]}-01-01, end: {YEARS[1] + 1}-01-01}}
  potential_identifiers: []
access: aggregates
opt_out: {{applied: true, as_of: now}}
disclosure: {{min_count: {enclosure.floor}}}
valid: {{from: {now:%Y-%m-%dT%H:%M:%SZ}, until: {now + timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}}}
"""


def _safety_permit_text(enclosure: Enclosure) -> str:
    """A permit that shows rows with their days, so that the researcher sees every diagnostic."""
    return (
        _permit_text(enclosure)
        .replace(_PERMIT, _SAFETY_PERMIT)
        .replace("Incidence of gastrointestinal bleeding and myocardial infarction", "Safety of two drugs")
        .replace("potential_identifiers: []", "potential_identifiers: [birth_month, exact_dates, death_date]")
        .replace("access: aggregates", "access: rows")
    )


def _study_text(path: Path) -> str:
    """The truth's own incidence study, all years together and in wide age groups: 20 000 persons are few."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    for analysis in document["analyses"]:
        for options in analysis.values():
            options |= {"interval": ["overall"], "age_groups": _AGE_GROUPS, "sex": ["male", "female"]}
    return yaml.safe_dump(document, sort_keys=False)


def _release(enclosure: Enclosure, run: str, out: Path) -> dict[str, Any]:
    """Ask, let two people accept, export; where too few persons leave nothing to release, the refusal is the end."""
    asked = releases.request(enclosure, permit=_PERMIT, user=_RESEARCHER, run=run, purpose="Results of the demo")
    found = {**asked, "cells": asked["nearest_safe"].get("cells", []), "n_files": 0, "n_bytes": 0}
    if asked["verdict"] == "refuse":
        return found
    for reviewer in _REVIEWERS:
        releases.review(
            enclosure, asked["request"], user=reviewer, accept=True, reason="The checks pass and the context is clear."
        )
    exported = releases.export(enclosure, asked["request"], out)
    return {**found, "n_files": len(exported["files"]), "n_bytes": out.stat().st_size}


def _sizes(deliveries: Path, home: Path) -> dict[str, Any]:
    delivered = sum(_plain_size(path) for path in deliveries.rglob("*") if path.is_file())
    sizes = {
        f"{part}_bytes": sum(path.stat().st_size for path in (home / part).rglob("*") if path.is_file())
        for part in ("vault", "crossing", "lake", "permits", "ledger", "release")
    }
    share = round(sizes["lake_bytes"] / delivered, 4)
    return {"delivered_bytes": delivered, **sizes, "lake_share_of_deliveries": share}


def _plain_size(path: Path) -> int:
    """The size of a delivered file as plain text, so that the lake's share is not flattered or blamed by gzip."""
    if path.suffix != ".gz":
        return path.stat().st_size
    with gzip.open(path) as file:
        return file.seek(0, 2)


def _stages(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    tables = figures["tables"]
    events = ("visit_occurrence", "condition_occurrence", "drug_exposure", "procedure_occurrence", "measurement")
    return [
        {"stage": "rows delivered", "n": figures["ingest"]["n_delivered"]},
        {"stage": "rows landed", "n": figures["ingest"]["n_landed"]},
        {"stage": "OMOP events", "n": sum(tables[table] for table in events)},
        {"stage": "persons in the snapshot", "n": tables["person"]},
        {"stage": "persons in the permit", "n": figures["permit"]["n_persons"]},
        {"stage": "first events in released cells", "n": figures["n_events"]},
    ]
