"""A small enclosure of forty persons, built; no permit yet."""

from __future__ import annotations

from pathlib import Path

from enclos.app.deliveries import ingest_deliveries, make_delivery
from enclos.app.enclosure import create_enclosure
from enclos.app.persons import link_persons
from enclos.app.snapshots import build_omop
from factories.built_in import write_tables
from factories.enclosure import PASSPHRASE, open_home

PERIOD = "{start: 2000-01-01, end: 2030-01-01}"


def forty_home(folder: Path, min_count_floor: int = 5) -> Path:
    """The enclosure's folder: two buckets, one snapshot."""
    home = folder / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=2, min_count_floor=min_count_floor)
    write_tables(folder / "delivery")
    make_delivery(folder / "delivery", kind="omop", source="forty")
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [folder / "delivery"])
        link_persons(enclosure)
        build_omop(enclosure)
    return home
