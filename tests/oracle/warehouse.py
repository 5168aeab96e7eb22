"""Slow and plain: what lines of the SNDS become, line by line, to judge the warehouse's statements.

Written from docs/warehouse.md; shares no code with what it judges.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

Row = Mapping[str, Any]
Account = dict[str, Any]
LONG_AGO = date(1900, 1, 1)
RETURN_CODES = [
    "NIR_RET",
    "NAI_RET",
    "SEX_RET",
    "SEJ_RET",
    "FHO_RET",
    "PMS_RET",
    "DAT_RET",
    "COH_NAI_RET",
    "COH_SEX_RET",
]


def care_trap(line: Row) -> str | None:
    """The first trap of a line of the DCIR."""
    if line.get("DPN_QLF") in (71, 72) or line.get("PRS_DPN_QLP") == 71:
        return "information_line"
    if line.get("ETE_IND_TAA") == 1:
        return "public_hospital"
    if line.get("ETE_MCO_DDP") not in (None, "Z", "X"):
        return "private_stay"
    if (line.get("CPL_MAJ_TOP") or 0) >= 2:
        return "majoration"
    if line.get("CPL_AFF_COD") == 16:
        return "complement"
    return "no_nature" if line.get("BSE_PRS_NAT") == 0 else None


def place_fault(line: Row, persons: Collection[int]) -> str | None:
    """Why a line of the DCIR has no place in anybody's time."""
    day = line.get("EXE_SOI_DTD")
    if day is None or day < LONG_AGO:
        return "no_date"
    return None if line["person_id"] in persons else "no_person"


def visit_of(nature: int) -> int:
    """The visit concept of a nature of prestation."""
    if nature == 1096 or 1191 <= nature <= 1193 or 3103 <= nature <= 3105:
        return 5083
    for hundred, concept in ((12, 581476), (32, 32036), (33, 581458), (42, 581478)):
        if nature // 100 == hundred:
            return concept
    return 9202


def prestations(lines: Sequence[Row], persons: Collection[int]) -> tuple[Counter[tuple[Any, ...]], Account]:
    """Visits of care in town as (person, day, concept), and the account of the prestations."""
    reasons: Counter[str] = Counter()
    groups: defaultdict[tuple[Any, ...], list[float]] = defaultdict(list)
    for line in lines:
        trap = care_trap(line)
        if trap is None and 6000 <= line["PRS_NAT_REF"] <= 8999:
            trap = "cash_benefit"
        trap = trap or place_fault(line, persons)
        if trap:
            reasons[trap] += 1
        else:
            key = (line["person_id"], line["EXE_SOI_DTD"], line["PRS_NAT_REF"], line.get("executant_key"))
            groups[key].append(line["PRS_ACT_QTE"])
    n_mapped = n_cancelled = 0
    visits = set()
    for (person, day, nature, executant), quantities in groups.items():
        positive = sum(quantity > 0 for quantity in quantities) if sum(quantities) > 0 else 0
        n_mapped += positive
        n_cancelled += len(quantities) - positive
        if positive:
            visits.add((person, day, visit_of(nature), executant))
    found = Counter((person, day, concept) for person, day, concept, _ in visits)
    return found, account(len(lines), n_mapped, n_cancelled, reasons)


def dispensings(
    lines: Sequence[Row], persons: Collection[int], units: Mapping[int, int]
) -> tuple[Counter[tuple[Any, ...]], Account]:
    """Dispensings as (person, day, pack, quantity, days), and the account of their lines."""
    reasons: Counter[str] = Counter()
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for line in lines:
        trap = care_trap(line) or place_fault(line, persons)
        if trap is None and not line.get("PHA_PRS_C13"):
            trap = "no_code"
        if trap:
            reasons[trap] += 1
        else:
            kind = visit_of(line["PRS_NAT_REF"])
            key = (line["person_id"], line["EXE_SOI_DTD"], line["PHA_PRS_C13"], line.get("executant_key"), kind)
            groups[key].append(line["PHA_ACT_QSN"])
    n_mapped = n_cancelled = 0
    rows: Counter[tuple[Any, ...]] = Counter()
    for (person, day, pack, _executant, _kind), boxes in groups.items():
        if sum(boxes) <= 0:
            n_cancelled += len(boxes)
            continue
        positive = sum(n > 0 for n in boxes)
        n_mapped += positive
        n_cancelled += len(boxes) - positive
        size = units.get(pack)
        days = size if size in (28, 30, 84, 90) else 30
        rows[person, day, str(pack), float(sum(boxes) * (size or 1)), sum(boxes) * days] += 1
    return rows, account(len(lines), n_mapped, n_cancelled, reasons)


def devices(lines: Sequence[Row], persons: Collection[int]) -> tuple[Counter[tuple[Any, ...]], Account]:
    """Devices as (person, code, first day, last day, quantity), and the account of their lines."""
    reasons: Counter[str] = Counter()
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for line in lines:
        trap = care_trap(line) or place_fault(line, persons)
        if trap is None and line["TIP_PRS_IDE"] in (None, 0, 9999999999999):
            trap = "no_code"
        if trap:
            reasons[trap] += 1
            continue
        first, last = line.get("TIP_ACL_DTD"), line.get("TIP_ACL_DTF")
        if first is None or first < LONG_AGO:
            first = line["EXE_SOI_DTD"]
        if line.get("TIP_PRS_TYP") == 1 or last is None or last < first:
            last = None
        visit = (line["EXE_SOI_DTD"], line.get("executant_key"), visit_of(line["PRS_NAT_REF"]))
        code = f"{line['TIP_PRS_IDE']:07d}"
        groups[line["person_id"], code, first, last, visit].append(line["TIP_ACT_QSN"])
    rows: Counter[tuple[Any, ...]] = Counter()
    n_mapped = n_cancelled = 0
    for (person, code, first, last, _), quantities in groups.items():
        positive = sum(n > 0 for n in quantities) if sum(quantities) > 0 else 0
        n_mapped += positive
        n_cancelled += len(quantities) - positive
        if positive:
            rows[person, code, first, last, sum(quantities)] += 1
    return rows, account(len(lines), n_mapped, n_cancelled, reasons)


def costs(lines: Sequence[Row], persons: Collection[int]) -> Counter[tuple[Any, ...]]:
    """Costs of visits in town as (person, cents spent, cents paid by the insurer)."""
    spent: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    paid: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    acts: defaultdict[tuple[Any, ...], list[float]] = defaultdict(list)
    visits: defaultdict[tuple[Any, ...], set[tuple[Any, ...]]] = defaultdict(set)
    for line in lines:
        trap = care_trap(line)
        if trap is None and 6000 <= line["PRS_NAT_REF"] <= 8999:
            trap = "cash_benefit"
        trap = trap or place_fault(line, persons)
        visit = (line["person_id"], line["EXE_SOI_DTD"], line.get("executant_key"), visit_of(line["PRS_NAT_REF"]))
        if trap is None:
            act = (*visit, line["PRS_NAT_REF"])
            acts[act].append(line["PRS_ACT_QTE"])
            visits[visit].add(act)
        elif trap not in ("majoration", "complement"):
            continue
        if line.get("PRS_PAI_MNT") is not None:
            spent[visit].append(round(line["PRS_PAI_MNT"] * 100))
        if line.get("BSE_REM_MNT") is not None or line.get("CPL_REM_MNT") is not None:
            paid[visit].append(round(((line.get("BSE_REM_MNT") or 0) + (line.get("CPL_REM_MNT") or 0)) * 100))
    found: Counter[tuple[Any, ...]] = Counter()
    for visit, its_acts in visits.items():
        if any(sum(acts[act]) > 0 for act in its_acts) and (spent[visit] or paid[visit]):
            found[visit[0], sum(spent[visit]) if spent[visit] else None, sum(paid[visit]) if paid[visit] else None] += 1
    return found


def stay_trap(stay: Row, persons: Collection[int], doubled: Collection[str]) -> str | None:
    """The first trap of a stay."""
    if any(stay.get(code) not in (None, "0") for code in RETURN_CODES):
        return "return_code"
    if (stay.get("GRG_GHM") or "").startswith("90"):
        return "ungroupable"
    if stay.get("SEJ_TYP") == "B":
        return "inter_hospital"
    if stay.get("TYP_GEN_RSA") not in (None, 0):
        return "generated"
    leaves = stay.get("EXE_SOI_DTF") or stay.get("EXE_SOI_DTD")
    if leaves is not None and leaves.year <= 2017 and stay["ETA_NUM"] in doubled:
        return "doubled_finess"
    return place_fault(stay, persons)


def stays(
    rows: Sequence[Row], diagnoses: Sequence[Row], persons: Collection[int], doubled: Collection[str]
) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]], Account, Account]:
    """Visits as (person, entry, exit), diagnoses as (person, code, place), and both accounts; a stay is sent once."""
    verdicts = {stay["stay_key"]: stay_trap(stay, persons, doubled) for stay in rows}
    by_key = {stay["stay_key"]: stay for stay in rows}
    visits = Counter(
        (stay["person_id"], stay["EXE_SOI_DTD"], max(stay["EXE_SOI_DTD"], stay["EXE_SOI_DTF"] or stay["EXE_SOI_DTD"]))
        for key, stay in by_key.items()
        if verdicts[key] is None
    )
    reasons = Counter(verdict for verdict in verdicts.values() if verdict)
    found: set[tuple[Any, ...]] = set()
    for key, stay in by_key.items():
        if verdicts[key] is None:
            found |= {
                (stay["person_id"], key, stay[column], place)
                for column, place in (("DGN_PAL", "DP"), ("DGN_REL", "DR"))
                if stay.get(column)
            }
    more: Counter[str] = Counter()
    n_mapped = 0
    for line in diagnoses:
        key = line["stay_key"]
        verdict = verdicts.get(key, "no_stay")
        if verdict is None and not line["ASS_DGN"]:
            verdict = "no_code"
        if verdict:
            more[verdict] += 1
        else:
            n_mapped += 1
            found.add((line["person_id"], key, line["ASS_DGN"], "DAS"))
    conditions = Counter((person, code, place) for person, _, code, place in found)
    own = account(len(rows), sum(visits.values()), 0, reasons)
    return visits, conditions, own, account(len(diagnoses), n_mapped, 0, more)


FIELD_TRAPS = {
    "ace": (["NIR_RET", "NAI_RET", "SEX_RET", "IAS_RET", "ENT_DAT_RET"], None, None, ("13", "75")),
    "ssr_b": (RETURN_CODES, ("GRG_GME", "90"), "TYP_GEN_RHA", ("13", "69", "75")),
    "had_b": (RETURN_CODES, ("GHT_NUM", "99"), None, ("13", "69", "75")),
    "rip_rsa": (RETURN_CODES, None, "TYP_GEN_RSA", ()),
}
"""Of each field: return codes, what cannot be grouped, the mark of a generated row, departments sent twice."""
SEQUENCES = {"ace": (), "ssr_b": ("RHS_NUM",), "had_b": ("SEQ_NUM", "SSEQ_NUM"), "rip_rsa": ("SEQ_SEQ_NUM",)}


def sequence_trap(table: str, row: Row, persons: Collection[int], doubled: Collection[str]) -> str | None:
    """The first trap of a week, sub-sequence or sequence."""
    codes, group, generated, twice = FIELD_TRAPS[table]
    if any(row.get(code) not in (None, "0") for code in codes):
        return "return_code"
    if group and (row.get(group[0]) or "").startswith(group[1]):
        return "ungroupable"
    if table != "ace" and row.get("ENT_MOD") == "0" and row.get("SOR_MOD") == "0":
        return "inter_hospital"
    if generated and (row.get(generated) or "0") != "0":
        return "generated"
    leaves = row.get("EXE_SOI_DTF") or row.get("EXE_SOI_DTD")
    if leaves is not None and leaves.year <= 2017 and row["ETA_NUM"] in doubled and row["ETA_NUM"][:2] in twice:
        return "doubled_finess"
    return place_fault(row, persons)


Judged = list[tuple[str | None, Row]]


def judged_sequences(
    table: str, rows: Sequence[Row], persons: Collection[int], doubled: Collection[str]
) -> dict[int, Judged]:
    """The sequences of each stay in order, each with its first trap."""
    by_stay: defaultdict[int, Judged] = defaultdict(list)
    for row in sorted(rows, key=lambda one: tuple(one.get(name) or "" for name in SEQUENCES[table])):
        by_stay[row["stay_key"]].append((sequence_trap(table, row, persons, doubled), row))
    return dict(by_stay)


def spans_of_stays(by_stay: Mapping[int, Judged]) -> dict[int, tuple[str | None, date, date]]:
    """The trap, first and last day of each stay; it is kept when one of its sequences is."""
    stays: dict[int, tuple[str | None, date, date]] = {}
    for key, found in by_stay.items():
        kept = [row for trap, row in found if trap is None]
        row = kept[0] if kept else found[0][1]
        entry = row["EXE_SOI_DTD"]
        leave = row["EXE_SOI_DTF"]
        if leave is None:
            leave = max(
                entry + timedelta(days=(r.get("DEL_DAT") or 0) + max(r.get("SEQ_COU_NBJ") or 1, 1) - 1)
                for _, r in found
            )
        stays[key] = (None if kept else found[0][0], entry, max(entry, leave))
    return stays


def sequences(
    table: str,
    rows: Sequence[Row],
    lines: Sequence[Row],
    billed: Sequence[Row],
    persons: Collection[int],
    doubled: Collection[str],
) -> tuple[Counter[tuple[Any, ...]], Counter[tuple[Any, ...]], Account, Account]:
    """Visits as (person, entry, exit, concept), drugs as (person, code, day, quantity), both accounts."""
    by_stay = judged_sequences(table, rows, persons, doubled)
    reasons = Counter(trap for found in by_stay.values() for trap, _ in found if trap)
    stays = spans_of_stays(by_stay)
    visits: Counter[tuple[Any, ...]] = Counter()
    for key, found in by_stay.items():
        trap, entry, leave = stays[key]
        if trap is None:
            row = next(row for verdict, row in found if verdict is None)
            visits[row["person_id"], entry, leave, _kind_of_visit(table, row, billed)] += 1
    own = account(len(rows), sum(trap is None for found in by_stay.values() for trap, _ in found), 0, reasons)
    drugs: Counter[tuple[Any, ...]] = Counter()
    more: Counter[str] = Counter()
    for line in lines:
        verdict, entry, leave = stays.get(line["stay_key"], ("no_stay", LONG_AGO, LONG_AGO))
        if verdict is None and not (line["UCD_UCD_COD"] or "").strip("0"):
            verdict = "no_code"
        if verdict:
            more[verdict] += 1
        else:
            day = min(entry + timedelta(days=max(line["DAT_DELAI"] or 0, 0)), leave)
            drugs[line["person_id"], line["UCD_UCD_COD"][-7:], day, line["ADM_NBR"]] += 1
    return visits, drugs, own, account(len(lines), sum(drugs.values()), 0, more)


def _kind_of_visit(table: str, row: Row, billed: Sequence[Row]) -> int:
    if table == "ace":
        acts = [line["ACT_COD"] for line in billed if line["stay_key"] == row["stay_key"]]
        return 9203 if "ATU" in acts else 9202
    if table == "had_b":
        return 581476
    return 9202 if row.get("HOS_TYP_UM") in ("2", "4") else 9201


_REJECTED = {"no_date", "no_person", "no_code", "no_stay"}


def account(delivered: int, mapped: int, cancelled: int, reasons: Mapping[str, int]) -> Account:
    """The account of a table, without what is zero."""
    rejected = sum(n for name, n in reasons.items() if name in _REJECTED)
    full = {
        "delivered": delivered,
        "mapped": mapped,
        "cancelled": cancelled,
        "filtered": sum(reasons.values()) - rejected,
        "rejected": rejected,
        "reasons": dict(reasons),
    }
    return {name: value for name, value in full.items() if value not in (0, {})}
