"""What French pages say that is not marked as another language, and the English in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from urllib.parse import urljoin

import requests

from factories.enclosure import ALICE
from factories.lively_home import AUD, BEA, PERMIT
from factories.walking import follow

ENGLISH = frozenset({
    "the", "of", "is", "not", "was", "were", "be", "been", "should", "would", "could", "must", "has", "have", "had",
    "with", "which", "that", "this", "these", "those", "from", "than", "their", "its", "and", "but", "for", "each",
    "every", "some", "most", "least", "before", "after", "between", "under", "without", "until", "since", "only",
    "nothing", "nobody", "yet", "when", "where", "who", "whose", "what", "how", "there", "here", "see", "look",
    "found", "given", "shown", "ended", "done", "refused", "takes", "make", "made", "does", "did", "they", "them",
    "both", "other", "others", "never", "always", "because", "if", "then", "ago", "left", "missing", "starting",
})  # fmt: skip
"""Words of English that French has not: what is both (on, or, as, place, date) says nothing and is not here."""
_VOID = frozenset({"meta", "link", "input", "br", "img", "hr", "source"})
_NOT_SAID = frozenset({"pre", "code", "script", "style", "textarea", "option"})
"""What holds codes, and what people wrote."""
_NAMED = ("aria-label", "alt", "placeholder", "title")
_SECONDS = 120
_MARK = re.compile(r'name="csrf" value="([^"]+)"')
_WORD = re.compile(r"[^\W\d_]+")
_NUMBERED = re.compile(r"\w*\d\w*")
"""Ids, such as a0be8302, hold no words."""
_CODE = re.compile(r"\S*[@/_.:]\w\S*|\w+-\w+(?:-\w+)+")
"""Addresses, ids, names of columns and acts."""


class French(HTMLParser):
    """The texts of a page, of its elements and of the attributes that are read out, and its links."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self._open: list[tuple[str, bool]] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """An element: its language, what it is called, and where it leads."""
        given: Mapping[str, str | None] = dict(attrs)
        is_said = self._is_said and given.get("lang", "fr") == "fr" and tag not in _NOT_SAID
        if is_said:
            self.texts += [text for name in _NAMED if (text := given.get(name))]
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        if tag not in _VOID:
            self._open.append((tag, is_said))

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """A part of a drawing, which ends where it begins."""

    def handle_endtag(self, tag: str) -> None:
        """Its end, and that of what was left open in it."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """A text."""
        if self._is_said and data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def _is_said(self) -> bool:
        return self._open[-1][1] if self._open else True


def english_in(page: str, given: Sequence[str] = ()) -> list[str]:
    """Texts of a French page that have a word of English. In: given — what people of the test wrote, which stays."""
    return [text for text in French(page).texts if _english(text, given)]


def _english(text: str, given: Sequence[str]) -> bool:
    for each in given:
        text = text.replace(each, "")
    words = {word.lower() for word in _WORD.findall(_NUMBERED.sub(" ", _CODE.sub(" ", text)))}
    return bool(words & ENGLISH)


def walked_in_french(
    root: str,
    cookies: Mapping[str, str],
    patterns: dict[str, re.Pattern[str]],
    most: int,
    forms: Sequence[tuple[str, str, Mapping[str, str]]],
    given: Sequence[str],
) -> list[str]:
    """English that somebody is shown on French pages: address and text.

    In: forms — sent first: the page that a form stands on, where it goes, its fields; most — as of ``follow``; given —
        what people of the test wrote
    """
    session = requests.Session()
    session.headers.update({"Accept-Language": "fr", "Origin": root})
    session.cookies.update(cookies)
    found: list[str] = []

    def seen(answer: requests.Response) -> French | None:
        if not answer.headers.get("content-type", "").startswith("text/html"):
            return None
        if answer.url.endswith("en.html"):  # the English of a page that the public is shown
            return None
        assert '<html lang="fr">' in answer.text, answer.url
        found.extend(f"{answer.url.removeprefix(root)}: {text}" for text in english_in(answer.text, given))
        return French(answer.text)

    def look(path: str, _name: str, _is_first: bool) -> Sequence[str]:
        answer = session.get(root + path, timeout=_SECONDS)
        page = seen(answer)
        return [urljoin(answer.url, link) for link in page.links] if page else ()

    # a session speaks the language in which it was begun until another is chosen; other tests go on in that
    session.get(f"{root}/me?lang=fr", timeout=_SECONDS)
    for on, to, fields in forms:
        mark = _MARK.findall(session.get(root + on, timeout=_SECONDS).text)[0]
        seen(session.post(root + to, {"csrf": mark, **fields}, timeout=_SECONDS))
    follow(root, ["/me", "/"] if cookies else ["/", "/sign-in"], patterns, most, look)
    session.get(f"{root}/me?lang=en", timeout=_SECONDS)
    return found


GIVEN = ("A test of the whole chain", "For the committee", "For a paper", "Which ages does the paper need?")
"""What people wrote in ``lively_home``."""


def french_forms(who: str, runs: Sequence[str] = ()) -> list[tuple[str, str, Mapping[str, str]]]:
    """Forms that make pages which no link leads to, for a person of ``lively_home``."""
    now = datetime.now(UTC)
    permit = f"/research/permits/{PERMIT}"
    release = [
        (f"{permit}/runs/{run}/release", f"{permit}/runs/{run}/release", {"do": "check", "tables": "incidence"})
        for run in runs
    ]
    return {
        ALICE: [
            *release,
            (f"{permit}/sql", f"{permit}/sql", {"do": "run", "text": "SELECT random() FROM person"}),
            (f"{permit}/studies/write", f"{permit}/studies/write", {"do": "check", "text": "study: x\ncohorts: {}\n"}),
            (f"{permit}/studies/write", f"{permit}/studies/write", {"do": "check", "text": _ODD_NAME}),
        ],
        BEA: [
            ("/access/reviews", "/access/reviews", {"month": f"{now:%Y-%m}"}),
            ("/access/reviews", "/access/reviews", {"year": f"{now:%Y}"}),
        ],
        AUD: [("/audit/month", "/audit/month", {"month": f"{now:%Y-%m}"}), ("/audit/verify", "/audit/verify", {})],
    }.get(who, [])


_ODD_NAME = "study: x\ncohorts:\n  A: {concepts: [1], domain: drug}\nanalyses: []\n"
