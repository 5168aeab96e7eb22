"""Complementary cover (IR_ORC_R) and declared pregnancies (IR_MAT_R).

Nothing is drawn: who has them follows from a person's number, so that the rest of a France is the same with them.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from enclos.synthetic.illness import Indices
from enclos.synthetic.people import Days, People
from enclos.synthetic.references import layout
from enclos.synthetic.sheets import DAY_1600, DAY_2099, Deliveries, Field, day, digits, line, render, texts

DELIVERY = "snds-ref"
_C2S, _OTHER = 89, 87
_PREGNANCY_DAYS = 272


def write_covers(deliveries: Deliveries, folk: People, traps: Counter[str] | None) -> None:
    """Write one chunk of both tables; ``traps`` counts contracts of C2S and dates that say nothing."""
    number = folk.first + np.arange(len(folk))
    there = folk.leaves > folk.enters
    who = np.flatnonzero(there & (number * 7919 % 100 < 14))
    kind = np.where(number[who] % 7 == 0, _OTHER, _C2S)
    since = folk.enters[who] + number[who] * 31 % np.maximum(folk.leaves[who] - folk.enters[who], 1)
    until = np.where(number[who] % 3 == 0, DAY_2099, since + 364)
    if traps is not None:
        unknown = number[who] % 11 == 0
        until[unknown] = DAY_1600
        traps["orc_c2s"] += int((kind == _C2S).sum())
        traps["orc_end_1600"] += int(unknown.sum())
    contract = (texts([str(_C2S), str(_OTHER)]), (kind == _OTHER).astype(np.int64))
    _put(deliveries, "IR_ORC_R", len(who), [*_of(folk, who, since), *line(contract, day(since), day(until))])
    start = folk.enters + number * 17 % np.maximum(folk.leaves - folk.enters, 1)
    age = folk.age(start)
    who = np.flatnonzero(there & folk.female & (age > 18) & (age < 42) & (number * 13 % 100 < 12))
    birth = (start[who] + _PREGNANCY_DAYS).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    month = [*digits(birth // 12 + 1970, 4), *digits(birth % 12 + 1, 2)]
    _put(deliveries, "IR_MAT_R", len(who), [*_of(folk, who, start[who]), *line(day(start[who]), month)])


def _of(folk: People, who: Indices, when: Days) -> list[Field]:
    """BEN_NIR_PSA, BEN_RNG_GEM and BEN_IDT_ANO on a day."""
    second = (when >= folk.switch[who]) & (folk.second_psa[who] != b"")
    psa = np.where(second, folk.second_psa[who], folk.psa[who])
    return [psa, b";", *digits(folk.rank[who], 1), b";", folk.idt[who], b";"]


def _put(deliveries: Deliveries, table: str, n: int, fields: list[Field]) -> None:
    sheet = deliveries.sheet(DELIVERY, f"{table}.csv", table, layout(table))
    deliveries.write(sheet, render(n, fields), n)
