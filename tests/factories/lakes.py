"""A lake of a few persons made by hand, in a folder or in a bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from enclos.stores.engine import Engine, open_engine
from enclos.stores.lake import Lake, attach_lake
from enclos.stores.objects import S3Credentials, S3Lake, S3Place
from enclos.warehouse.model import BuildReport
from enclos.warehouse.steps import build_snapshot
from factories.pseudonymised import (
    CATALOG_KEY,
    RELEASED,
    YEAR_2019,
    HandCrossing,
    ben,
    dispensing,
    prestation,
    vocabulary,
)
from factories.s3_servers import S3Server

CANARIES = ("CANARYCODE1", "simvastatin", "3400930000011", "drug_exposure", "year_of_birth", "bucket=")
"""A physician, a drug and its code, a table, a column: what the lake holds and its host must not see."""


def people(n: int) -> dict:
    """n persons with a consultation and a dispensing each, and one with a long illness."""
    day = date(2019, 3, 1)
    return vocabulary() | {
        "ben": [ben(person) for person in range(1, n + 1)],
        "prs": [prestation(person, day) for person in range(1, n + 1)],
        "pha": [dispensing(person, day, 3400930000011) for person in range(1, n + 1)],
        "imb": [{"person_id": 1, "IMB_ALD_DTD": day, "IMB_ETM_NAT": 41, "MED_MTF_COD": CANARIES[0]}],
    }


def bucket_lake(server: S3Server, bucket: str) -> S3Lake:
    """The prefix of a bucket as a lake's place."""
    return S3Lake(S3Place.from_url(server.url(bucket)), S3Credentials(server.key_id, server.secret))


@contextmanager
def attached(catalog: Path, place: Path | S3Lake, *, read_only: bool = True) -> Iterator[tuple[Engine, Lake]]:
    """An engine with the lake."""
    with open_engine(memory_limit_mb=1024) as engine:
        yield engine, attach_lake(engine, catalog, place, CATALOG_KEY, read_only=read_only)


def build(catalog: Path, place: Path | S3Lake, n: int, n_buckets: int = 2) -> BuildReport:
    """Make the next snapshot, of n persons."""
    with attached(catalog, place, read_only=False) as (engine, lake):
        crossing = HandCrossing(engine, people(n), n_buckets)
        return build_snapshot(engine, crossing, lake, n_buckets, periods=YEAR_2019, released_on=RELEASED)


def n_persons(catalog: Path, place: Path | S3Lake, snapshot: int | None = None) -> int:
    """How many persons a snapshot holds, by reading every one."""
    with attached(catalog, place) as (engine, lake):
        return len(engine.rows(f"SELECT * FROM {lake.snapshot(snapshot).relation('person')}"))
