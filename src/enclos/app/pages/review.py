"""The page of a month's review of the ledger."""

from __future__ import annotations

from calendar import monthrange
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from enclos.app.pages.acts_words import ACTIONS
from enclos.app.pages.drawings import bars
from enclos.app.pages.page import Picture, ReportPage, Section, Table, twice
from enclos.app.pages.review_drawings import by_day, by_hour
from enclos.app.pages.review_words import DETECTORS, FRENCH_REVIEW, KINDS
from enclos.app.pages.words import Language, Words
from enclos.ledger.model import Action, Outcome
from enclos.ledger.rules.acts import Act
from enclos.ledger.rules.watching import PRIVILEGED, USES, Finding

_N_ROWS = 200
"""Longer tables are in the JSON answer, not on the page."""


@dataclass(frozen=True, slots=True)
class ReviewedMonth:
    """What a review read and found; ``names`` tells digests of actors that are known."""

    month: str
    enclosure: str
    is_over: bool
    acts: tuple[Act, ...]
    findings: tuple[Finding, ...]
    names: Mapping[str, str]
    zone: tzinfo

    def name_of(self, actor: str) -> str:
        """The actor's name when it is known, else the beginning of its digest."""
        return self.names.get(actor, actor[:15])


def review_page(reviewed: ReviewedMonth, language: Language) -> str:
    """The page as HTML, findings first."""
    return review_of(reviewed, language).html()


def review_of(reviewed: ReviewedMonth, language: Language) -> ReportPage:
    """What the page shows."""
    words = Words(language, FRENCH_REVIEW)
    acts = reviewed.acts
    done = [act for act in acts if act.outcome is Outcome.DONE]
    figures = [
        (words.number(len(reviewed.findings)), words("findings")),
        (words.number(sum(act.action in USES for act in acts)), words("uses of data")),
        (words.number(sum(act.is_denied for act in acts)), words("denials")),
        (words.number(sum(act.number("n_rows") for act in done if act.action in USES)), words("rows of results")),
        (words.number(sum(act.action is Action.RELEASE_EXPORT for act in done)), words("exports")),
        (words.number(sum(act.action in PRIVILEGED for act in acts)), words("privileged operations")),
    ]
    sections = [
        _findings(reviewed, words),
        *_over_time(reviewed, words),
        *_denials(acts, words),
        *_volumes(done, words),
        *_exports(reviewed, done, words),
        *_privileged(reviewed, words),
    ]
    lead = words("{name}: every entry was read and proved to be what was signed.", name=reviewed.enclosure)
    notice = "" if reviewed.is_over else words("The month is not over yet.")
    title = words("The ledger in {month}", month=reviewed.month)
    return ReportPage(language, title, lead, notice, figures, sections)


def _findings(reviewed: ReviewedMonth, words: Words) -> Section:
    if not reviewed.findings:
        return Section(words("To look at"), words("No detector found anything."))
    columns = ("what", "who", "permit", "from", "to", "number", "entries")
    rows = [
        (
            words(DETECTORS[found.detector]),
            reviewed.name_of(found.actor),
            found.permit or "–",
            _when(reviewed, found.begun_at),
            _when(reviewed, found.ended_at),
            words.number(found.n),
            ", ".join(map(str, found.entries[:5])) + ("…" if len(found.entries) > _N_ENTRIES else ""),
        )
        for found in reviewed.findings[:_N_ROWS]
    ]
    lead = words("Each needs a person's eye and a written answer; the entries are named by their numbers.")
    return Section(words("To look at"), lead, table=Table(tuple(map(words, columns)), rows, n_texts=5))


_N_ENTRIES = 5


def _over_time(reviewed: ReviewedMonth, words: Words) -> list[Section]:
    if not reviewed.acts:
        return [Section(words("Day by day"), words("Nothing was done in this month."))]
    local = [(act, act.at.astimezone(reviewed.zone)) for act in reviewed.acts]
    days = Counter((at.date().isoformat(), _kind(act)) for act, at in local)
    for day in _days(reviewed.month):
        days.setdefault((day, 1), 0)
    rows = [{"day": day, "kind": words(KINDS[kind]), "n": n, "rank": kind} for (day, kind), n in sorted(days.items())]
    hours = Counter((at.weekday(), at.hour) for act, at in local if act.action in USES)
    cells = [
        {"weekday": weekday, "hour": hour, "n": hours[weekday, hour]} for weekday in range(7) for hour in range(24)
    ]
    kinds = [words(kind) for kind in KINDS]
    sections = [
        Section(
            words("Day by day"),
            words("What was done or refused, by the local day on which it began."),
            twice(lambda width: by_day(rows, kinds, words, width)),
        )
    ]
    if hours:
        names = [words(name) for name in _WEEKDAYS]
        sections.append(
            Section(
                words("Hours of work"),
                words("Uses of data by weekday and local hour."),
                twice(lambda width: by_hour(cells, names, words, width)),
            )
        )
    return sections


def _days(month: str) -> list[str]:
    year, number = (int(part) for part in month.split("-"))
    return [f"{month}-{day:02}" for day in range(1, monthrange(year, number)[1] + 1)]


_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def _kind(act: Act) -> int:
    """The place among KINDS: refused, a use of data, a privileged operation, anything else."""
    if act.is_denied:
        return 0
    if act.action in USES:
        return 1
    return 2 if act.action in PRIVILEGED else 3


def _bars(counted: Mapping[str, int], title: str, words: Words) -> Picture:
    rows = [{"name": name, "n": n, "text": words.number(n)} for name, n in counted.items()]
    return twice(lambda width: bars(rows, title, width, language=words.language))


def _denials(acts: Sequence[Act], words: Words) -> list[Section]:
    counted = Counter(str(act.code or "–") for act in acts if act.is_denied)
    if not counted:
        return []
    lead = words("By the rule that refused.")
    picture = _bars(dict(counted.most_common(20)), words("denials"), words)
    return [Section(words("Denials"), lead, picture)]


def _volumes(done: Sequence[Act], words: Words) -> list[Section]:
    counted: Counter[str] = Counter()
    for act in done:
        if act.permit and act.action in USES:
            counted[act.permit] += act.number("n_rows")
    if not counted:
        return []
    lead = words("Rows of results that were made under each permit, inside the enclosure.")
    picture = _bars(dict(counted.most_common(20)), words("rows"), words)
    return [Section(words("Volumes"), lead, picture)]


def _exports(reviewed: ReviewedMonth, done: Sequence[Act], words: Words) -> list[Section]:
    rows = [
        (
            _when(reviewed, act.at),
            act.permit or "–",
            str(act.facts.get("request", "–")),
            words.number(act.number("n_files")),
        )
        for act in done
        if act.action is Action.RELEASE_EXPORT
    ]
    if not rows:
        return []
    columns = tuple(map(words, ("when", "permit", "request", "files")))
    return [
        Section(words("Exports"), words("What left the enclosure."), table=Table(columns, rows[:_N_ROWS], n_texts=3))
    ]


def _privileged(reviewed: ReviewedMonth, words: Words) -> list[Section]:
    rows = [
        (
            _when(reviewed, act.at),
            words(ACTIONS[act.action.value]) if words.language is Language.FR else act.action.value,
            reviewed.name_of(act.actor),
            act.permit or "–",
            words(act.outcome.value) if act.outcome else "–",
            str(act.index),
        )
        for act in reviewed.acts
        if act.action in PRIVILEGED
    ]
    if not rows:
        return []
    columns = tuple(map(words, ("when", "operation", "who", "permit", "outcome", "entry")))
    lead = words("Of those who run the enclosure and grant permits.")
    return [Section(words("Privileged operations"), lead, table=Table(columns, rows[:_N_ROWS], n_texts=5))]


def _when(reviewed: ReviewedMonth, at: datetime) -> str:
    """With the zone of its clock: elsewhere instants are in UTC."""
    return f"{at.astimezone(reviewed.zone):%Y-%m-%d %H:%M %Z}"
