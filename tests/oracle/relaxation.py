"""The deterministic relaxation, stay by stay and pair by pair; nothing shared with the engine."""

from __future__ import annotations


def relax(hospital, national, variables, relaxed=2):
    """What becomes of each hospital stay: (n_agree, person), (n_agree, None) for several, absent for none.

    In: hospital — stay → (patient, values); national — stay → (person, values)
    """
    settled, taken = {}, set()
    for wanted in range(len(variables), len(variables) - relaxed - 1, -1):
        found = {
            stay: near(values, national, variables, wanted) - taken
            for stay, (_, values) in hospital.items()
            if stay not in settled
        }
        finders = {other: {hospital[s][0] for s in found if other in found[s]} for other in national}
        for stay in [stay for stay in found if found[stay]]:
            persons = {national[other][0] for other in found[stay]}
            disputed = any(len(finders[other]) > 1 for other in found[stay])
            settled[stay] = (wanted, persons.pop() if len(persons) == 1 and not disputed else None)
        taken |= {other for stay in found if settled.get(stay, (0, None))[1] is not None for other in found[stay]}
    return settled


def near(mine, national, variables, wanted):
    """The stays that agree with one on so many variables."""
    return {
        other
        for other, (_, theirs) in national.items()
        if sum(mine[v] is not None and mine[v] == theirs[v] for v in variables) == wanted
    }
