"""A small enclosure in which a study was released: all that there is to move, to back up and to destroy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from enclos.app import permits, releases, studies
from enclos.app.deliveries import ingest_deliveries, make_delivery
from enclos.app.enclosure import create_enclosure
from enclos.app.persons import link_persons
from enclos.app.snapshots import build_omop
from factories.built_in import write_tables
from factories.enclosure import ALICE, CAROL, DAN, PASSPHRASE, open_home, permit_text

PERMIT = "FR-TEST-0001"
STUDY = """\
study: ages
cohorts:
  bronchitis: {concepts: [260139], domain: condition, limit: first, end: {days: 1}}
analyses:
  - incidence: {outcome: bronchitis, interval: overall}
"""


def built_home(folder: Path, **options: Any) -> Path:
    """Forty persons in two buckets, by one process."""
    home = folder / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=2, min_count_floor=3, **options)
    write_tables(folder / "delivery")
    make_delivery(folder / "delivery", kind="omop", source="forty")
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [folder / "delivery"])
        link_persons(enclosure)
        build_omop(enclosure)
    return home


def released_home(folder: Path, **options: Any) -> Path:
    """The same with one permit, of which a package was exported; it lies beside the enclosure."""
    home = built_home(folder, **options)
    with open_home(home) as enclosure:
        permits.sign(enclosure, permit_text(PERMIT, period="{start: 2000-01-01, end: 2030-01-01}", min_count=3))
        permits.open_one(enclosure, PERMIT)
        run = studies.run(enclosure, permit=PERMIT, user=ALICE, text=STUDY)["run"]
        asked = releases.request(enclosure, permit=PERMIT, user=ALICE, run=run, purpose="For the yearly report")
        for user in (CAROL, DAN):
            releases.review(enclosure, asked["request"], user=user, accept=True, reason="Counts are fine")
        releases.export(enclosure, asked["request"], folder / "package.zip")
    return home


def rows_of(home: Path) -> dict[str, tuple[int, int]]:
    """Of every table of the newest snapshot, how many rows and a hash of all of them that no order changes."""
    from enclos.app.snapshots import reading_snapshot

    with open_home(home) as enclosure, reading_snapshot(enclosure) as (engine, snapshot):
        hashed = "SELECT count(*), coalesce(sum(CAST(hash(t) AS HUGEINT)), 0) FROM"
        return {table: engine.rows(f"{hashed} {snapshot.relation(table)} AS t")[0] for table in sorted(snapshot.tables)}
