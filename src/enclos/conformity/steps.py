"""Read the catalogues that are carried; let probes look; judge."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from importlib import resources
from io import StringIO

from enclos.conformity.model import Assessed, Catalogue, Declared, Finding, Sight
from enclos.conformity.ports import Probe
from enclos.conformity.rules.judging import assess
from enclos.conformity.rules.reading import catalogue_from
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

Progress = Callable[[int, int], None]


@cache
def catalogues() -> Mapping[str, Catalogue]:
    """Every catalogue that is carried, by its id.

    Refuses: CATALOGUE_ROWS.
    """
    folder = resources.files("enclos.conformity").joinpath("catalogues")
    index = tomllib.loads(folder.joinpath("index.toml").read_text(encoding="utf-8"))
    found = {}
    for id_, facts in index.items():
        text = folder.joinpath(f"{id_}.csv").read_text(encoding="utf-8")
        rows = csv.DictReader(StringIO(text))
        found[id_] = catalogue_from(id_, facts, rows.fieldnames or (), rows)
    return found


def chosen(names: Iterable[str]) -> list[Catalogue]:
    """The catalogues of these names, or all where none is named. In: names — an id, or how one begins.

    Refuses: FRAMEWORK_UNKNOWN, also where several begin so.
    """
    carried = catalogues()
    wanted: dict[str, Catalogue] = {}
    for name in names:
        fitting = [id_ for id_ in carried if id_ == name] or [id_ for id_ in carried if id_.startswith(name.lower())]
        if len(fitting) != 1 or not name:
            raise refusal(
                Code.FRAMEWORK_UNKNOWN,
                "This name is that of no catalogue, or how several begin." if name else "A catalogue has a name.",
                f"Name one of {', '.join(carried)}.",
            )
        wanted[fitting[0]] = carried[fitting[0]]
    return list(wanted.values()) or list(carried.values())


def look(probes: Sequence[Probe], wanted: Iterable[str], progress: Progress = lambda *_: None) -> dict[str, Finding]:
    """A finding for every wanted probe: what was seen, or that nothing was.

    A probe that breaks off, or says nothing of what it answers for, is blind; that is never a reason to stop.
    """
    names = sorted(set(wanted))
    found: dict[str, Finding] = {}
    needed = [probe for probe in probes if set(probe.names) & set(names)]
    for done, probe in enumerate(needed):
        progress(done, len(needed))
        try:
            found |= {finding.probe: finding for finding in probe.look()}
        except Refusal as refused:
            found |= _blind(probe.names, f"refused to look ({refused.code.id})")
        except Exception as error:  # noqa: BLE001 - whatever stops a probe, nothing was seen; its text may quote data
            found |= _blind(probe.names, f"could not look ({type(error).__name__})")
    answered = {name for probe in probes for name in probe.names}
    for name in names:
        if name not in found:
            why = "said nothing" if name in answered else "no probe of this version looks at it"
            found |= _blind([name], why)
    return {name: found[name] for name in names}


def judged(
    wanted: Sequence[Catalogue], findings: Mapping[str, Finding], documents: Sequence[Declared]
) -> tuple[Assessed, ...]:
    """Each catalogue, judged on the same findings and documents."""
    return tuple(assess(catalogue, findings, documents) for catalogue in wanted)


def probes_of(wanted: Iterable[Catalogue]) -> set[str]:
    """The probes that these catalogues name."""
    return {probe for catalogue in wanted for each in catalogue.requirements for probe in each.probes}


def _blind(names: Iterable[str], why: str) -> dict[str, Finding]:
    return {name: Finding(name, Sight.BLIND, why) for name in names}
