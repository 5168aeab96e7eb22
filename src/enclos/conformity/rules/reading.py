"""A catalogue from its table: every row is understood, or the catalogue is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from enclos.conformity.model import Catalogue, Kind, Need, Requirement, Status
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

COLUMNS = ("id", "title", "paraphrase", "need", "weight", "kind", "probes", "documents")
_PROBE = re.compile(r"[a-z0-9]+(\.[a-z0-9-]+)?(:[a-z0-9-]+)?")
_DOCUMENT = re.compile(r"doc\.[a-z0-9-]+")
_FACTS = ("framework", "title", "status", "source", "licence", "note", "floor")


def catalogue_from(
    id_: str, facts: Mapping[str, Any], header: Iterable[str], rows: Iterable[Mapping[str, str]]
) -> Catalogue:
    """The catalogue that its facts and its rows describe.

    Refuses: CATALOGUE_ROWS with the line that is not understood; a number that stands twice.
    """
    if tuple(header) != COLUMNS:
        raise _broken(id_, 1, f"the columns are not {', '.join(COLUMNS)}")
    if set(facts) != set(_FACTS) or not all(isinstance(facts[name], str) for name in _FACTS):
        raise _broken(id_, 0, f"index.toml does not give exactly {', '.join(_FACTS)}")
    requirements: dict[str, Requirement] = {}
    for line, row in enumerate(rows, start=2):
        requirement = _requirement(id_, line, row)
        if requirement.id in requirements:
            raise _broken(id_, line, "this number stands twice")
        requirements[requirement.id] = requirement
    if not requirements:
        raise _broken(id_, 2, "there is no requirement")
    try:
        status = Status(facts["status"])
    except ValueError:
        raise _broken(id_, 0, "its status is not one of the list") from None
    return Catalogue(
        id=id_,
        framework=facts["framework"],
        title=facts["title"],
        status=status,
        source=facts["source"],
        licence=facts["licence"],
        note=facts["note"],
        floor=facts["floor"],
        requirements=tuple(requirements.values()),
    )


def _requirement(id_: str, line: int, row: Mapping[str, str | None]) -> Requirement:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    probes, documents = tuple(cells["probes"].split()), tuple(cells["documents"].split())
    if not cells["id"] or not cells["paraphrase"]:
        raise _broken(id_, line, "a requirement has a number and a paraphrase")
    if not all(map(_PROBE.fullmatch, probes)) or not all(map(_DOCUMENT.fullmatch, documents)):
        raise _broken(id_, line, "a probe is named like log.retention:365, a document like doc.risk")
    try:
        return Requirement(
            catalogue=id_,
            id=cells["id"],
            title=cells["title"],
            paraphrase=cells["paraphrase"],
            need=Need(cells["need"]),
            weight=int(cells["weight"]),
            kind=Kind(cells["kind"]),
            probes=probes,
            documents=documents,
        )
    except ValueError:
        raise _broken(id_, line, "need, weight, kind and evidence do not fit together") from None


def _broken(id_: str, line: int, why: str) -> Refusal:
    where = f"line {line}: " if line else ""
    return refusal(Code.CATALOGUE_ROWS, f"The catalogue {id_} cannot be read. {where}{why}.", "Repair the catalogue.")
