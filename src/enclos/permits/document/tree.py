"""A document as a tree that remembers its lines and gathers its faults."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

MAX_CHARACTERS = 2_000_000
Path = tuple[str | int, ...]


@dataclass(slots=True)
class Tree:
    """A parsed document: plain values, the line of each, and the faults found so far.

    ``lines`` is empty for JSON, whose faults name the field alone.
    """

    root: Any
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def fault(self, path: Path, text: str) -> None:
        """Remember a fault at a place."""
        line = 0
        for depth in range(len(path), -1, -1):
            if path[:depth] in self.lines:
                line = self.lines[path[:depth]]
                break
        place = ".".join(str(part) for part in path)
        self.faults.append((line, f"{place}: {text}" if place else text))

    def section(self, value: Any, path: Path, keys: Collection[str]) -> dict[str, Any]:
        """A mapping with exactly these keys; what is missing or unknown becomes a fault."""
        if not isinstance(value, dict):
            self.fault(path, f"must have the fields {', '.join(keys)}")
            return {}
        for key in value:
            if key not in keys:
                self.fault((*path, str(key)), f"is not a known field; known are {', '.join(keys)}")
        for key in keys:
            if key not in value:
                self.fault((*path, key), "is missing")
        return {key: value[key] for key in keys if key in value}

    def sentences(self) -> list[str]:
        """The faults in the order of the lines, each with its line."""
        return [f"line {line}: {text}" if line else text for line, text in sorted(self.faults, key=lambda f: f[0])]


def tree_from_yaml(text: str) -> Tree:
    """The document as a tree; anchors, aliases, doubled keys and other YAML surprises are faults."""
    if len(text) > MAX_CHARACTERS:
        return Tree(None, faults=[(0, f"the document is longer than {MAX_CHARACTERS} characters")])
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if getattr(event, "anchor", None) is not None:
                line = event.start_mark.line + 1 if event.start_mark else 0
                return Tree(None, faults=[(line, "anchors and aliases are not read")])
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        tabs = " (lines are indented by spaces, not by tabs)" if "\t" in text else ""
        return Tree(None, faults=[(line, f"this is not readable YAML{tabs}")])
    except (yaml.YAMLError, RecursionError):
        return Tree(None, faults=[(0, "this is not readable YAML")])
    if node is None:
        return Tree(None, faults=[(1, "the document is empty")])
    tree = Tree(None)
    tree.root = _value(node, (), tree)
    return tree


def _value(node: yaml.Node, path: Path, tree: Tree) -> Any:
    tree.lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, key_node, value_node in _pairs(node, path, tree):
            if key in found:
                tree.fault((*path, key), "is given twice")
            found[key] = _value(value_node, (*path, key), tree)
            tree.lines[(*path, key)] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(child, (*path, index), tree) for index, child in enumerate(node.value)]
    try:
        return SafeConstructor().construct_object(node, deep=True)
    except (ValueError, OverflowError, yaml.YAMLError):
        tree.fault(path, "is not a value that can be read; days are written 2026-11-01, instants 2026-11-01T00:00:00Z")
        return None


def _pairs(node: yaml.MappingNode, path: Path, tree: Tree) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    for key_node, value_node in node.value:
        if isinstance(key_node, yaml.ScalarNode) and key_node.tag == "tag:yaml.org,2002:str":
            yield key_node.value, key_node, value_node
        else:
            tree.fault(path, "has a field whose name is not plain text")
