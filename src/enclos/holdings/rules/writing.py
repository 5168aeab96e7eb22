"""A graph as Turtle and as JSON-LD: the same statements, the same bytes for the same graph.

Source: W3C RDF 1.1 Turtle; W3C JSON-LD 1.1.
"""

from __future__ import annotations

import json
import re
from typing import Any

from enclos.holdings.model import PREFIXES, Graph, Iri, Term, Text

_LOCAL = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def as_turtle(graph: Graph) -> bytes:
    """The graph as Turtle."""
    lines = [f"@prefix {prefix}: <{address}> ." for prefix, address in PREFIXES.items()]
    for subject, predicates in graph.statements.items():
        said = [
            f"    {'a' if predicate == 'rdf:type' else predicate} {', '.join(_turtle(term) for term in objects)}"
            for predicate, objects in predicates.items()
        ]
        lines += ["", _turtle(subject), " ;\n".join(said) + " ."]
    return ("\n".join(lines) + "\n").encode("utf-8")


def as_json_ld(graph: Graph) -> bytes:
    """The graph as JSON-LD, one object a subject."""
    nodes = []
    for subject, predicates in graph.statements.items():
        node: dict[str, Any] = {"@id": subject.value}
        for predicate, objects in predicates.items():
            if predicate == "rdf:type":
                node["@type"] = [term.value for term in objects]
            else:
                node[predicate] = [_json(term) for term in objects]
        nodes.append(node)
    document = {"@context": dict(PREFIXES), "@graph": nodes}
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def _turtle(term: Term) -> str:
    if isinstance(term, Text):
        quoted = '"' + "".join(_ESCAPES.get(sign, sign) for sign in term.value) + '"'
        return quoted + (f"@{term.language}" if term.language else f"^^{term.datatype}" if term.datatype else "")
    for prefix, address in PREFIXES.items():
        if term.value.startswith(address) and _LOCAL.fullmatch(term.value[len(address) :]):
            return f"{prefix}:{term.value[len(address) :]}"
    return f"<{term.value}>"


def _json(term: Term) -> dict[str, str]:
    if isinstance(term, Iri):
        return {"@id": term.value}
    said = {"@value": term.value}
    if term.language:
        said["@language"] = term.language
    if term.datatype:
        said["@type"] = term.datatype
    return said
