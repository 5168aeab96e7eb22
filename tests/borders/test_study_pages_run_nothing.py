"""Whatever labels a vocabulary or a study holds, a page runs nothing, asks for nothing, and a file holds no formula."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from itertools import chain

import pytest

from enclos.app.pages.rooms.frame import Frame
from enclos.app.pages.rooms.words_frame import FRENCH_FRAME
from enclos.app.pages.rooms.words_research import FRENCH_RESEARCH
from enclos.app.pages.study import WHOLE, StudyPages
from enclos.app.pages.words import Language, Words
from enclos.contracts.result import StudyResult
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.tables import table_csv
from factories.places import At, result_of_places

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&]]>"
FORMULAS = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1")
LINES = "a\r=1\n\u2028b'\"\\"
BRACES = "{0} {n} datum['x'] %s ${x}"


def hostile(label: str) -> StudyResult:
    """A result in which every label that data can fill is the same hostile text."""
    cohort, other = {"cohort_name": label}, {"cohort_name": "other"}
    pair = {"cohort_name_reference": label, "cohort_name_comparator": "other"}
    share, box = {"count": "5", "percentage": "50"}, {"q25": "1", "median": "2", "q75": "3", "mean": "2"}
    concept = {"concept_id": "1", "covariate_id": "1"}
    ratio = {"odds_ratio": "2", "lower": "1", "upper": "4"}
    arms = {f"{each}_cohort_name": label for each in ("target", "comparator", "outcome")}
    compared = {"comparison": "primary", "target_cohort": label, "comparator_cohort": label, "withheld_for": ""}
    return result_of_places(
        ("summarise_characteristics", {}, [At(cohort, label, label, share)]),
        (
            "summarise_large_scale_characteristics",
            {"table_name": "condition_occurrence"},
            [At(each, label, "0 to 0", share, additional=concept) for each in (cohort, other)],
        ),
        ("summarise_standardised_differences", {}, [At(pair, label, label, {"smd": "0.2"})]),
        ("summarise_cohort_overlap", {}, [At(pair, "In both cohorts", "Subjects", share)]),
        ("summarise_drug_utilisation", {}, [At(cohort, label, None, box, additional={"concept_set": label})]),
        ("summarise_indication", {}, [At(cohort, label, label, share)]),
        ("treatment_pathways", {}, [At({"target_cohort": label}, "pathway", "a-b", share)]),
        ("code_use", {}, [At({"codelist_name": label}, label, "1", {"person_count": "4"})]),
        ("case_crossover", {}, [At({"outcome_cohort_name": label}, label, label, {"n_cases": "4", **ratio})]),
        ("compare_estimates", compared, [At(arms, "Effect", None, ratio, strata={"adjustment": "Adjusted"})]),
        ("compare_balance", compared, [At(arms, label, None, {"smd": "0.2"}, strata={"adjustment": each},
                                          additional=concept) for each in ("Adjusted", "Crude")]),
        ("summarise_cohort_attrition", {}, [At(cohort, "number_records", None, {"count": "3"}, {"reason": label},
                                               {"reason_id": "1"})]),
    )  # fmt: skip


def pages(result: StudyResult) -> StudyPages:
    return StudyPages(result, name=MARKUP, lead=MARKUP, notice=WHOLE, types=["incidence"] * 9, language=Language.EN)


class Seen(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_portal_s_page_of_results_writes_hostile_labels_as_text() -> None:
    shown = pages(hostile(MARKUP))
    frame = Frame(MARKUP, Words(Language.FR, {**FRENCH_FRAME, **FRENCH_RESEARCH}), f"/research/{MARKUP}", csrf=MARKUP)
    found = {
        "shown": "releasable",
        "snapshot": 1,
        "n_rows": 9,
        "verdict": "review",
        "reasons": [MARKUP],
        "nearest_safe": {"n_estimates": 9, "n_hidden": 1, "share_kept": 0.9, "min_count": 11},
    }
    values = {
        "permit": "FR-1",
        "run": "ab12",
        "found": found,
        "notice": shown.notice,
        "contents": shown.contents(),
        "readable": {at for _, at in shown.contents() if at is not None},
        "study": MARKUP,
        "requests": [],
    }
    text = frame.page("research_run", MARKUP, values)
    assert text.count("&lt;script&gt;") > 20
    seen = Seen()
    seen.feed(text)
    assert {tag for tag, _ in seen.tags}.isdisjoint({"iframe", "object", "embed", "use", "base", "svg"})
    assert [
        re.sub(r"[0-9a-f]{16}", "", attributes["src"] or "") for tag, attributes in seen.tags if tag == "script"
    ] == ["/assets//figures.js"]
    for tag, attributes in seen.tags:
        assert not {name for name in attributes if name.startswith("on") or name == "style"}, tag
        assert tag != "img" or re.fullmatch(r"ab12/figures/\d+/wide\.svg", attributes["src"] or "")


def test_a_page_with_hostile_labels_has_no_script_no_handler_and_no_address() -> None:
    text = pages(hostile(MARKUP)).html()
    seen = Seen()
    seen.feed(text)
    tags = {tag for tag, _ in seen.tags}
    assert tags.isdisjoint({"script", "img", "iframe", "object", "embed", "a", "image", "use", "foreignobject", "base"})
    for tag, attributes in seen.tags:
        assert not {name for name in attributes if name.startswith("on") or name in {"href", "src", "xlink:href"}}, tag
    assert "&lt;script&gt;" in text  # the label is there, as text
    assert "default-src 'none'" in text
    names = {number: tag for tag, _ in seen.tags for number in [tag] if re.fullmatch(r"h[123]", tag)}
    assert set(names) == {"h1", "h2", "h3"}
    assert all("scope" in attributes for tag, attributes in seen.tags if tag == "th")
    assert sum(tag == "caption" for tag, _ in seen.tags) == sum(tag == "table" for tag, _ in seen.tags) > 0
    assert all(attributes.get("aria-label") for tag, attributes in seen.tags if tag == "svg")


@pytest.mark.parametrize("label", [MARKUP, LINES])
def test_a_picture_with_hostile_labels_is_well_formed_and_draws_text_alone(label: str) -> None:
    shown = pages(hostile(label))
    drawings = [(shown.file(name) or b"").decode("utf-8") for name in shown.names() if name.endswith(".svg")]
    live = [drawn for at in range(len(drawings)) if (drawn := shown.live(at)) is not None]
    assert len(drawings) == len(live) >= 6
    for drawing in (*drawings, *live):
        elements = list(ET.fromstring(drawing).iter())  # noqa: S314 - ours
        assert not [name for each in elements for name in each.attrib if name.startswith("on")]
        tags = {element.tag.rpartition("}")[2] for element in elements}
        assert tags <= {
            "svg",
            "g",
            "path",
            "rect",
            "text",
            "tspan",
            "line",
            "defs",
            "clipPath",
            "circle",
            "style",
            "title",
        }


def test_ends_of_lines_in_labels_are_no_code_of_the_drawing_engine() -> None:
    files = dict(pages(hostile(LINES)).files())
    assert sum(name.endswith(".svg") for name in files) >= 6


def test_braces_in_labels_are_text() -> None:
    text = pages(hostile(BRACES)).html()
    assert text.count("{0} {n}") > 5


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_label_of_a_file_is_a_formula(formula: str) -> None:
    result = hostile(formula)
    tables = [table_csv(kind) for each in analyses_of(result.table, result.settings) for kind in each.kinds]
    assert tables
    fields = [*chain.from_iterable(chain.from_iterable(
        csv.reader(io.StringIO(table.decode("utf-8"), newline="")) for table in tables))]  # fmt: skip
    assert f"'{formula}" in fields
    assert not [each for each in fields if each.startswith(("=", "+", "-", "@", "\t", "\r"))]
