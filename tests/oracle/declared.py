"""Slow and plain: hospital drugs and analyses in town, payers, covers, causes of death, pregnancies, mothers.

Written from docs/warehouse.md; shares no code with what it judges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import date, timedelta
from typing import Any

from oracle.warehouse import LONG_AGO, Account, Row, account, care_trap, place_fault, visit_of

Rows = Counter[tuple[Any, ...]]


def _added_up(
    lines: Sequence[Row],
    persons: Collection[int],
    code: Callable[[Row], str | None],
    quantity: str,
    known: Callable[[Row, str], str | None] = lambda *_: None,
) -> tuple[Rows, Account]:
    """Lines added up by person, day, code and visit, as (person, code, day, quantity)."""
    reasons: Counter[str] = Counter()
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for line in lines:
        trap, written = care_trap(line) or place_fault(line, persons), code(line)
        trap = trap or (known(line, written) if written else "no_code")
        if trap:
            reasons[trap] += 1
        else:
            visit = (line.get("executant_key"), visit_of(line["PRS_NAT_REF"]))
            groups[line["person_id"], written, line["EXE_SOI_DTD"], visit].append(line[quantity])
    rows: Rows = Counter()
    n_mapped = n_cancelled = 0
    for (person, written, day, _), quantities in groups.items():
        positive = sum(n > 0 for n in quantities) if sum(quantities) > 0 else 0
        n_mapped += positive
        n_cancelled += len(quantities) - positive
        if positive:
            rows[person, written, day, sum(quantities)] += 1
    return rows, account(len(lines), n_mapped, n_cancelled, reasons)


def hospital_drugs(
    lines: Sequence[Row], persons: Collection[int], handed_over: Collection[tuple[int, date, str]]
) -> tuple[Rows, Account]:
    """Hospital drugs in town.

    In: handed_over — person, day and code of what hospitals' pharmacies handed over.
    """

    def code(line: Row) -> str | None:
        written = (line["UCD_UCD_COD"] or "").rjust(13, "0")[-7:]
        return written if written.strip("0") else None

    def known(line: Row, written: str) -> str | None:
        return "handed_over" if (line["person_id"], line["EXE_SOI_DTD"], written) in handed_over else None

    return _added_up(lines, persons, code, "UCD_DLV_NBR", known)


def analyses(lines: Sequence[Row], persons: Collection[int]) -> tuple[Rows, Account]:
    """Analyses in town."""
    return _added_up(
        lines, persons, lambda line: f"{line['BIO_PRS_IDE']:04d}" if line["BIO_PRS_IDE"] else None, "BIO_ACT_QSN"
    )


def payers(lines: Sequence[Row], observed: tuple[date, date], persons: Collection[int]) -> Rows:
    """Periods of schemes as (person, scheme, first day, last day).

    In: observed — the first and last day that everybody is observed.
    """
    rows: Rows = Counter()
    for person in persons:
        days: defaultdict[date, set[str]] = defaultdict(set)
        for line in lines:
            named = "AME" if line.get("RGM_COD") in (95, 96) else line.get("RGM_GRG_COD")
            if line["person_id"] == person and named is not None and line["EXE_SOI_DTD"] >= LONG_AGO:
                days[line["EXE_SOI_DTD"]].add(str(named))
        turns: list[tuple[date, str]] = []
        for day in sorted(days):
            scheme = max(days[day])  # two schemes on one day: the later in the alphabet
            if not turns or turns[-1][1] != scheme:
                turns.append((day, scheme))
        for place, (day, scheme) in enumerate(turns):
            first = max(day, observed[0]) if place else observed[0]
            last = turns[place + 1][0] - timedelta(days=1) if place + 1 < len(turns) else observed[1]
            if first <= min(last, observed[1]):
                rows[person, scheme, first, min(last, observed[1])] += 1
    return rows


def covers(lines: Sequence[Row], persons: Collection[int], observed_to: date) -> tuple[Rows, Account]:
    """Periods of complementary cover as (person, plan, first day, last day)."""
    rows: Rows = Counter()
    reasons: Counter[str] = Counter()
    for line in lines:
        first, last = line["MLL_CTA_DSD"], line["MLL_CTA_DSF"]
        if first is None or first < LONG_AGO:
            reasons["no_date"] += 1
        elif line["person_id"] not in persons:
            reasons["no_person"] += 1
        else:
            if last is None or last < LONG_AGO or last.year >= 2099:
                last = observed_to
            plan = "C2S" if line["BEN_CTA_TYP"] == 89 else str(line["BEN_CTA_TYP"])
            rows[line["person_id"], plan, first, max(first, last)] += 1
    return rows, account(len(lines), rows.total(), 0, reasons)


def causes(lines: Sequence[Row], persons: Collection[int]) -> tuple[Rows, Account]:
    """Causes of death beside the initial one as (person, code, day), each once."""
    found: set[tuple[Any, ...]] = set()
    reasons: Counter[str] = Counter()
    for line in lines:
        day, code, initial = line["BEN_DCD_DTE"], line["ECD_CIM_COD"], line["DCD_CIM_COD"]
        if day is None or day < LONG_AGO:
            reasons["no_date"] += 1
        elif line["person_id"] not in persons:
            reasons["no_person"] += 1
        elif not code:
            reasons["no_code"] += 1
        elif initial and code.replace(".", "") == initial.replace(".", ""):
            reasons["initial_cause"] += 1
        else:
            found.add((line["person_id"], code, day))
    return Counter(found), account(len(lines), len(lines) - sum(reasons.values()), 0, reasons)


def pregnancies(lines: Sequence[Row], persons: Collection[int]) -> tuple[Rows, Account]:
    """Declared pregnancies as (person, day, month of birth)."""
    rows: Rows = Counter()
    reasons: Counter[str] = Counter()
    for line in lines:
        if line["BEN_GRS_DTE"] is None or line["BEN_GRS_DTE"] < LONG_AGO:
            reasons["no_date"] += 1
        elif line["person_id"] not in persons:
            reasons["no_person"] += 1
        else:
            rows[line["person_id"], line["BEN_GRS_DTE"], line["BEN_DRA_AME"] or None] += 1
    return rows, account(len(lines), rows.total(), 0, reasons)


def mothers(lines: Sequence[Row], persons: Collection[int]) -> tuple[Rows, Account]:
    """Relations as (first person, second person, what the second is to the first), each pair once from each side."""
    pairs = {(line["person_id"], line["mother_id"]) for line in lines if line["person_id"] in persons}
    n_nobody = sum(line["person_id"] not in persons for line in lines)
    reasons = {"no_person": n_nobody, "same_row": len(lines) - n_nobody - len(pairs)}
    rows = Counter((child, mother, 40478925) for child, mother in pairs)
    rows += Counter((mother, child, 40485452) for child, mother in pairs)
    return rows, account(len(lines), len(pairs), 0, {name: n for name, n in reasons.items() if n})
