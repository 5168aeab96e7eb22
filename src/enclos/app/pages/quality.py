"""The page of a quality report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from enclos.app.pages.drawings import against_published, bars, outcomes
from enclos.app.pages.page import ReportPage, Section, Table, twice
from enclos.app.pages.words import Language, Words
from enclos.warehouse.quality.model import CheckResult, Drift, Marginal, QualityReport, Status

_N_FAILING = 200
"""More failing checks than that are in the results file, not on the page."""


def quality_page(
    report: QualityReport, *, snapshot: int, drift: Sequence[Drift] | None, against: int | None, language: Language
) -> str:
    """The page as HTML.

    In: drift — what moved since ``against``; None when nothing was compared.
    """
    words = Words(language)
    summary = report.summary()
    judged = summary["passed"] + summary["failed"]
    share = f"{words.number(100 * summary['passed'] / judged, 1)} %" if judged else "–"
    figures = [
        (words.number(summary["checks"]), words("checks")),
        (words.number(summary["passed"]), words("passed")),
        (words.number(summary["failed"]), words("failed")),
        (words.number(summary["not_applicable"]), words("not applicable")),
        (share, words("of the applicable checks passed")),
    ]
    sections = [_outcomes(report, words), *_by_table(report, words), *_french(report.marginals, words)]
    if drift is not None:
        sections.append(_moved(drift, against, words))
    sections += _failing(report, words)
    name = str(report.source.get("cdm_source_name") or "–")
    lead = words(
        "{name}, judged on {day} by the checks of CDM {cdm}.", name=name, day=report.checked_on, cdm=report.cdm_version
    )
    return ReportPage(language, words("Quality of snapshot {n}", n=snapshot), lead, "", figures, sections).html()


def _outcomes(report: QualityReport, words: Words) -> Section:
    counted = Counter((result.check.type.category, result.status) for result in report.results)
    rows = [
        {"kind": words(kind), "outcome": words(status.word), "n": n, "rank": _RANK[status]}
        for (kind, status), n in sorted(counted.items())
    ]
    return Section(
        words("What the checks say, by kind"),
        words("A check that nothing was counted for is not applicable; it never passes."),
        twice(lambda width: outcomes(rows, words, width)),
    )


_RANK = {Status.PASSED: 0, Status.FAILED: 1, Status.NOT_APPLICABLE: 2}


def _failed(report: QualityReport) -> list[CheckResult]:
    failed = [result for result in report.results if result.status is Status.FAILED]
    return sorted(failed, key=lambda result: (-result.tally.share_violated, result.check.key.id))


def _by_table(report: QualityReport, words: Words) -> list[Section]:
    counted = Counter(result.check.key.table for result in _failed(report))
    if not counted:
        return []
    rows = [{"name": table, "n": n, "text": str(n)} for table, n in counted.most_common()]
    return [
        Section(
            words("Where checks fail"),
            words("Failed checks of each table; a table that is not drawn has none."),
            twice(lambda width: bars(rows, words("failed checks"), width, language=words.language)),
        )
    ]


def _french(figures: Sequence[Marginal], words: Words) -> list[Section]:
    rows = [
        {
            "name": words(figure.name),
            "ratio": figure.measured / figure.published,
            "low": figure.low / figure.published,
            "high": figure.high / figure.published,
            "status": words("plausible " if figure.status is Status.PASSED else "not plausible"),
        }
        for figure in figures
        if figure.measured is not None
    ]
    if not rows:
        return []
    said = {Status.PASSED: "plausible ", Status.FAILED: "not plausible", Status.NOT_APPLICABLE: "not applicable"}
    table = Table(
        tuple(words(name) for name in ("figure", "measured", "published", "plausible", "status")),
        [
            (
                f"{words(figure.name)} [{figure.source}]",
                words.number(figure.measured, 1),
                words.number(figure.published, 1),
                f"{words.number(figure.low)}–{words.number(figure.high)}",
                words(said[figure.status]),
            )
            for figure in figures
        ],
    )
    return [
        Section(
            words("Against published French figures"),
            words("What is measured here, as a multiple of the published figure; the grey bar is what is plausible."),
            twice(lambda width: against_published(rows, words, width)),
            table,
        )
    ]


def _moved(drift: Sequence[Drift], against: int | None, words: Words) -> Section:
    title = words("What moved since snapshot {n}", n=against)
    if not drift:
        return Section(title, words("Nothing moved that much."))
    lead = "Tables whose rows changed by a fifth or more; concepts whose share changed by 2 points or more."
    rows = [
        (
            each.table,
            "–" if each.concept_id is None else str(each.concept_id),
            *(
                words.number(value) if each.concept_id is None else f"{words.number(100 * value, 1)} %"
                for value in (each.before, each.after)
            ),
        )
        for each in drift
    ]
    columns = tuple(words(name) for name in ("table", "concept", "before", "after"))
    return Section(title, words(lead), table=Table(columns, rows, n_texts=2))


def _failing(report: QualityReport, words: Words) -> list[Section]:
    failed = _failed(report)
    if not failed:
        return []
    rows = [
        (
            result.check.said(words.language.value),
            words.number(result.tally.n_violated),
            words.number(result.tally.n_denominator),
            f"{words.number(100 * result.tally.share_violated, 1)} %",
        )
        for result in failed[:_N_FAILING]
    ]
    columns = tuple(words(name) for name in ("expected", "rows not so", "of", "share"))
    title, lead = words("Every failed check"), words("Expected, and how many rows are not so.")
    return [Section(title, lead, table=Table(columns, rows))]
