"""What one person is: the connected component of source persons that a link joins."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from enclos.linkage.model import VARIABLES, LinkOutcome, Share

Nodes = npt.NDArray[np.int64]


def component_labels(left: Nodes, right: Nodes) -> tuple[Nodes, Nodes]:
    """The nodes that occur in edges, ascending, and for each the smallest node of its component.

    In: left, right — the two ends of each edge; direction, order and repetition do not matter
    Empty: no edge gives no node
    Check: oracle tests/oracle/linkage.py
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

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


_Z95 = 1.959963984540054


def share(n: int, of: int) -> Share:
    """A proportion with Wilson's score interval at 95 %.

    Empty: over nobody there is no interval
    Source: Wilson 1927; Brown, Cai, DasGupta 2001
    """
    if not of:
        return Share(0, 0, None, None)
    rate, square = n / of, _Z95**2
    middle = (rate + square / (2 * of)) / (1 + square / of)
    half = _Z95 / (1 + square / of) * math.sqrt(rate * (1 - rate) / of + square / (4 * of**2))
    return Share(n, of, 0.0 if n == 0 else middle - half, 1.0 if n == of else middle + half)


def stay_group(n_agree: int | None, *, matched: bool) -> str:
    """The group of a hospital stay in the deterministic relaxation.

    In: n_agree — variables of the step that settled it, None when no step did; matched — with one person
    """
    if n_agree is None:
        return "none"
    if not matched:
        return "multiple"
    return "group_1" if n_agree == len(VARIABLES) else "group_2"
