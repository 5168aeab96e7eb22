"""The verbs of pseudonyms."""

from enclos.pseudonyms.steps.crossing import cross
from enclos.pseudonyms.steps.numbering import number_persons

__all__ = ["cross", "number_persons"]
