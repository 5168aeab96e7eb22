"""The page of a profile."""

from __future__ import annotations

from collections.abc import Mapping

from enclos.app.pages.drawings import bars, births, by_month
from enclos.app.pages.page import NARROW, ReportPage, Section, Table, twice
from enclos.app.pages.words import Language, Words
from enclos.warehouse.profile.catalogue import DOMAINS, Domain
from enclos.warehouse.profile.model import Profile, SpreadRow

NOTICE = "Exact counts without suppression: for those who run the platform. Nothing here may leave it."
_N_TOP = 10
_SEX = {"8532": "women", "8507": "men"}
_DEATH = 500


def profile_page(profile: Profile, *, snapshot: int, concepts: Mapping[str, str], language: Language) -> str:
    """The page as HTML.

    In: concepts — names of the concepts that it may show, by id; see ``shown_concepts``.
    """
    words = Words(language)
    (first,) = profile.of(105) or (None,)
    median = first.median_value if isinstance(first, SpreadRow) else None
    n_events = sum(profile.count(domain.base + 30) for domain in DOMAINS if domain.base not in {900, 1000})
    figures = [
        (words.number(profile.count(1)), words("persons")),
        (words.number(sum(row.count_value for row in profile.of(113))), words("observed for at least a day")),
        (
            "–" if median is None else f"{words.number(median / 365.25, 1)} {words('years')}",
            words("median first observation"),
        ),
        (words.number(n_events), words("records of events")),
    ]
    sections = [*_births(profile, words), *_observed(profile, words), *_density(profile, words)]
    sections += [*_variety(profile, words), *_frequent(profile, words, concepts)]
    lead = words("{name}, counted on {day}.", name=profile.source or "–", day=profile.profiled_on)
    title = words("Content of snapshot {n}", n=snapshot)
    return ReportPage(language, title, lead, words(NOTICE), figures, sections).html()


def shown_concepts(profile: Profile) -> set[str]:
    """The concepts that the page names."""
    return {concept for domain in _clinical() for concept, _ in _top(profile, domain)}


def _clinical() -> list[Domain]:
    return [domain for domain in DOMAINS if domain.base != _DEATH and not domain.table.endswith("_era")]


def _top(profile: Profile, domain: Domain) -> list[tuple[str, int]]:
    rows = sorted(profile.of(domain.base + 1), key=lambda row: -row.count_value)
    return [(row.strata[0] or "0", row.count_value) for row in rows[:_N_TOP]]


def _births(profile: Profile, words: Words) -> list[Section]:
    rows = [
        {"year": int(row.strata[0]), "sex": words(_SEX.get(row.strata[1] or "", "other")), "n": row.count_value}
        for row in profile.of(10)
        if row.strata[0] is not None
    ]
    if not rows:
        return []
    return [Section(words("Persons by year of birth and sex"), "", twice(lambda width: births(rows, words, width)))]


def _day(month: str) -> str:
    return f"{month[:4]}-{month[4:]}-01"


def _observed(profile: Profile, words: Words) -> list[Section]:
    rows = [{"day": _day(row.strata[0]), "n": row.count_value} for row in profile.of(117) if row.strata[0]]
    if not rows:
        return []
    return [
        Section(
            words("Persons observed, by month"),
            words("Persons with at least a day of observation in each month."),
            twice(lambda width: by_month(rows, words("persons"), width, language=words.language)),
        )
    ]


def _density(profile: Profile, words: Words) -> list[Section]:
    rows = [
        {"table": words(domain.table), "day": _day(row.strata[0]), "n": row.count_value}
        for domain in _clinical()
        for row in profile.of(domain.base + 20)
        if row.strata[0]
    ]
    if not rows:
        return []
    lead = "Events inside observation, by the month in which they start. A gap or a step is a question to the sender."
    return [
        Section(
            words("Records by month"),
            words(lead),
            twice(
                lambda width: by_month(
                    rows,
                    words("records"),
                    width,
                    series="table",
                    columns=1 if width == NARROW else 2,
                    language=words.language,
                )
            ),
        )
    ]


def _variety(profile: Profile, words: Words) -> list[Section]:
    rows = []
    for domain in _clinical():
        for row in profile.of(domain.base + 3) if domain.asks(3) else ():
            if isinstance(row, SpreadRow):
                spread = (row.p25_value, row.median_value, row.p75_value, row.max_value)
                rows.append((words(domain.table), *(words.number(value) for value in (row.count_value, *spread))))
    names = ("table", "persons", "p25", "median", "p75", "maximum")
    table = Table(tuple(words(name) for name in names), rows)
    title = words("How many different concepts a person has")
    return [Section(title, words("Quartiles and maximum, among persons who have any."), table=table)]


def _frequent(profile: Profile, words: Words, concepts: Mapping[str, str]) -> list[Section]:
    sections = []
    lead = words("Records inside observation, of the ten most frequent concepts of each table.")
    for domain in _clinical():
        top = _top(profile, domain)
        if not top:
            continue
        rows = [
            {
                "name": words("no concept")
                if concept == "0"
                else concepts.get(concept, words("concept {id}", id=concept)),
                "n": n,
                "text": words.number(n),
            }
            for concept, n in top
        ]
        title = f"{words('The most frequent concepts')}: {words(domain.table)}"
        sections.append(
            Section(
                title,
                lead,
                twice(
                    lambda width, rows=rows: bars(  # type: ignore[misc]
                        rows,
                        words("records"),
                        width,
                        label_width=120 if width == NARROW else 330,
                        colour="#1b6f8a",
                        language=words.language,
                    )
                ),
            )
        )
        lead = ""
    return sections
