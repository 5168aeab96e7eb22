"""What a permit's document opens, and where it touches a limit, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from enclos.app.pages.rooms.saying import said_population
from enclos.app.pages.words import Words
from enclos.lexicon.codes import Code

WARNINGS: Mapping[str, tuple[str, str]] = {
    "few-persons": ("bad", "Fewer than {floor} persons would be in: nothing about them could leave."),
    "taken": ("warn", "A permit of this id is signed already."),
    "over": ("bad", "It would have ended before it is signed: {day}."),
    "longest": ("warn", "It lasts as long as its legal basis allows: {years} years [{source}]."),
    "earliest": ("warn", "Its data begin as early as its legal basis allows: {years} past years [{source}]."),
    "rows-of-all": ("warn", "It shows rows of everybody. Counts alone, or fewer persons, open less."),
    "all-tables": ("warn", "It opens all tables. Data are limited to what the purpose needs [EHDS Art. 66]."),
    "bare-identifiers": ("warn", "Identifying details are listed without a reason: {identifiers}."),
    "all-identifiers": ("warn", "All five identifying details are listed."),
    "objections-lifted": ("bad", "Persons who objected would be in: this needs a law of its own [EHDS Art. 71(4)]."),
    "objections-until-opened": ("warn", "Objections made after it is opened would not count."),
    "least-count": ("quiet", "The smallest count is this enclosure's floor of {floor}."),
    "investigator-out": ("quiet", "The investigator is not among the users: {person}."),
    "after-the-data": ("quiet", "Claims of days from {day} on are still coming in."),
}
"""How each warning is marked, and what it says in English."""

IDENTIFIERS: Mapping[str, str] = {
    "commune": "the commune where somebody lives",
    "birth_month": "the month of birth",
    "exact_dates": "the exact day of care",
    "death_date": "the day of death",
    "death_commune": "the commune of death",
}
UNCOUNTED: Mapping[str, str] = {
    "cohort": "Who is in is decided by a cohort definition; opening the permit counts them.",
    Code.LAKE_EMPTY.id: "Nothing was built yet, so nothing can be counted.",
}
_NOT_NOW = "Nothing can be counted now: the data are being changed, or they do not say who belongs."
MOVES: Mapping[str, str] = {
    "keep": "written",
    "ask": "handed in",
    "withdraw": "taken back",
    "grant": "signed as a permit",
    "refuse": "refused",
}
DAYS: Mapping[str, str] = {
    "reminder": "reminder: is it to be renewed?",
    "end": "end",
    "revoked": "revoked",
    "delete": "last day to delete what was kept",
    "results": "last day to publish results",
}
COUNTED_ACCESS = {"rows": "rows, inside the enclosure", "aggregates": "counts and estimates only"}


def said_warning(warning: Mapping[str, Any], words: Words) -> tuple[str, str]:
    """How a warning is marked, and what it says."""
    kind, text = WARNINGS[warning["warning"]]
    values = {name: value for name, value in warning.items() if name != "warning"}
    if "identifiers" in values:
        values["identifiers"] = ", ".join(words(IDENTIFIERS[each]) for each in values["identifiers"])
    if "source" in values:
        values["source"] = words(values["source"])
    return kind, words(text, **values)


def said_count(count: Mapping[str, Any], floor: int, words: Words, *, is_of_rows: bool = False) -> str:
    """A count of persons, or of their rows, as it may be told."""
    if count["n"] is None:
        return words("of fewer than {floor}" if is_of_rows else "fewer than {floor}", floor=floor)
    return words("about {n}", n=words.number(count["n"]))


def said_opening(shown: Mapping[str, Any], words: Words, floor: int) -> dict[str, Any]:
    """What a document opens: pairs of a name and a sentence, tables, warnings.

    In: shown — of ``read_draft`` or ``preview_permit``
    """
    counts = shown["counts"]
    persons = said_population(shown["population"], words)
    n_columns = words.number(sum(table["n_columns"] for table in shown["tables"]))
    n_tables = words.number(len(shown["tables"]))
    pairs = [
        (words("Permit"), shown["permit"]),
        (words("Holder"), f"{shown['organisation']} ({shown['investigator']})"),
        (words("Purpose"), f"{shown['purpose']} [{shown['article']}]"),
        (words("Who uses the data"), ", ".join(user["id"] for user in shown["users"])),
        (words("Whose data"), persons),
        (words("Days of data"), _days(shown, words)),
        (words("What is opened"), words("{n} columns of {m} tables", n=n_columns, m=n_tables)),
        (words("What is seen"), words(COUNTED_ACCESS[shown["access"]])),
        (words("Identifying details"), _identifiers(shown, words)),
        (words("Kept coarse"), ", ".join(words(IDENTIFIERS[each]) for each in shown["withheld"]) or words("nothing")),
        (words("Objections"), words(_objections(shown["opt_out"]))),
        (words("Smallest count that may leave"), _least(shown, words)),
        (words("In force"), _span(shown["valid_from"], shown["valid_until"], words)),
        (words("Legal basis"), f"{shown['legal_basis']} [{words(shown['source'])}]"),
    ]
    return {
        "pairs": pairs,
        "warnings": [said_warning(each, words) for each in shown["warnings"]],
        "figures": [] if not counts else _figures(counts, floor, words),
        "uncounted": words(UNCOUNTED.get(shown["uncounted"], _NOT_NOW)) if shown.get("uncounted") else "",
        "snapshot": counts and counts["snapshot"],
        "is_sample": bool(counts and counts["is_sample"]),
        "tables": [
            {**table, "rows": said_count(counts["rows"][table["table"]], floor, words, is_of_rows=True)}
            if counts and table["table"] in counts["rows"]
            else {**table, "rows": ""}
            for table in shown["tables"]
        ],
    }


def _figures(counts: Mapping[str, Any], floor: int, words: Words) -> list[tuple[str, str]]:
    return [
        (said_count(counts["persons"], floor, words), words("persons, an estimate")),
        (said_count(counts["all_rows"], floor, words, is_of_rows=True), words("rows, an estimate")),
    ]


def _days(shown: Mapping[str, Any], words: Words) -> str:
    period = shown["period"]
    n = words.number(period["n_days"])
    return words("{start} to {end}, {n} days", start=period["start"], end=period["end"], n=n)


def _identifiers(shown: Mapping[str, Any], words: Words) -> str:
    if not shown["identifiers"]:
        return words("none")
    said = []
    for each in shown["identifiers"]:
        text = words("{what}, in {n} columns", what=words(IDENTIFIERS[each["id"]]), n=each["n_columns"])
        said.append(f"{text} ({each['why']})" if each["why"] else text)
    return "; ".join(said)


def _objections(opt_out: Mapping[str, Any]) -> str:
    if not opt_out["applied"]:
        return "lifted: persons who objected are in"
    return "followed from one query to the next" if opt_out["as_of"] == "now" else "followed until it is opened"


def _least(shown: Mapping[str, Any], words: Words) -> str:
    if shown["round_to"] > 1:
        return words("{n} persons, rounded to {m}", n=shown["min_count"], m=shown["round_to"])
    return words("{n} persons", n=shown["min_count"])


def _span(start: str, end: str, words: Words) -> str:
    return words("{start} to {end}", start=start[:10], end=end[:10])
