"""What one person is: the connected component of source persons that a link joins."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from enclos.linkage.model import LinkOutcome

Nodes = npt.NDArray[np.int64]


def component_labels(left: Nodes, right: Nodes) -> tuple[Nodes, Nodes]:
    """The nodes that occur in edges, ascending, and for each the smallest node of its component.

    In: left, right — the two ends of each edge; direction, order and repetition do not matter
    Empty: no edge gives no node
    Check: oracle tests/oracle/linkage.py
    """
    nodes, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    if not len(nodes):
        return nodes, nodes
    ones = np.ones(len(left), dtype=np.int8)
    edges = coo_array((ones, (places[: len(left)], places[len(left) :])), shape=(len(nodes), len(nodes)))
    n_components, component = connected_components(edges, directed=False)
    smallest = np.full(n_components, np.iinfo(np.int64).max)
    np.minimum.at(smallest, component, nodes)
    return nodes, smallest[component]


def link_outcome(*, n_shared_ids: int, n_answers: int, n_persons: int) -> LinkOutcome:
    """What the direct circuit says of one patient.

    In: n_shared_ids — temporary ids that another patient of the hospital has too; n_answers — pseudonyms answered;
        n_persons — SNDS persons among them
    """
    if n_shared_ids or n_persons > 1:
        return LinkOutcome.CONFLICT
    if n_persons == 1:
        return LinkOutcome.LINKED
    return LinkOutcome.UNKNOWN_PERSON if n_answers else LinkOutcome.NO_ANSWER
