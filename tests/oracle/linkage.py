"""Who is one person, and with what number: union-find and dictionaries, nothing shared with the engine."""

from __future__ import annotations


class Merging:
    """Union-find over any nodes."""

    def __init__(self):
        self.parent = {}

    def root(self, node):
        self.parent.setdefault(node, node)
        while self.parent[node] != node:
            node = self.parent[node]
        return node

    def join(self, one, other):
        self.parent[self.root(one)] = self.root(other)

    def groups(self):
        found = {}
        for node in self.parent:
            found.setdefault(self.root(node), set()).add(node)
        return {frozenset(group) for group in found.values()}


def components(edges):
    """The components of a graph given by its edges, as sets of nodes."""
    merging = Merging()
    for one, other in edges:
        merging.join(one, other)
    return merging.groups()


def persons(holders, patients, circuits):
    """Sets of source persons that are one person.

    In: holders — pseudonym → BEN_IDT_ANO; patients — (hospital, patient); circuits — (hospital, sent, answered) with
        sent (patient, temporary id) and answered (temporary id, pseudonym)
    """
    merging = Merging()
    for pseudonym, holder in holders.items():
        merging.join(("snds", pseudonym), ("holder", holder))
    for patient in patients:
        merging.root(patient)
    answers = {}
    for hospital, sent, answered in circuits:
        users = {t: {p for p, other in sent if other == t} for _, t in sent}
        spoiled = {patient for patients in users.values() if len(patients) > 1 for patient in patients}
        for patient, temporary in sent:
            if patient not in spoiled:
                answers.setdefault((hospital, patient), set()).update(p for t, p in answered if t == temporary)
    for patient, pseudonyms in answers.items():
        found = {holders[p] for p in pseudonyms if p in holders}
        if patient in patients and len(found) == 1:
            merging.join(patient, ("holder", found.pop()))
    groups = {frozenset(node for node in group if node[0] != "holder") for group in merging.groups()}
    return {group for group in groups if group}


class Numbering:
    """Counters of persons over time: what is known stays, the smaller wins a merger, the larger part a split."""

    def __init__(self):
        self.counters = {}
        self.next = 0

    def number(self, groups):
        """Number groups of source persons; the groups are given in the order in which new ones count on."""
        chosen = {}
        for place, group in enumerate(groups):
            known = sorted({self.counters[key] for key in group if key in self.counters})
            if known:
                n_keys = sum(self.counters.get(key) == known[0] for key in group)
                chosen.setdefault(known[0], []).append((-n_keys, place))
        winners = {min(places)[1]: counter for counter, places in chosen.items()}
        for place, group in enumerate(groups):
            counter = winners.get(place)
            if counter is None:
                counter, self.next = self.next, self.next + 1
            for key in group:
                self.counters[key] = counter
