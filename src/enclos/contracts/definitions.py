"""Cohort definitions inside documents: the definition's text in the place of its file's name, so that nothing is left
outside of what is signed, run, kept or released.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator

import yaml


def is_definition(value: str) -> bool:
    """Whether a text is a definition rather than the name of its file."""
    return value.lstrip().startswith("{")


def with_definitions(text: str, nodes: Iterable[yaml.ScalarNode], read: Callable[[str], str]) -> str:
    """The document with the texts of files in the place of their names; lines stay where they are.

    In: nodes — where the document has a definition or its file's name, in order; read — gives a file's text
    """
    parts, at = [], 0
    for node in nodes:
        if not is_definition(node.value):
            parts += [text[at : node.start_mark.index], quoted(read(node.value))]
            at = node.end_mark.index
    return "".join([*parts, text[at:]])


def entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node]]:
    """The entries of a mapping; none of anything else."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        yield str(key.value), value


def quoted(text: str) -> str:
    """A text as YAML writes it, on one line."""
    return "".join(
        character
        if " " <= character <= "~"
        else f"\\u{ord(character):04x}"
        if character <= "\uffff"
        else f"\\U{ord(character):08x}"
        for character in json.dumps(text, ensure_ascii=False)
    )
