"""Descriptions judged by the shapes in tests/shapes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pyshacl import validate
from rdflib import SH, Graph

SHAPES = Path(__file__).parents[1] / "shapes"


@cache
def shapes() -> Graph:
    """All shapes. What the official ones state of a property that they do not name is put on its node."""
    graph = Graph()
    for file in sorted(SHAPES.glob("*.ttl")):
        graph.parse(file)
    for node, rule in list(graph.subject_objects(SH.property)):
        if (rule, SH.path, None) not in graph:
            graph.remove((node, SH.property, rule))
            for choices in graph.objects(rule, SH["or"]):
                graph.add((node, SH["or"], choices))
    return graph


def faults(description: Graph) -> list[str]:
    """What the shapes say is wrong: the property and the kind of rule of each violation; empty when it is valid."""
    conforms, report, _ = validate(description, shacl_graph=shapes(), allow_warnings=True)
    assert isinstance(report, Graph)
    found = [
        f"{report.value(result, SH.resultPath) or report.value(result, SH.focusNode)}: "
        f"{str(report.value(result, SH.sourceConstraintComponent)).rpartition('#')[2]}"
        for result in report.objects(None, SH.result)
        if (result, SH.resultSeverity, SH.Violation) in report
    ]
    assert conforms is (not found)
    return sorted(found)
