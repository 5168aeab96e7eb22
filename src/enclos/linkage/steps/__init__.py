"""The verbs of linkage."""

from enclos.linkage.steps.direct import group_persons, link, measure_links, read_matches
from enclos.linkage.steps.indirect import link_indirectly, measure_indirect, try_indirectly

__all__ = [
    "group_persons",
    "link",
    "link_indirectly",
    "measure_indirect",
    "measure_links",
    "read_matches",
    "try_indirectly",
]
