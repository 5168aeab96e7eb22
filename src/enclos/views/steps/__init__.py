"""Opening a permit, and reading through it."""

from enclos.views.steps.foreseeing import foresee
from enclos.views.steps.opening import UNNUMBERED, numbered, open_view
from enclos.views.steps.reading import PermitBucket, PermitCdm, PermitReader, open_members

__all__ = [
    "UNNUMBERED",
    "PermitBucket",
    "PermitCdm",
    "PermitReader",
    "foresee",
    "numbered",
    "open_members",
    "open_view",
]
