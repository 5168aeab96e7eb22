"""A study as people write it: YAML in, the nouns of ``model.py`` out, every fault named with its line and path.

This is an edge: untyped text arrives here and nowhere deeper. Anchors, aliases, tags and repeated keys are refused,
since a study is read by people and by other programs and must say one thing to all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from enclos.contracts.durations import DURATION_RULE_IDS
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.model import (
    MAX_AGE_YEARS,
    MAX_CONCEPT_ID,
    MAX_DAYS,
    AfterDays,
    AgeGroup,
    Analysis,
    CohortEnd,
    ConceptCohort,
    DateRange,
    Domain,
    Incidence,
    Interval,
    Limit,
    OpenEnd,
    PeriodPrevalence,
    PointPrevalence,
    Population,
    Sex,
    Study,
    TimePoint,
    is_cohort_name,
)

MAX_TEXT_CHARS = 1_000_000
MAX_LISTED = 1000
MAX_CONCEPTS = 100_000
_MAX_DEPTH = 12
_Path: TypeAlias = tuple[str | int, ...]


def _listed(value: object) -> object:
    return value if isinstance(value, list) or value is None else [value]


def _one_or_many(item: Mapping[str, Any]) -> WithJsonSchema:
    many = {"type": "array", "items": dict(item), "minItems": 1, "maxItems": MAX_LISTED, "uniqueItems": True}
    return WithJsonSchema({"anyOf": [dict(item), many]})


def _words(values: type[Domain | Limit | Sex | Interval | TimePoint]) -> dict[str, Any]:
    return {"type": "string", "enum": [each.value for each in values]}


_NAME_PATTERN = "^[a-z][a-z0-9_]{0,63}$"
_Many = Field(min_length=1, max_length=MAX_LISTED)
_DAYS_SCHEMA = {"type": "integer", "minimum": 0, "maximum": MAX_DAYS}
_AGE_SCHEMA = {"type": "integer", "minimum": 0, "maximum": MAX_AGE_YEARS}
_Days: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_DAYS)]
_Age: TypeAlias = Annotated[StrictInt, Field(ge=0, le=MAX_AGE_YEARS)]
_Names: TypeAlias = Annotated[
    list[str], BeforeValidator(_listed), _Many, _one_or_many({"type": "string", "pattern": _NAME_PATTERN})
]
_Sexes: TypeAlias = Annotated[
    list[Literal["both", "male", "female"]], BeforeValidator(_listed), _Many, _one_or_many(_words(Sex))
]
_PriorDays: TypeAlias = Annotated[list[_Days], BeforeValidator(_listed), _Many, _one_or_many(_DAYS_SCHEMA)]
_Intervals: TypeAlias = Annotated[
    list[Literal["weeks", "months", "quarters", "years", "overall"]],
    BeforeValidator(_listed),
    _Many,
    _one_or_many(_words(Interval)),
]
_AgeGroups: TypeAlias = Annotated[list[Annotated[list[_Age], Field(min_length=2, max_length=2)]], _Many]


def _washout(value: object) -> object:
    if value is None:
        raise PydanticCustomError("washout", "should be a number of days, or all")
    return None if value == "all" else value


_Washout: TypeAlias = Annotated[
    Annotated[StrictInt, Field(ge=0, le=MAX_DAYS)] | None,
    BeforeValidator(_washout),
    WithJsonSchema({"anyOf": [_DAYS_SCHEMA, {"const": "all"}]}),
]


def _end(value: object) -> CohortEnd:
    if isinstance(value, str) and value in {end.value for end in OpenEnd}:
        return OpenEnd(value)
    if isinstance(value, dict) and set(value) == {"days"}:
        days = value["days"]
        if isinstance(days, int) and not isinstance(days, bool) and 0 <= days <= MAX_DAYS:
            return AfterDays(days)
    raise PydanticCustomError("cohort_end", "should be event_end, observation_end or {days: 0 to 99999}")


_AFTER_DAYS_SCHEMA = {
    "type": "object",
    "properties": {"days": {**_DAYS_SCHEMA, "description": "Days after the first day of the record."}},
    "required": ["days"],
    "additionalProperties": False,
}
_End: TypeAlias = Annotated[
    AfterDays | OpenEnd,
    PlainValidator(_end),
    WithJsonSchema({"anyOf": [{"type": "string", "enum": [end.value for end in OpenEnd]}, _AFTER_DAYS_SCHEMA]}),
]


def _duration(value: object) -> object:
    if value is not None and value not in tuple(DURATION_RULE_IDS):
        raise PydanticCustomError("duration", f"should be one of {', '.join(DURATION_RULE_IDS)}")
    return value


_Duration: TypeAlias = Annotated[
    str | None, BeforeValidator(_duration), WithJsonSchema({"type": "string", "enum": [*DURATION_RULE_IDS]})
]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class _CohortDocument(_Document):
    concepts: Annotated[
        list[Annotated[StrictInt, Field(gt=0, le=MAX_CONCEPT_ID)]], Field(min_length=1, max_length=MAX_CONCEPTS)
    ] = Field(description="OMOP concept ids; a record of any of them enters the cohort.")
    descendants: StrictBool = Field(True, description="Whether all descendants of the concepts count too.")
    domain: Literal["condition", "drug", "procedure", "measurement", "observation", "visit"] = Field(
        description="The OMOP table in which the concepts are looked up."
    )
    limit: Literal["first", "all"] = Field("first", description="Whether only a person's first record counts, or all.")
    end: _End = Field(
        OpenEnd.OBSERVATION_END,
        description="When a person leaves the cohort; never after the observation period.",
        json_schema_extra={"default": OpenEnd.OBSERVATION_END.value},
    )
    duration: _Duration = Field(
        None, description="For drugs: the rule by which dispensings last; the snapshot's own when not given."
    )


class _PopulationDocument(_Document):
    outcome: _Names = Field(description="The cohort, or cohorts, counted as outcome.")
    age_groups: _AgeGroups = Field(
        [[0, MAX_AGE_YEARS]], description="Ages in completed years, both included, as [lowest, highest]."
    )
    sex: _Sexes = Field(["both"], description="Who is at risk.")
    days_prior_observation: _PriorDays = Field([0], description="Days observed before a person is at risk.")
    interval: _Intervals = Field(["years"], description="The stretches of time that estimates are made for.")
    date_range: Annotated[list[date | None], Field(min_length=2, max_length=2)] = Field(
        [None, None], description="First and last day of the study, both included; null leaves it to the data."
    )


class _IncidenceDocument(_PopulationDocument):
    washout_days: _Washout = Field(
        None,
        description="Days after an outcome before a person is at risk again; all: never again.",
        json_schema_extra={"default": "all"},
    )
    repeated_events: StrictBool = Field(False, description="Whether a person can have several events in the study.")
    complete_intervals: StrictBool = Field(True, description="Leave out intervals that are not wholly observed.")


class _PrevalenceDocument(_PopulationDocument):
    type: Literal["point", "period"] = Field(description="On one day, or at any time in an interval.")
    time_point: Literal["start", "middle", "end"] | None = Field(
        None, description="For point prevalence: the day of each interval; start when not given."
    )
    full_contribution: StrictBool | None = Field(
        None, description="For period prevalence: count only persons present all of the interval; false when not given."
    )
    complete_intervals: StrictBool | None = Field(
        None, description="For period prevalence: leave out intervals not wholly observed; true when not given."
    )


class _AnalysisDocument(_Document):
    incidence: _IncidenceDocument | None = Field(None, description="New events per person-time.")
    prevalence: _PrevalenceDocument | None = Field(None, description="The share of persons with the outcome.")


class _StudyDocument(_Document):
    study: str = Field(description="The study's name.", pattern="^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$")
    cohorts: Annotated[dict[str, _CohortDocument], Field(min_length=1, max_length=MAX_LISTED)] = Field(
        description="Cohorts by name (snake case)."
    )
    analyses: Annotated[list[_AnalysisDocument], _Many] = Field(
        description="What to compute; each entry names one analysis with its options."
    )


def study_json_schema() -> dict[str, Any]:
    """The JSON Schema of a study document, as published in docs/study.schema.json."""
    schema = _renamed(_StudyDocument.model_json_schema())
    analysis = schema["$defs"]["Analysis"]
    analysis["minProperties"] = analysis["maxProperties"] = 1
    for name, each in analysis["properties"].items():
        analysis["properties"][name] = {"$ref": each["anyOf"][0]["$ref"], "description": each["description"]}
    schema["properties"]["cohorts"]["propertyNames"] = {"pattern": _NAME_PATTERN}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Enclos study"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def study_schema_text() -> str:
    """The published text of the JSON Schema."""
    return json.dumps(study_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the documents' names as a reader would say them."""
    text = json.dumps(schema)
    for name in schema["$defs"]:
        text = text.replace(name, name.removeprefix("_").removesuffix("Document"))
    renamed: dict[str, Any] = json.loads(text)
    return renamed


@dataclass(frozen=True, slots=True, order=True)
class _Fault:
    line: int
    path: str
    what: str
    code_name: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.path}" if self.path else f"line {self.line}"
        return f"{where}: {self.what}"


def study_from_yaml(text: str) -> Study:
    """The study that a YAML document describes.

    Refuses: STUDY_UNREADABLE, STUDY_UNKNOWN_NAME or STUDY_INVALID, after all faults are gathered; the code is that of
             the first of them, and each is named with its line and its path.
    """
    node = _node_of(text)
    lines, faults = _lines_of(node)
    raw = _plain(node)
    try:
        document = _StudyDocument.model_validate(raw)
    except ValidationError as error:
        raise _refused([*faults, *_shape_faults(error, lines)]) from None
    faults += list(_meaning_faults(document, lines))
    if faults:
        raise _refused(faults)
    return _study_of(document)


def _refused(faults: Sequence[_Fault]) -> Exception:
    ordered = sorted(set(faults))
    return refusal(
        Code[ordered[0].code_name],
        f"The study is not valid: {'; '.join(map(str, ordered))}.",
        "Correct the lines named; docs/study.schema.json lists every option.",
    )


def _node_of(text: str) -> yaml.Node:
    """The tree of a document that is one tree: no anchor, alias, tag or second document, and not too deep."""
    if len(text) > MAX_TEXT_CHARS:
        raise _unreadable("it is longer than a million characters")
    depth = n_documents = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = 1 + (event.start_mark.line if event.start_mark else 0)
            n_documents += isinstance(event, yaml.DocumentStartEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise _unreadable(f"line {line} has an anchor or alias")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise _unreadable(f"line {line} has a tag")
            if depth > _MAX_DEPTH or n_documents > 1:
                raise _unreadable(f"line {line} nests too deep or starts a second document")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise _unreadable(f"line {mark.line + 1} is not YAML" if mark else "it is not YAML") from None
    if not isinstance(node, yaml.MappingNode):
        raise _unreadable("it is not a mapping of options")
    return node


def _unreadable(what: str) -> Exception:
    return refusal(Code.STUDY_UNREADABLE, f"The study cannot be read: {what}.", "Write one plain YAML document.")


def _lines_of(node: yaml.Node) -> tuple[dict[_Path, int], list[_Fault]]:
    """The line of each path, and the keys that cannot stand."""
    lines: dict[_Path, int] = {(): 1}
    faults: list[_Fault] = []

    def visit(inner: yaml.Node, path: _Path) -> None:
        if isinstance(inner, yaml.SequenceNode):
            for index, item in enumerate(inner.value):
                lines[*path, index] = item.start_mark.line + 1
                visit(item, (*path, index))
        elif isinstance(inner, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in inner.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                    faults.append(_Fault(line, _in_words(path), "a key is a word", Code.STUDY_INVALID.name))
                    continue
                if key.value in seen:
                    what = f"{key.value} is given twice"
                    faults.append(_Fault(line, _in_words((*path, key.value)), what, Code.STUDY_INVALID.name))
                seen.add(key.value)
                lines[*path, key.value] = line
                visit(value, (*path, key.value))

    visit(node, ())
    return lines, faults


def _plain(node: yaml.Node) -> object:
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        raise _unreadable("a date or number in it is none") from None


def _line_of(path: _Path, lines: Mapping[_Path, int]) -> int:
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _in_words(path: _Path) -> str:
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else str(part)
    return words


def _shape_faults(error: ValidationError, lines: Mapping[_Path, int]) -> Iterator[_Fault]:
    """One fault for each place that does not have the shape of the schema."""
    found = [(tuple(each["loc"]), each["type"], each["msg"]) for each in error.errors()]
    circe = {loc[:-1] for loc, kind, _ in found if kind == "extra_forbidden" and _is_circe(loc)}
    for loc, kind, message in found:
        line, path = _line_of(loc, lines), _in_words(loc)
        if kind == "missing" and loc[:-1] in circe:
            continue
        if kind == "extra_forbidden":
            what = _unknown(loc)
            yield _Fault(line, path, what, Code.STUDY_UNKNOWN_NAME.name)
        elif kind == "missing":
            yield _Fault(line, path, "is missing", Code.STUDY_INVALID.name)
        else:
            yield _Fault(line, path, message[:1].lower() + message[1:], Code.STUDY_INVALID.name)


def _is_circe(loc: _Path) -> bool:
    return len(loc) == 3 and loc[0] == "cohorts" and loc[2] == "circe"


def _unknown(loc: _Path) -> str:
    if _is_circe(loc):
        return "cohorts from Circe definitions are not known to this version"
    if len(loc) == 3 and loc[0] == "analyses":
        return f"there is no such analysis (there is {' and '.join(_AnalysisDocument.model_fields)})"
    return "there is no such option"


def _meaning_faults(document: _StudyDocument, lines: Mapping[_Path, int]) -> Iterator[_Fault]:
    """What the shape does not show: names that nothing defines, ranges the wrong way round, options that clash."""

    def fault(path: _Path, what: str, code: Code = Code.STUDY_INVALID) -> _Fault:
        return _Fault(_line_of(path, lines), _in_words(path), what, code.name)

    for name, cohort in document.cohorts.items():
        for where, what_is_wrong in _cohort_faults(name, cohort):
            yield fault(("cohorts", name, *where), what_is_wrong)
    for index, entry in enumerate(document.analyses):
        given = [name for name in _AnalysisDocument.model_fields if getattr(entry, name) is not None]
        if len(given) != 1:
            yield fault(("analyses", index), "each entry is one analysis with its options")
            continue
        path: _Path = ("analyses", index, given[0])
        analysis: _IncidenceDocument | _PrevalenceDocument = getattr(entry, given[0])
        for what in _population_faults(analysis, document.cohorts):
            yield fault((*path, *what[0]), what[1], what[2])
        if isinstance(analysis, _PrevalenceDocument):
            for option, what_is_wrong in _prevalence_faults(analysis):
                yield fault((*path, option), what_is_wrong)


def _cohort_faults(name: str, cohort: _CohortDocument) -> Iterator[tuple[_Path, str]]:
    if not is_cohort_name(name):
        yield (), "a cohort's name is snake case, at most 64 characters"
    if len(set(cohort.concepts)) != len(cohort.concepts):
        yield ("concepts",), "a concept is given twice"
    if cohort.duration is not None and cohort.domain != Domain.DRUG.value:
        yield ("duration",), "only a cohort of drugs has this option"


def _population_faults(
    analysis: _PopulationDocument, cohorts: Mapping[str, _CohortDocument]
) -> Iterator[tuple[_Path, str, Code]]:
    for at, outcome in enumerate(analysis.outcome):
        if outcome not in cohorts:
            yield ("outcome", at), "there is no cohort of that name", Code.STUDY_UNKNOWN_NAME
    for option in ("outcome", "age_groups", "sex", "days_prior_observation", "interval"):
        values = [str(value) for value in getattr(analysis, option)]
        if len(set(values)) != len(values):
            yield (option,), "a value is given twice", Code.STUDY_INVALID
    for at, (lowest, highest) in enumerate(analysis.age_groups):
        if highest < lowest:
            yield ("age_groups", at), "an age group is [lowest, highest]", Code.STUDY_INVALID
    start_on, end_on = analysis.date_range
    if start_on is not None and end_on is not None and end_on < start_on:
        yield ("date_range",), "a date range is [first day, last day]", Code.STUDY_INVALID


def _prevalence_faults(analysis: _PrevalenceDocument) -> Iterator[tuple[str, str]]:
    if analysis.type == "point":
        if "overall" in analysis.interval:
            yield "interval", "a point prevalence has no overall interval"
        for option in ("full_contribution", "complete_intervals"):
            if getattr(analysis, option) is not None:
                yield option, "only a period prevalence has this option"
    elif analysis.time_point is not None:
        yield "time_point", "only a point prevalence has this option"


def _study_of(document: _StudyDocument) -> Study:
    cohorts = tuple(
        ConceptCohort(
            name,
            tuple(each.concepts),
            each.descendants,
            Domain(each.domain),
            Limit(each.limit),
            each.end,
            each.duration,
        )
        for name, each in document.cohorts.items()
    )
    return Study(document.study, cohorts, tuple(_analysis_of(entry) for entry in document.analyses))


def _analysis_of(entry: _AnalysisDocument) -> Analysis:
    if (incidence := entry.incidence) is not None:
        return Incidence(
            tuple(incidence.outcome),
            _population_of(incidence),
            _intervals_of(incidence),
            incidence.washout_days,
            incidence.repeated_events,
            incidence.complete_intervals,
        )
    if (prevalence := entry.prevalence) is None:
        raise AssertionError("an entry without an analysis was refused before")
    outcomes, population, intervals = tuple(prevalence.outcome), _population_of(prevalence), _intervals_of(prevalence)
    if prevalence.type == "point":
        return PointPrevalence(outcomes, population, intervals, TimePoint(prevalence.time_point or "start"))
    complete = prevalence.complete_intervals is not False
    return PeriodPrevalence(outcomes, population, intervals, bool(prevalence.full_contribution), complete)


def _intervals_of(document: _PopulationDocument) -> tuple[Interval, ...]:
    return tuple(Interval(value) for value in document.interval)


def _population_of(document: _PopulationDocument) -> Population:
    return Population(
        tuple(AgeGroup(lowest, highest) for lowest, highest in document.age_groups),
        tuple(Sex(value) for value in document.sex),
        tuple(document.days_prior_observation),
        DateRange(*document.date_range),
    )
