"""A study as people write it: YAML in, the nouns of ``model.py`` out, every fault named with its line and path.

This is an edge: untyped text arrives here and nowhere deeper. Anchors, aliases, tags and repeated keys are refused,
since a study is read by people and by other programs and must say one thing to all of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any

import yaml
from pydantic import Field, ValidationError

from enclos.contracts.definitions import entries, quoted, with_definitions
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.cases.document import CaseControlDocument, CaseCrossoverDocument, SelfControlledCohortDocument
from enclos.studies.characterise.document import CharacteriseDocument
from enclos.studies.compare.document import CompareDocument
from enclos.studies.derived.document import DerivedCohortDocument
from enclos.studies.diagnose.document import DiagnoseDocument
from enclos.studies.document.cohorts import AnyCohortDocument
from enclos.studies.document.nearest import nearest_option
from enclos.studies.document.rates import IncidenceDocument, PrevalenceDocument
from enclos.studies.document.reading import Fault, in_words, line_of, lines_of, node_of, plain
from enclos.studies.document.values import MAX_LISTED, NAME_PATTERN, AnalysisDocument, Document, Many, Path
from enclos.studies.model import Study, circular
from enclos.studies.pathways.document import PathwaysDocument
from enclos.studies.sccs.document import SccsDocument
from enclos.studies.survival.document import SurvivalDocument
from enclos.studies.utilisation.document import UtilisationDocument

_MOST_TOLD = 30
"""More faults are counted alone: one that is made again and again would fill a screen."""
_STUDY_NAME = "a study's name is letters, digits and . _ - from its second character on, at most 100 of them"
_LABEL = "a label is letters, digits, spaces and _, a letter first, at most 64 characters"
_OTHER_NAME = "a name is snake case, at most 64 characters"


class _EntryDocument(Document):
    incidence: IncidenceDocument | None = Field(None, description="New events per person-time.")
    prevalence: PrevalenceDocument | None = Field(None, description="The share of persons with the outcome.")
    characterise: CharacteriseDocument | None = Field(None, description="Who the persons of a cohort are.")
    survival: SurvivalDocument | None = Field(None, description="The time from entering a cohort to an outcome.")
    pathways: PathwaysDocument | None = Field(None, description="Treatments one after the other.")
    utilisation: UtilisationDocument | None = Field(None, description="Who takes what, how long, how much, what for.")
    diagnose: DiagnoseDocument | None = Field(None, description="Whether cohorts are what their definitions meant.")
    sccs: SccsDocument | None = Field(None, description="The rate of an outcome while exposed and in other time.")
    self_controlled_cohort: SelfControlledCohortDocument | None = Field(
        None, description="The rate of an outcome after and before exposures."
    )
    case_crossover: CaseCrossoverDocument | None = Field(
        None, description="Exposure of cases before the outcome and at earlier times."
    )
    case_control: CaseControlDocument | None = Field(None, description="Exposure of cases and of matched controls.")
    compare: CompareDocument | None = Field(None, description="New users of one drug against new users of another.")

    def given(self) -> dict[str, AnalysisDocument]:
        """The analyses that the entry names; a valid one names one."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: analysis for name, analysis in named.items() if analysis is not None}


class _StudyDocument(Document):
    study: str = Field(description="The study's name.", pattern="^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$")
    cohorts: Annotated[dict[str, AnyCohortDocument], Field(min_length=1, max_length=MAX_LISTED)] = Field(
        description="Cohorts by name (snake case)."
    )
    analyses: Annotated[list[_EntryDocument], Many] = Field(
        description="What to compute; each entry names one analysis with its options."
    )


def study_json_schema() -> dict[str, Any]:
    """The JSON Schema of a study document, as published in docs/study.schema.json."""
    schema = _renamed(_StudyDocument.model_json_schema())
    analysis = schema["$defs"]["Entry"]
    analysis["minProperties"] = analysis["maxProperties"] = 1
    for name, each in analysis["properties"].items():
        analysis["properties"][name] = {"$ref": each["anyOf"][0]["$ref"], "description": each["description"]}
    schema["properties"]["cohorts"]["propertyNames"] = {"pattern": NAME_PATTERN}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Enclos study"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def study_schema_text() -> str:
    """The published text of the JSON Schema."""
    return json.dumps(study_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _renamed(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with the documents' names as a reader would say them."""
    text = json.dumps(schema)
    for name in sorted(schema["$defs"], key=len, reverse=True):
        text = text.replace(name, name.removeprefix("_").removesuffix("Document"))
    renamed: dict[str, Any] = json.loads(text)
    return renamed


def whole_study(text: str, read: Callable[[str], str]) -> str:
    """The study with the Circe definitions that it names in the place of their files' names.

    What runs, is kept and is released is this text: it says all that the study is. Lines stay where they are.
    In: read — gives the text of a file by its name
    Refuses: STUDY_UNREADABLE; whatever ``read`` raises.
    """
    return with_definitions(text, _circe_nodes(node_of(text)), read)


def with_saved(text: str, definition: Callable[[str], str | None]) -> str:
    """The study with the Circe definitions of saved cohorts in the place of their names; lines stay where they are.

    In: definition — gives the definition's text by the name that the cohort was saved under
    Refuses: STUDY_UNREADABLE; STUDY_UNKNOWN_NAME when there is none.
    """
    parts, at = [], 0
    for name, key, value in _saved_nodes(node_of(text)):
        if (found := definition(value.value)) is None:
            what = "the permit has no saved cohort of that name with its definition; save it with enclos cohort --save"
            code = Code.STUDY_UNKNOWN_NAME.name
            raise _refused([Fault(value.start_mark.line + 1, in_words(("cohorts", name, "saved")), what, code)])
        parts += [text[at : key.start_mark.index], f"circe: {quoted(found)}"]
        at = value.end_mark.index
    return "".join([*parts, text[at:]])


def _saved_nodes(root: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.ScalarNode]]:
    """Of each saved cohort, its name in the study, and the option with its value, in order."""
    for name, cohorts in entries(root):
        for own, cohort in entries(cohorts) if name == "cohorts" else ():
            for key, value in cohort.value if isinstance(cohort, yaml.MappingNode) else ():
                if key.value == "saved" and isinstance(value, yaml.ScalarNode):
                    yield own, key, value


def _circe_nodes(root: yaml.Node) -> Iterator[yaml.ScalarNode]:
    """The texts behind ``circe`` in the study's cohorts, in order."""
    for name, cohorts in entries(root):
        for _, cohort in entries(cohorts) if name == "cohorts" else ():
            for key, value in entries(cohort):
                if key == "circe" and isinstance(value, yaml.ScalarNode):
                    yield value


def definition_texts(text: str) -> dict[str, str]:
    """The texts of the Circe definitions of a valid, whole study, by the cohort that each makes."""
    cohorts = dict(entries(node_of(text)))["cohorts"]
    forms = ((name, dict(entries(cohort)).get("circe")) for name, cohort in entries(cohorts))
    return {name: str(circe.value) for name, circe in forms if circe is not None}


def study_from_yaml(text: str) -> Study:
    """The study that a YAML document describes.

    Refuses: STUDY_UNREADABLE, STUDY_UNKNOWN_NAME or STUDY_INVALID, after all faults are gathered; the code is that of
             the first of them, and each of the first 30 is named with its line and its path.
    """
    node = node_of(text)
    lines, faults = lines_of(node)
    raw = plain(node)
    try:
        document = _StudyDocument.model_validate(raw)
    except ValidationError as error:
        raise _refused([*faults, *_shape_faults(error, lines)]) from None
    faults += list(_meaning_faults(document, lines))
    if faults:
        raise _refused(faults)
    return _study_of(document)


def _refused(faults: Sequence[Fault]) -> Exception:
    ordered = sorted(set(faults))
    told = [str(each) for each in ordered[:_MOST_TOLD]]
    if rest := ordered[_MOST_TOLD:]:
        told.append(f"line {rest[0].line}: and {len(rest)} more, not named here")
    return refusal(
        Code[ordered[0].code_name],
        f"The study is not valid: {'; '.join(told)}.",
        "Correct the lines named; docs/study.schema.json lists every option.",
    )


def _shape_faults(error: ValidationError, lines: Mapping[Path, int]) -> Iterator[Fault]:
    """One fault for each place that does not have the shape of the schema."""
    for each in error.errors():
        loc, kind, message = _untagged(tuple(each["loc"])), each["type"], each["msg"]
        line, path = line_of(loc, lines), in_words(loc)
        if kind == "extra_forbidden":
            what = _unknown(loc)
            yield Fault(line, path, what, Code.STUDY_UNKNOWN_NAME.name)
        elif kind == "missing":
            yield Fault(line, path, "is missing", Code.STUDY_INVALID.name)
        else:
            yield Fault(line, path, _shape_in_words(loc, kind, message), Code.STUDY_INVALID.name)


def _shape_in_words(loc: Path, kind: str, message: str) -> str:
    """What is wrong with a value's shape: the library's words where they speak of values, ours of the rest."""
    if kind in {"model_type", "model_attributes_type", "dict_type"}:
        return "is written as options by name"
    if kind == "string_pattern_mismatch":
        return _STUDY_NAME if loc == ("study",) else _LABEL if loc[-1] == "label" else _OTHER_NAME
    return message[:1].lower() + message[1:].replace(" after validation", "")


def _untagged(loc: Path) -> Path:
    """The place without the form of the cohort that it is in, and without the type that a value may have."""
    if loc[:1] == ("cohorts",):
        return (*loc[:2], *loc[3:]) if len(loc) > 2 else loc
    return tuple(part for part in loc if not (isinstance(part, str) and part.startswith(("list[", "literal["))))


def _unknown(loc: Path) -> str:
    if len(loc) == 3 and loc[0] == "analyses":
        return f"there is no such analysis (there is {', '.join(_EntryDocument.model_fields)})"
    if (nearest := nearest_option(loc, study_json_schema())) == loc[-1]:
        return "there is no such option beside the others; a cohort is of concepts, of one operation, circe or saved"
    if nearest is not None:
        return f"there is no such option; the nearest is {nearest}"
    return "there is no such option"


def _meaning_faults(document: _StudyDocument, lines: Mapping[Path, int]) -> Iterator[Fault]:
    """What the shape does not show: names that nothing defines, ranges the wrong way round, options that clash."""

    def fault(path: Path, what: str, code: Code = Code.STUDY_INVALID) -> Fault:
        return Fault(line_of(path, lines), in_words(path), what, code.name)

    for name, cohort in document.cohorts.items():
        for where, what in cohort.faults(name):
            yield fault(("cohorts", name, *where), what)
    derived = {name: each for name, each in document.cohorts.items() if isinstance(each, DerivedCohortDocument)}
    for name, made in derived.items():
        for where, what, code in made.unknown(document.cohorts):
            yield fault(("cohorts", name, *where), what, code)
    for name in circular({name: [source for _, source in made.sources()] for name, made in derived.items()}):
        yield fault(("cohorts", name), "is made of itself, directly or through others")
    for index, entry in enumerate(document.analyses):
        given = entry.given()
        if len(given) != 1:
            yield fault(("analyses", index), "each entry is one analysis with its options")
            continue
        ((name, analysis),) = given.items()
        for where, what, code in analysis.faults(document.cohorts):
            yield fault(("analyses", index, name, *where), what, code)


def _study_of(document: _StudyDocument) -> Study:
    cohorts = tuple(cohort.noun(name) for name, cohort in document.cohorts.items())
    analyses = tuple(analysis.noun() for entry in document.analyses for analysis in entry.given().values())
    return Study(document.study, cohorts, analyses)
