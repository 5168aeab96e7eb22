"""What the enclosure holds: deliveries, who is one person, snapshots and what they are worth, keys, the host."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from enclos.app.catalogue import draft
from enclos.app.deliveries import list_deliveries
from enclos.app.persons import match_report
from enclos.app.quality import judged_quality
from enclos.app.rotation import list_keys
from enclos.app.snapshots import list_snapshots, snapshot_account
from enclos.portal.api.asking import After, Answer, Ask, Body, HoweverWritten, Key, Limit, On, Workers, page
from enclos.signin.model import Role

router = APIRouter()
SnapshotId = Annotated[int | None, Query(ge=1, le=2**53, description="The newest when not given.")]
Snapshot = Annotated[int, Field(ge=1, le=2**53), HoweverWritten] | None


_HAS_THRESHOLD: JsonDict = {"properties": {"threshold": {"type": "number"}}, "required": ["threshold"]}
_IS_INDIRECT: JsonDict = {"properties": {"indirect": {"const": True}}, "required": ["indirect"]}


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
    workers: Workers = None
    on: On = ""


class Linking(Body):
    """As the options of ``enclos link``: ``method`` and ``threshold`` are of ``indirect``."""

    indirect: bool = False
    method: Literal["deterministic", "probabilistic"] = "probabilistic"
    threshold: float | None = Field(default=None, allow_inf_nan=False)

    model_config = ConfigDict(json_schema_extra={"if": _HAS_THRESHOLD, "then": _IS_INDIRECT})

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.threshold is not None and not self.indirect:
            raise ValueError("a threshold goes with indirect")
        return self


class Judging(Body):
    """Of which snapshot, since which one it moved, and by the field list of which CDM."""

    snapshot: Snapshot = None
    against: Snapshot = None
    cdm: Literal["5.3", "5.4"] = "5.4"


class Profiling(Body):
    """Of which snapshot."""

    snapshot: Snapshot = None


class Assessing(Body):
    """Catalogues of requirements, or how their ids begin; all when none is named."""

    frameworks: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list, max_length=50)


@router.get("/deliveries", summary="What landed, and what was not taken")
def _deliveries(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(Role.STEWARD)
    told = list_deliveries(ask.acting)
    return told | page("deliveries", told["deliveries"], "delivery", after, limit, is_in_order=True)


@router.post("/deliveries/ingest", summary="Land deliveries of the inbox, in the background", status_code=202)
def _ingest(ask: Ask, asked: Ingestion, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.begin("ingest", asked.model_dump(), title=", ".join(asked.deliveries))


@router.get("/persons/matches", summary="What linkage found last, by hospital and by source")
def _matches(ask: Ask) -> Answer:
    ask.as_a(Role.STEWARD)
    return match_report(ask.acting)


@router.post("/persons/link", summary="Decide who is one person, in the background", status_code=202)
def _link(ask: Ask, asked: Linking | None = None, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("link", (asked or Linking()).model_dump())


@router.get("/snapshots", summary="The snapshots of the warehouse")
def _snapshots(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(Role.STEWARD, Role.ACCESS_BODY, Role.AUDITOR)
    rows = list_snapshots(ask.enclosure)["snapshots"]
    return page("snapshots", rows, "snapshot", after, limit, is_in_order=True)


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


@router.get("/catalogue-draft", summary="A document about the holdings to fill in, as YAML")
def _draft(ask: Ask) -> Answer:
    ask.as_a(Role.STEWARD)
    return {"document": draft()}


@router.post("/catalogue", summary="Describe the holdings as HealthDCAT-AP, in the background", status_code=202)
def _catalogue(ask: Ask, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("catalogue", {})


@router.get("/keys", summary="Every key and its generations; no key is shown")
def _keys(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(Role.STEWARD, Role.AUDITOR)
    found = list_keys(ask.enclosure)["keys"]
    rows = [{"name": f"{row['role']}/{row['subject']}#{row['generation']}", **row} for row in found]
    return page("keys", rows, "name", after, limit, is_in_order=True)


@router.post("/hosting/verify", summary="Compare every object of the lake with what was stored", status_code=202)
def _hosting(ask: Ask, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("hosting-verify", {})


@router.post("/conformity/assess", summary="Judge the enclosure and its host, in the background", status_code=202)
def _assess(ask: Ask, asked: Assessing, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.begin("conformity", asked.model_dump())
