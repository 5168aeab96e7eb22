"""The verbs of pseudonyms."""

from enclos.pseudonyms.steps.crossing import cross
from enclos.pseudonyms.steps.numbering import number_persons
from enclos.pseudonyms.steps.tracing import trace_person

__all__ = ["cross", "number_persons", "trace_person"]
