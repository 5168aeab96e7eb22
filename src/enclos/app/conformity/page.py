"""The page of an assessment, for people: what is shown, by whom, what blocks, and every requirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from enclos.app.conformity.drawings import frameworks, said_of
from enclos.app.pages.page import ReportPage, Section, Table, twice
from enclos.app.pages.words import Language

_STATUS = {"final": "", "draft": "draft", "partial": "partial", "titles": "titles only"}
_SIGHT = {"holds": "saw it hold", "fails": "saw it fail", "blind": "saw nothing"}
_SHOWN_BLOCKING = 12


def assessment_page(document: Mapping[str, Any]) -> str:
    """The assessment as one HTML page: no script, no request."""
    catalogues: Sequence[Mapping[str, Any]] = document["catalogues"]
    requirements = [each for one in catalogues for each in one["requirements"]]
    met = sum(each["verdict"] == "met" for each in requirements)
    sights = [each["sight"] for each in document["probes"]]
    contradicted = [(one, each) for one in catalogues for each in one["requirements"] if each["contradicted"]]
    in_force = sum(each["standing"] == "in force" for each in document["documents"])
    return ReportPage(
        language=Language.EN,
        title=f"Conformity of {document['enclosure']}",
        lead=f"Judged on {document['assessed_at'][:10]} by what probes saw and by documents in force. "
        "What nobody showed counts as not demonstrated.",
        notice="A share says little while its floor is not reached, and an assessment is no certificate.",
        figures=[
            (f"{met} / {len(requirements)}", "requirements met"),
            (f"{sum(one['floor_reached'] for one in catalogues)} / {len(catalogues)}", "floors reached"),
            (f"{sights.count('holds')} / {len(sights)}", "probes saw it hold"),
            (str(sights.count("fails")), "probes saw it fail"),
            (f"{in_force} / {len(document['documents'])}", "documents in force"),
            (str(len(contradicted)), "claims that probes belie"),
        ],
        sections=[
            Section(
                "How much is shown, and by whom",
                "Each bar is the weight of what applies: met as probes saw or documents say, found not to be met, or "
                "shown by nobody.",
                twice(lambda width: frameworks(catalogues, width)),
                _frameworks(catalogues),
            ),
            *_contradictions(contradicted),
            *_blocking(catalogues),
            *(_requirements(one) for one in catalogues),
            _probes(document["probes"]),
            _documents(document["documents"]),
            _sources(catalogues),
        ],
    ).html()


def _frameworks(catalogues: Sequence[Mapping[str, Any]]) -> Table:
    columns = ("framework", "score and floor", "met", "not met", "not demon­strated", "not appli­cable")
    rows = [
        (
            _named(one),
            said_of(one),
            str(one["met"]),
            str(one["not_met"]),
            str(one["not_demonstrated"]),
            str(one["not_applicable"]),
        )
        for one in catalogues
    ]
    return Table(columns, rows, n_texts=2)


def _named(one: Mapping[str, Any]) -> str:
    status = _STATUS[one["status"]]
    return f"{one['framework']} ({status})" if status else str(one["framework"])


def _contradictions(found: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[Section]:
    if not found:
        return []
    rows = [(one["framework"], each["id"], each["paraphrase"], each["why"]) for one, each in found]
    columns = ("framework", "number", "what a document says is so", "what a probe saw")
    lead = "A document in force says so, a probe saw otherwise: the probe counts."
    return [Section("Documents that probes belie", lead, table=Table(columns, rows, n_texts=4))]


def _blocking(catalogues: Sequence[Mapping[str, Any]]) -> list[Section]:
    rows = []
    for one in catalogues:
        if not one["blocking"]:
            continue
        shown = ", ".join(one["blocking"][:_SHOWN_BLOCKING])
        more = len(one["blocking"]) - _SHOWN_BLOCKING
        rows.append(
            (_named(one), one["floor"], f"{shown}{f' and {more} more' if more > 0 else ''}", str(len(one["blocking"])))
        )
    if not rows:
        return []
    columns = ("framework", "its floor", "not met or not demonstrated", "how many")
    lead = "What is mandatory and keeps a framework's floor from being reached."
    return [Section("What stands before the floors", lead, table=Table(columns, rows, n_texts=3))]


def _requirements(one: Mapping[str, Any]) -> Section:
    rows = [
        (
            each["id"],
            f"{each['title']}: {each['paraphrase']}" if each["title"] else each["paraphrase"],
            each["verdict"],
            each["why"],
        )
        for each in one["requirements"]
    ]
    table = Table(
        ("number", "in our words", "verdict", "why"), rows, n_texts=4, fold=f"Show its {len(rows)} requirements"
    )
    return Section(f"{_named(one)}: {said_of(one)}", f"{one['title']}. {one['note']}".strip(), table=table)


def _probes(probes: Sequence[Mapping[str, Any]]) -> Section:
    order = {"fails": 0, "holds": 1, "blind": 2}
    rows = [
        (each["probe"], _SIGHT[each["sight"]], each["said"])
        for each in sorted(probes, key=lambda each: (order[each["sight"]], each["probe"]))
    ]
    table = Table(("probe", "what it saw", "in words"), rows, n_texts=3, fold=f"Show {len(rows)} probes")
    lead = "Each looked at the thing itself when the assessment was made; one that could not look shows nothing."
    return Section("What the probes saw", lead, table=table)


def _documents(documents: Sequence[Mapping[str, Any]]) -> Section:
    if not documents:
        return Section("Declared documents", "None was declared.")
    rows = [
        (
            each["title"],
            each["owner"],
            each["dated_on"],
            each["expires_on"],
            each["standing"],
            str(len(each["requirements"])),
        )
        for each in documents
    ]
    columns = ("document", "who answers for it", "dated", "until", "standing", "requirements")
    return Section("Declared documents", "Only documents in force count.", table=Table(columns, rows, n_texts=5))


def _sources(catalogues: Sequence[Mapping[str, Any]]) -> Section:
    rows = [(_named(one), one["source"], one["licence"], one["note"] or "–") for one in catalogues]
    columns = ("framework", "source", "what is carried", "note")
    lead = "Paraphrases are ours and stand in for no text; which evidence is wanted is our judgement."
    return Section("Where the requirements come from", lead, table=Table(columns, rows, n_texts=4))
