"""The page of a study's result, and the same pictures and tables as files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from pathlib import Path

from markupsafe import Markup

from enclos.app.pages.design_words import FRENCH_DESIGNS
from enclos.app.pages.page import NARROW, WIDE, Picture, ReportPage, Section, Table
from enclos.app.pages.reason_words import FRENCH_REASONS
from enclos.app.pages.study_words import FRENCH_STUDY
from enclos.app.pages.words import Language, Words
from enclos.app.progress import Report, silent
from enclos.contracts.result import StudyResult
from enclos.stores.files import storage_border, write_atomically
from enclos.studies.figures.live import can_be_read, live_svg, read_span
from enclos.studies.figures.model import Analysis, Figure
from enclos.studies.figures.parts import parts_of
from enclos.studies.figures.reading import analyses_of
from enclos.studies.figures.style import png, svg
from enclos.studies.figures.tables import table_csv

WHOLE = "Not released: exact numbers, for the persons of the permit alone. Nothing here may leave the enclosure."
SAFE = "Not released: what could be released as it is. Small numbers are withheld (–)."
_LONG_ROWS = 25
"""Longer tables are opened when asked for."""
_FAMILIES = {
    "incidence": "Incidence",
    "prevalence": "Prevalence",
    "prevalence_of_records": "Prevalence among stays",
    "survival": "Survival",
    "characterise": "Characteristics",
    "utilisation": "Use of drugs",
    "pathways": "Pathways",
    "compare": "Comparison",
    "sccs": "Self-controlled case series",
    "self_controlled_cohort": "Self-controlled cohort",
    "case_crossover": "Case-crossover",
    "case_control": "Case-control",
    "diagnose": "Phenotype diagnostics",
}


class StudyPages:
    """What people see of one result.

    In: result — None when nothing may be shown; notice — what may be done with it, in English; types — the type
        of each result id of the whole result; names — the study's own names, which are never translated
    """

    def __init__(
        self,
        result: StudyResult | None,
        *,
        name: str,
        lead: str,
        notice: str,
        types: Sequence[str],
        names: Collection[str] = (),
        language: Language = Language.EN,
        report: Report = silent,
    ) -> None:
        self._words = Words(language, {**FRENCH_STUDY, **FRENCH_DESIGNS, **FRENCH_REASONS}, names)
        self._name, self._lead, self._notice = name, lead, notice
        self._left_out = Counter(types)
        self._left_out.subtract(each.result_type for each in (() if result is None else result.settings))
        self._report = report
        self._analyses = [] if result is None else analyses_of(result.table, result.settings)
        self._parts = [(each, parts_of(each, self._words)) for each in self._analyses]

    def write(self, page: Path | None, out: Path | None) -> None:
        """Write the page, the folder of pictures and tables, or both, readable by the account that asks alone."""
        if page is not None:
            write_atomically(page, self.html().encode("utf-8"), "the page")
        if out is not None:
            with storage_border("the folder of pictures and tables"):
                out.mkdir(parents=True, exist_ok=True, mode=0o700)
            for name, content in self.files():
                write_atomically(out / name, content, "a picture or a table")

    def html(self) -> str:
        """The page: no script, no request."""
        words = self._words
        pictures = self._pictures()
        figures = [
            (words.number(len(self._analyses)), words("analyses")),
            (words.number(len(pictures)), words("pictures")),
            (
                words.number(sum(len(kind.points) for each in self._analyses for kind in each.kinds)),
                words("rows of results"),
            ),
        ]
        sections = list(self._sections(lambda figure: _picture(figure, words.language)))
        if section := self._not_shown():
            sections.append(section)
        return ReportPage(words.language, self._name, self._lead, words(self._notice), figures, sections).html()

    def contents(self) -> list[tuple[Section, int | None]]:
        """What the page shows, in order, with the number of the picture that a part has instead of the picture."""
        numbers: list[int] = []

        def number(_figure: Figure) -> None:
            numbers.append(len(numbers))

        found: list[tuple[Section, int | None]] = []
        for section in self._sections(number):
            has_one = len(numbers) > sum(at is not None for _, at in found)
            found.append((section, numbers[-1] if has_one else None))
        if section_not_shown := self._not_shown():
            found.append((section_not_shown, None))
        return found

    def drawn(self, number: int, *, is_narrow: bool = False) -> str | None:
        """A picture as SVG, by its number in ``contents``; None when there is none."""
        pictures = self._pictures()
        if not 0 <= number < len(pictures):
            return None
        width, language = NARROW if is_narrow else WIDE, self._words.language.value
        return svg(pictures[number], width, titled=False, language=language)

    def live(self, number: int, *, is_narrow: bool = False, within: Sequence[str] = ()) -> str | None:
        """A picture whose marks say what they stand for, as ``drawn``.

        In: within — date or number, and the first and last place of a time axis; what is none asks for the whole
        """
        pictures = self._pictures()
        if not 0 <= number < len(pictures):
            return None
        width, language = NARROW if is_narrow else WIDE, self._words.language.value
        span = read_span(*within) if within else None
        return live_svg(pictures[number], width, language=language, within=span)

    def can_be_read(self, number: int) -> bool:
        """Whether a picture has values to go through."""
        return can_be_read(self._pictures()[number])

    def _pictures(self) -> list[Figure]:
        return [part for _, parts in self._parts for part in parts if isinstance(part, Figure)]

    @property
    def notice(self) -> str:
        """What may be done with what is shown."""
        return self._words(self._notice)

    def _not_shown(self) -> Section | None:
        words = self._words
        if left_out := {kind: n for kind, n in self._left_out.items() if n > 0}:
            said = words(
                "{n} results are not shown: the permit does not show rows as the study reads them, and no rule of "
                "release lets these leave as they are: {kinds}.",
                n=sum(left_out.values()),
                kinds=", ".join(left_out),
            )
            return Section(words("What is not shown"), said)
        return None

    def _sections(self, draw: Callable[[Figure], Picture | None]) -> Iterator[Section]:
        words = self._words
        n_all = max(1, sum(len(parts) for _, parts in self._parts))
        done = 0
        for analysis, parts in self._parts:
            yield Section(f"{analysis.number}. {_heading(analysis, words)}", _about(analysis, words))
            for part in parts:
                if isinstance(part, Figure):
                    yield Section(part.title, part.description, draw(part), under=True)
                else:
                    note = words("{n} more rows are in the file.", n=part.n_left_out) if part.n_left_out else ""
                    fold = words("{n} rows", n=len(part.rows)) if len(part.rows) > _LONG_ROWS else ""
                    own = Table(part.columns, part.rows, part.n_texts, note, fold)
                    yield Section(part.title, part.lead, table=own, under=True)
                done += 1
                self._report("page", done / n_all)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Each table as CSV and each picture as SVG and PNG, by name, in order."""
        return ((name, make()) for name, make in self._made())

    def names(self) -> list[str]:
        """The names of these files; nothing is drawn."""
        return [name for name, _ in self._made()]

    def file(self, name: str) -> bytes | None:
        """One of them; None when there is none of this name."""
        return next((make() for each, make in self._made() if each == name), None)

    def _made(self) -> Iterator[tuple[str, Callable[[], bytes]]]:
        language = self._words.language.value
        for analysis, parts in self._parts:
            seen: dict[str, int] = {}
            for kind in analysis.kinds:
                again = seen[kind.result_type] = seen.get(kind.result_type, 0) + 1
                suffix = f"-{again}" if again > 1 else ""
                yield f"{analysis.number:02d}-{kind.result_type}{suffix}.csv", partial(table_csv, kind)
            pictures = [part for part in parts if isinstance(part, Figure)]
            for number, figure in enumerate(pictures, start=1):
                stem = f"{analysis.number:02d}-{analysis.family}-{number:02d}"
                yield f"{stem}.svg", partial(_svg, figure, language)
                yield f"{stem}.png", partial(png, figure, language=language)


def _heading(analysis: Analysis, words: Words) -> str:
    return words(_FAMILIES.get(analysis.family, analysis.family.replace("_", " ")))


def _about(analysis: Analysis, words: Words) -> str:
    """What an analysis compares, in the study's own names."""
    kind = analysis.of("compare_estimates")
    if kind is None or not kind.settings:
        return ""
    values = kind.settings[0].values
    ways = dict.fromkeys(each.values.get("comparison", "") for each in kind.settings)
    return words(
        "{target} against {comparator}; {n} way(s) of asking.",
        target=values.get("target_cohort", ""),
        comparator=values.get("comparator_cohort", ""),
        n=len(ways),
    )


def _svg(figure: Figure, language: str) -> bytes:
    return svg(figure, language=language).encode("utf-8")


def _picture(figure: Figure, language: Language) -> Picture:
    wide, narrow = (svg(figure, width, titled=False, language=language.value) for width in (WIDE, NARROW))
    return Picture(Markup(wide), Markup(narrow))  # noqa: S704 - SVG that vl-convert escaped
