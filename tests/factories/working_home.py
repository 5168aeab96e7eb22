"""An enclosure with a snapshot of forty persons, in which people work: made in this process, without commands."""

from __future__ import annotations

from pathlib import Path

from enclos.app.deliveries import ingest_deliveries, make_delivery
from enclos.app.enclosure import create_enclosure
from enclos.app.permits import open_one, sign
from enclos.app.snapshots import build_omop
from factories.built_in import write_tables
from factories.enclosure import PASSPHRASE, open_home, permit_text

PERIOD = "{start: 1900-01-01, end: 2030-01-01}"
COHORT = """\
cohorts:
  gibleed: {concepts: [192671], descendants: true, domain: condition, limit: all, end: {days: 1}}
analyses:
"""
QUICK = f"study: quick\n{COHORT}  - incidence: {{outcome: [gibleed], interval: [years], washout_days: 0}}\n"
LONG = f"study: long\n{COHORT}" + "".join(
    f"  - incidence: {{outcome: [gibleed], interval: [weeks, years], washout_days: {days}, repeated_events: true}}\n"
    for days in range(1, 400)
)
"""Some minutes of work."""


def working_home(folder: Path, permits: dict[str, tuple[str, ...]], access: str = "aggregates") -> Path:
    """The enclosure, with opened permits of these ids for these persons."""
    write_tables(folder / "delivery")
    home = folder / "home"
    create_enclosure(home, passphrase=PASSPHRASE, buckets=2, min_count_floor=1)
    make_delivery(folder / "delivery", kind="omop", source="gibleed")
    with open_home(home) as enclosure:
        ingest_deliveries(enclosure, [folder / "delivery"])
        build_omop(enclosure)
        for permit, users in permits.items():
            sign(enclosure, permit_text(permit, period=PERIOD, min_count=1, users=users, access=access))
            open_one(enclosure, permit)
    return home
