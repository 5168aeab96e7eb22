"""The form of a code job's table: what its author declares of the rows that they hand over.

    table: job
    person: person_id
    keys:
      - {column: gender_concept_id, kind: concept}
      - {column: age, kind: band, width: 10}
    measures: [person_count, record_count, {sum: days_supply}, {median: days_supply}]

What a column is called is on a list, since a name can carry what its author saw; nothing else of the document leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from enclos.contracts.omop import omop_tables
from enclos.contracts.tables import COUNTS, QUANTILES, SUMS, Key, KeyKind, Measure, TableForm
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.studies.document.reading import node_of

_OWN_NAMES = frozenset({"age", "days", "cost", "dose", "score", "number", "year", "month", "quarter", "flag", "choice"})
"""What a column may be called that OMOP has no name for."""
_KEYS = frozenset({"table", "person", "keys", "measures"})
_MODELS = frozenset(
    {"estimate", "estimates", "coefficient", "odds_ratio", "hazard_ratio", "rate_ratio", "p_value", "model"}
)
_WIDTHS = range(2, 1001)


@dataclass(frozen=True, slots=True)
class JobForm:
    """A form with the columns that its rows have: their names, and the kind of those that are keys."""

    person: str
    form: TableForm

    @property
    def columns(self) -> tuple[tuple[str, KeyKind | None], ...]:
        """All columns in the order in which the rows have them."""
        keys = [(key.name, key.kind) for key in self.form.keys]
        return ((self.person, None), *keys, *((name, None) for name in self.form.values))

    @property
    def text(self) -> str:
        """The form written anew: what leaves with the table."""
        keys = [
            {"column": key.name, "kind": key.kind.value, **({"width": key.width} if key.width else {})}
            for key in self.form.keys
        ]
        told = [each.estimate if each.value is None else {each.estimate: each.of} for each in self.form.measures]
        document = {"table": "job", "person": self.person, "keys": keys, "measures": told}
        return yaml.safe_dump(document, sort_keys=False, width=120)


def form_from_yaml(text: str) -> JobForm:
    """The form that a document declares.

    Refuses: STUDY_UNREADABLE; RELEASE_UNTYPED for what is not on the lists, and for what a job only asserts.
    """
    node_of(text)
    said = yaml.safe_load(text)
    if said.get("table") != "job" or not said.keys() <= _KEYS or not isinstance(said.get("measures"), list):
        raise _untyped("it has table: job, person, keys and measures, and nothing else")
    keys = said.get("keys") or []
    if not isinstance(keys, list):
        raise _untyped("its keys are a list")
    read = tuple(_key(each, axis) for axis, each in enumerate(keys))
    values: list[str] = []
    measures = tuple(_measure(each, values) for each in said["measures"])
    person = _name(said.get("person", "person_id"))
    names = [person, *(key.name for key in read), *values]
    if len(set(names)) != len(names):
        raise _untyped("each column is there once")
    try:
        return JobForm(person, TableForm(read, measures, (tuple(range(len(read))),)))
    except ValueError:
        raise _untyped("it has some measures, each once, and few keys") from None


def _key(said: Any, axis: int) -> Key:
    kinds = {each.value: each for each in KeyKind if each is not KeyKind.NAME}
    if not isinstance(said, dict) or not said.keys() <= {"column", "kind", "width"} or said.get("kind") not in kinds:
        raise _untyped(f"a key is {{column: …, kind: …}}, of one of the kinds {', '.join(kinds)}")
    kind, width = kinds[said["kind"]], said.get("width", 0)
    if (kind is KeyKind.BAND) != (type(width) is int and width in _WIDTHS):
        raise _untyped("a band has a width from 2 to 1000, and no other kind has one")
    return Key(_name(said.get("column")), kind, axis, width)


def _measure(said: Any, values: list[str]) -> Measure:
    if isinstance(said, str) and said in COUNTS - {"stay_count"}:
        return Measure(said, "persons" if said == "person_count" else "rows of the job")
    if isinstance(said, dict) and len(said) == 1:
        ((estimate, column),) = said.items()
        if estimate in SUMS | QUANTILES.keys():
            name = _name(column)
            if name not in values:
                values.append(name)
            return Measure(estimate, name, values.index(name))
    if (said if isinstance(said, str) else next(iter(said), "") if isinstance(said, dict) else "") in _MODELS:
        raise _untyped(
            "what a model says cannot be counted again from rows: run a study, which counts who is behind it"
        )
    listed = ", ".join(sorted(COUNTS - {"stay_count"} | SUMS | QUANTILES.keys()))
    raise _untyped(f"a measure is one of {listed}, of a column of values where it is no count")


def _name(said: Any) -> str:
    known = _OWN_NAMES | {column.name for table in omop_tables().values() for column in table}
    if not isinstance(said, str) or said not in known:
        raise _untyped(f"a column is called as OMOP calls it, or {', '.join(sorted(_OWN_NAMES))}")
    return said


def _untyped(what: str) -> Refusal:
    return refusal(
        Code.RELEASE_UNTYPED,
        f"The form of the table is not as declared forms are: {what}.",
        "See docs/release.md, A table of a code job.",
    )
