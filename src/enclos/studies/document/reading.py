"""A YAML document as one plain tree, with the line of everything in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.studies.document.values import Path

MAX_TEXT_CHARS = 5_000_000
_MAX_DEPTH = 12
_INTEGER = "tag:yaml.org,2002:int"


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    line: int
    path: str
    what: str
    code_name: str

    def __str__(self) -> str:
        where = f"line {self.line}, {self.path}" if self.path else f"line {self.line}"
        return f"{where}: {self.what}"


def node_of(text: str) -> yaml.Node:
    """The tree of a document that is one tree: no anchor, alias, tag or second document, and not too deep."""
    if len(text) > MAX_TEXT_CHARS:
        raise unreadable("it is longer than five million characters")
    depth = n_documents = 0
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            line = 1 + (event.start_mark.line if event.start_mark else 0)
            n_documents += isinstance(event, yaml.DocumentStartEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
                raise unreadable(f"line {line} has an anchor or alias")
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                raise unreadable(f"line {line} has a tag")
            if depth > _MAX_DEPTH or n_documents > 1:
                raise unreadable(f"line {line} nests too deep or starts a second document")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        tabs = " (indent by spaces, not by tabs)" if "\t" in text else ""
        raise unreadable(f"line {mark.line + 1} is not YAML{tabs}" if mark else f"it is not YAML{tabs}") from None
    if not isinstance(node, yaml.MappingNode):
        raise unreadable("it is not a mapping of options")
    return node


def unreadable(what: str) -> Exception:
    return refusal(Code.STUDY_UNREADABLE, f"The study cannot be read: {what}.", "Write one plain YAML document.")


def lines_of(node: yaml.Node) -> tuple[dict[Path, int], list[Fault]]:
    """The line of each path, and the keys that cannot stand."""
    lines: dict[Path, int] = {(): 1}
    faults: list[Fault] = []

    def visit(inner: yaml.Node, path: Path) -> None:
        if isinstance(inner, yaml.ScalarNode) and _reads_as_another_number(inner):
            what = "a number is in plain digits; a nought before it or a colon in it makes it another number"
            faults.append(Fault(line_of(path, lines), in_words(path), what, Code.STUDY_INVALID.name))
        elif isinstance(inner, yaml.SequenceNode):
            for index, item in enumerate(inner.value):
                lines[*path, index] = item.start_mark.line + 1
                visit(item, (*path, index))
        elif isinstance(inner, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in inner.value:
                line = key.start_mark.line + 1
                if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                    faults.append(Fault(line, in_words(path), "a key is a word", Code.STUDY_INVALID.name))
                    continue
                if key.value in seen:
                    what = f"{key.value} is given twice"
                    faults.append(Fault(line, in_words((*path, key.value)), what, Code.STUDY_INVALID.name))
                seen.add(key.value)
                lines[*path, key.value] = line
                visit(value, (*path, key.value))

    visit(node, ())
    return lines, faults


def _reads_as_another_number(node: yaml.ScalarNode) -> bool:
    """Whether YAML takes a number for one of base 8 or 60 that people read in base 10."""
    digits = node.value.replace("_", "").lstrip("+-")
    if node.tag != _INTEGER or node.style is not None:
        return False
    return ":" in digits or (digits.isdecimal() and digits.startswith("0") and int(digits) != int(digits, 8))


def plain(node: yaml.Node) -> object:
    try:
        return yaml.constructor.SafeConstructor().construct_document(node)
    except (ValueError, OverflowError, yaml.YAMLError):
        raise _no_value(_of_no_value(node)) from None


def _no_value(node: yaml.Node | None) -> Exception:
    """What is wrong with a scalar that reads as no value."""
    if node is None:
        return unreadable("a day or number in it is none")
    line = node.start_mark.line + 1
    if node.tag.endswith(":timestamp"):
        return unreadable(f"line {line}: the calendar has no such day (YYYY-MM-DD)")
    return unreadable(f"line {line}: a number in it is none")


def _of_no_value(node: yaml.Node) -> yaml.Node | None:
    """The first scalar that reads as no value."""
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.constructor.SafeConstructor().construct_document(node)
        except (ValueError, OverflowError, yaml.YAMLError):
            return node
        return None
    parts = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    return next((found for each in parts if (found := _of_no_value(each)) is not None), None)


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    while path not in lines:
        path = path[:-1]
    return lines[path]


def in_words(path: Path) -> str:
    words = ""
    for part in path:
        words += f"[{part}]" if isinstance(part, int) else f".{part}" if words else str(part)
    return words
