"""What the enclosure holds: deliveries, who is one person, snapshots and what they are worth, the host."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from enclos.app.deliveries import list_deliveries
from enclos.app.persons import match_report
from enclos.app.quality import judged_quality
from enclos.app.snapshots import list_snapshots, snapshot_account
from enclos.portal.api.asking import Answer, Ask, Body, HoweverWritten, Key
from enclos.signin.model import Role

router = APIRouter()
SnapshotId = Annotated[int | None, Query(ge=1, le=2**53, description="The newest when not given.")]
Snapshot = Annotated[int, Field(ge=1, le=2**53), HoweverWritten] | None


class Ingestion(Body):
    """Deliveries by the names of their folders in the enclosure's ``inbox``."""

    deliveries: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]] = Field(
        min_length=1, max_length=100
    )


class Building(Body):
    """As the options of ``enclos build``."""

    account: bool = False
    full: bool = False
    duration: str | None = Field(default=None, max_length=50)


class Judging(Body):
    """Of which snapshot, and since which one it moved."""

    snapshot: Snapshot = None
    against: Snapshot = None


class Profiling(Body):
    """Of which snapshot."""

    snapshot: Snapshot = None


class Assessing(Body):
    """Catalogues of requirements, or how their ids begin; all when none is named."""

    frameworks: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list, max_length=50)


@router.get("/deliveries", summary="What landed, and what was not taken")
def _deliveries(ask: Ask) -> Answer:
    ask.as_a(Role.STEWARD)
    return list_deliveries(ask.acting)


@router.post("/deliveries/ingest", summary="Land deliveries of the inbox, in the background", status_code=202)
def _ingest(ask: Ask, asked: Ingestion, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.begin("ingest", asked.model_dump(), title=", ".join(asked.deliveries))


@router.get("/persons/matches", summary="What linkage found last, by hospital and by source")
def _matches(ask: Ask) -> Answer:
    ask.as_a(Role.STEWARD)
    return match_report(ask.acting)


@router.post("/persons/link", summary="Run the direct circuit of linkage, in the background", status_code=202)
def _link(ask: Ask, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("link", {})


@router.get("/snapshots", summary="The snapshots of the warehouse")
def _snapshots(ask: Ask) -> Answer:
    ask.as_a(Role.STEWARD, Role.ACCESS_BODY, Role.AUDITOR)
    return list_snapshots(ask.enclosure)


@router.post("/snapshots", summary="Build a snapshot, in the background", status_code=202)
def _build(ask: Ask, asked: Building, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("build", asked.model_dump())


@router.get("/snapshots/account", summary="What became of every delivered row in a snapshot")
def _account(ask: Ask, snapshot: SnapshotId = None) -> Answer:
    ask.as_a(Role.STEWARD)
    return snapshot_account(ask.acting, snapshot)


@router.get("/quality", summary="What the checks of a snapshot said last")
def _quality(ask: Ask, snapshot: SnapshotId = None) -> Answer:
    ask.as_a(Role.STEWARD, Role.ACCESS_BODY)
    return judged_quality(ask.enclosure, snapshot)


@router.post("/quality", summary="Judge a snapshot, in the background", status_code=202)
def _judge(ask: Ask, asked: Judging, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("quality", asked.model_dump())


@router.post("/profile", summary="Count what a snapshot holds, in the background", status_code=202)
def _profile(ask: Ask, asked: Profiling, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("profile", asked.model_dump())


@router.post("/hosting/verify", summary="Compare every object of the lake with what was stored", status_code=202)
def _hosting(ask: Ask, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("hosting-verify", {})


@router.post("/conformity/assess", summary="Judge the enclosure and its host, in the background", status_code=202)
def _assess(ask: Ask, asked: Assessing, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("conformity", asked.model_dump())
