"""Which way of asking a number was found by, where the same is asked in several."""

from __future__ import annotations

from dataclasses import replace

from enclos.studies.figures.model import Kind, Point, Say
from enclos.studies.sensitivity.model import PRIMARY, WAY


def way_of(kind: Kind, point: Point) -> str:
    """The way of asking of a place; the primary one where there is no other."""
    return kind.by_id[point.result_id].get(WAY, PRIMARY)


def ways_of(kind: Kind) -> list[str]:
    """The ways of asking in their order."""
    return list(dict.fromkeys(each.values.get(WAY, PRIMARY) for each in kind.settings))


def primary_of(kind: Kind) -> Kind:
    """What was found by the primary way of asking alone."""
    return replace(kind, points=tuple(point for point in kind.points if way_of(kind, point) == PRIMARY))


def named(way: str, say: Say) -> str:
    """A way of asking; the names of all but the first are the study's own."""
    return say("primary") if way == PRIMARY else way


def beside(who: str, way: str) -> str:
    """What a number is of, with the way of asking unless it is the primary one."""
    return who if way == PRIMARY else ", ".join(each for each in (who, way) if each)
