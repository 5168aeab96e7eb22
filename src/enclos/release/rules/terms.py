"""What the desk may do by itself and how much may leave: policy as data, the strictest of all who have a say."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from enclos.contracts.disclosure import RuleSets
from enclos.lexicon.labels import is_label
from enclos.lexicon.verdicts import Verdict
from enclos.release.model import Assessment, Finding, Probes, Rule, Terms

_DIGIT = re.compile(r"[0-9]")
_LINE = re.compile(r"|(  ){0,8}\S+( \S+)*")
"""A line of a study file: indented by steps, one blank between words, none at its end."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A result type: what its table is, and whether the checks of it are a proof."""

    title: str
    is_provable: bool


@cache
def kinds() -> Mapping[str, Kind]:
    """The result types by name, from tables.csv."""
    text = resources.files("enclos.release").joinpath("tables.csv").read_text(encoding="utf-8")
    return {
        row["result_type"]: Kind(row["title"], row["provable"] == "yes") for row in csv.DictReader(text.splitlines())
    }


def terms_of(
    automatic: Collection[str] = (),
    max_estimates: int | None = None,
    max_bytes: int | None = None,
    round_to: int = 1,
    demands: RuleSets = (),
    min_count: int = 1,
    max_collisions: int | None = None,
    max_checks: int | None = None,
) -> Terms:
    """The platform's terms, made stricter by what an enclosure chose.

    In:  automatic — result types that the enclosure lets go without votes; what is not provable never does
    """
    data = json.loads(resources.files("enclos.release").joinpath("desk.json").read_text(encoding="utf-8"))
    provable = {name for name, kind in kinds().items() if kind.is_provable}
    return Terms(
        frozenset(automatic) & provable,
        min(each for each in (data["max_estimates_per_permit"], max_estimates) if each is not None),
        min(each for each in (data["max_bytes_per_permit"], max_bytes) if each is not None),
        round_to,
        demands,
        min_count,
        min(each for each in (data["max_collisions_told_per_day"], max_collisions) if each is not None),
        min(each for each in (data["max_checks_per_day"], max_checks) if each is not None),
    )


def may_leave_alone(tables: Iterable[Mapping[str, Any]], terms: Terms) -> bool:
    """Whether tables are all of types that need no votes, with nothing hidden in any of them."""
    listed = list(tables)
    return bool(listed) and all(each["table"] in terms.automatic and each["n_hidden"] == 0 for each in listed)


def is_automatic(found: Assessment, tables: Iterable[Mapping[str, Any]], terms: Terms, study: str) -> bool:
    """Whether a result leaves without votes: all checks passed, policy names its tables, its study says little else."""
    is_named = found.verdict is Verdict.PASS and found.safe is not None and may_leave_alone(tables, terms)
    return is_named and says_little(study)


def says_little(study: str, purpose: str = "") -> bool:
    """Whether a study file and a purpose hold few words of their author: both leave, and names of cohorts are labels.

    A comment, a text that is no plain label, more words or digits than policy allows, and blanks that say nothing are
    for people to read: long lists of codes as well, since nobody's number looks otherwise.
    """
    try:
        said = yaml.safe_load(study)
    except yaml.YAMLError:
        return False
    data = json.loads(resources.files("enclos.release").joinpath("desk.json").read_text(encoding="utf-8"))
    words, n_digits = [*_words(said), purpose], len(_DIGIT.findall(study + purpose))
    return (
        "#" not in study
        and n_digits <= int(data["most_own_digits"])
        and all(_LINE.fullmatch(line) for line in study.split("\n"))
        and "\n\n\n" not in study
        and all(is_label(word) for word in words)
        and sum(map(len, words)) <= int(data["most_own_words"])
        and len(study) <= 4 * int(data["most_own_words"])
    )


def probes_finding(probes: Probes) -> Iterator[Finding]:
    """What was checked under the permit before; people look at what follows upon collisions of the last month."""
    if probes.n_checked:
        said = (
            f"{probes.n_checked} other(s) were checked or asked for under this permit before; {probes.n_collided} of "
            f"them were told of numbers that differ by a few from released ones, {probes.n_lately} in the last 30 days"
        )
        yield Finding(Rule.PROBES, Verdict.REVIEW if probes.n_lately else Verdict.PASS, said)


def _words(said: Any) -> Iterator[str]:
    """Every text of a document, keys too."""
    if isinstance(said, Mapping):
        for key, value in said.items():
            yield from (*_words(key), *_words(value))
    elif isinstance(said, list):
        for each in said:
            yield from _words(each)
    elif isinstance(said, str):
        yield said


def volume_finding(left: tuple[int, int], own: tuple[int, int], terms: Terms) -> Finding:
    """Whether what left under a permit leaves room for a table.

    Units: estimates and bytes
    """
    for before, more, most, what in (
        (left[0], own[0], terms.max_estimates, "estimates"),
        (left[1], own[1], terms.max_bytes, "bytes"),
    ):
        if before + more > most:
            said = f"{before} {what} left under this permit, {more} more would be over its {most}"
            return Finding(Rule.VOLUME, Verdict.REFUSE, said)
    return Finding(Rule.VOLUME, Verdict.PASS, "what left under the permit leaves room for it")
