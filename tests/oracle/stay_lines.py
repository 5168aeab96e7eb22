"""Slow and plain: what hangs on a stay of SSR, HAD, psychiatry or external care, line by line.

Written from docs/warehouse.md; shares no code with what it judges.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from oracle.warehouse import SEQUENCES, Account, Row, account, judged_sequences, spans_of_stays

Rows = Counter[tuple[Any, ...]]
OWN_DIAGNOSES = {
    "ace": {},
    "ssr_b": {"MOR_PRP": "MMP", "FP_PEC": "FPP", "ETL_AFF": "AE"},
    "had_b": {"DGN_PAL": "DP"},
    "rip_rsa": {"DGN_PAL": "DP"},
}
"""The diagnoses that a sequence bears, and the place of each."""


class Stays:
    """The stays of a field as their sequences tell them."""

    def __init__(self, table: str, rows: Sequence[Row], persons: Collection[int], doubled: Collection[str]) -> None:
        self.table = table
        self.by_stay = judged_sequences(table, rows, persons, doubled)
        self.spans = spans_of_stays(self.by_stay)

    def fault(self, line: Row, code: str | None) -> str | None:
        """Why a line of a stay is not kept."""
        trap = self.spans.get(line["stay_key"], ("no_stay",))[0]
        return trap or (None if code else "no_code")

    def after(self, key: int, delay: int | None, begin: date | None = None) -> date:
        """So many days after the begin, within the stay."""
        _, entry, leave = self.spans[key]
        return min((begin or entry) + timedelta(days=max(delay or 0, 0)), leave)

    def begin(self, key: int, sequence: str | None) -> date | None:
        """The first day of a sequence, within its stay; none where the stay has no such sequence."""
        _, entry, leave = self.spans[key]
        before = 0
        for _, row in self.by_stay[key]:
            if self.table == "had_b":
                nights = [row.get(name) for name in ("SEQ_SEJ_NBJ", "SSEQ_SEQ_NBJ")]
                offset = before if None in nights else sum(n or 0 for n in nights)
                first = entry + timedelta(days=offset)
                before += max(row.get("SSEQ_NBJ") or 0, 0)
            elif self.table == "ssr_b":
                monday = entry - timedelta(days=entry.weekday())
                first = monday + timedelta(days=7 * max(int(row["RHS_NUM"]) - 1, 0))
            else:
                return None
            if sequence == "/".join(row[name] for name in SEQUENCES[self.table]):
                return min(max(first, entry), leave)
        return None


def diagnoses(stays: Stays, lines: Sequence[Row]) -> tuple[Rows, Account]:
    """Diagnoses as (person, code, place, first day, last day): those of sequences, and those of lines, each once."""
    found: set[tuple[Any, ...]] = set()
    for key, judged in stays.by_stay.items():
        trap, entry, leave = stays.spans[key]
        for verdict, row in judged:
            found |= {
                (key, row["person_id"], row[column], place, entry, leave)
                for column, place in OWN_DIAGNOSES[stays.table].items()
                if trap is None and verdict is None and row.get(column)
            }
    reasons: Counter[str] = Counter()
    for line in lines:
        fault = stays.fault(line, line["ASS_DGN"])
        if fault:
            reasons[fault] += 1
        else:
            _, entry, leave = stays.spans[line["stay_key"]]
            found.add((line["stay_key"], line["person_id"], line["ASS_DGN"], line["place"], entry, leave))
    n_mapped = len(lines) - sum(reasons.values())
    return Counter(row[1:] for row in found), account(len(lines), n_mapped, 0, reasons)


def acts(stays: Stays, lines: Sequence[Row]) -> tuple[Rows, Account]:
    """Acts as (person, code, day, number, activity)."""
    rows: Rows = Counter()
    reasons: Counter[str] = Counter()
    for line in lines:
        fault = stays.fault(line, "any")
        if fault is None and line["PHA_ACT"] not in (None, "0", "1"):
            fault = "later_phase"
        if fault is None and not line["CDC_ACT"]:
            fault = "no_code"
        if fault:
            reasons[fault] += 1
            continue
        key, delay = line["stay_key"], line["ENT_DAT_DEL"]
        begin = stays.begin(key, line["sequence"])
        if line["delay_from"] == "sequence":
            day = stays.after(key, delay, begin)
        else:
            day = (begin or stays.after(key, 0)) if delay is None else stays.after(key, delay)
        rows[line["person_id"], line["CDC_ACT"], day, line["NBR_EXE_ACT"] or 1, line["ACV_ACT"]] += 1
    return rows, account(len(lines), rows.total(), 0, reasons)


def analyses(stays: Stays, lines: Sequence[Row]) -> tuple[Rows, Account]:
    """Analyses as (person, code of four digits, day)."""
    rows: Rows = Counter()
    reasons: Counter[str] = Counter()
    for line in lines:
        fault = stays.fault(line, line["NABM_COD"])
        if fault:
            reasons[fault] += 1
        else:
            day = stays.after(line["stay_key"], line["DEL_DAT_ENT"])
            rows[line["person_id"], line["NABM_COD"].lstrip("0").rjust(4, "0"), day] += 1
    return rows, account(len(lines), rows.total(), 0, reasons)


def devices(stays: Stays, lines: Sequence[Row]) -> tuple[Rows, Account]:
    """Implants as (person, code of seven digits, day, number)."""
    rows: Rows = Counter()
    reasons: Counter[str] = Counter()
    for line in lines:
        fault = stays.fault(line, (line["TIP_PRS_IDE"] or "").strip("0"))
        if fault:
            reasons[fault] += 1
        else:
            code = line["TIP_PRS_IDE"].lstrip("0").rjust(7, "0")
            rows[line["person_id"], code, stays.after(line["stay_key"], line["DELAI"]), line["NBR_POS"]] += 1
    return rows, account(len(lines), rows.total(), 0, reasons)
