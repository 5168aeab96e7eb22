"""The way through a portal that somebody can go by links."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from starlette.routing import Route

from enclos.portal.addresses import LED_BACK
from enclos.portal.opened import Opened
from enclos.portal.people import People
from factories.browsing import Tab
from factories.enclosure import PASSPHRASE

NO_PAGE = ("/api/", "/openapi.json", "/assets/", "/ledger/", "/sign-in/answer", "/sign-in/ended", "/me/session")


def patterns_of(home: Path) -> dict[str, re.Pattern[str]]:
    """The addresses of pages that the application has, by what they are called in its routes."""
    application = People(Opened(home, PASSPHRASE), "http://127.0.0.1").application()
    routes = [each for each in application.routes if isinstance(each, Route) and "GET" in (each.methods or ())]
    pages = [each for each in routes if each.name != LED_BACK and "{rest:path}" not in each.path]
    return {each.path: each.path_regex for each in pages}


def follow(
    root: str,
    first: Sequence[str],
    patterns: dict[str, re.Pattern[str]],
    most: int,
    look: Callable[[str, str, bool], Sequence[str]],
) -> set[str]:
    """Follow every link that somebody is shown; what the pages are called that were reached.

    In: most — of pages that differ only in what they are about, so many are looked at; look — opens a page, of its
        path, what it is called and whether it is the first of these; gives the whole addresses that it leads to
    """
    reached, seen, looked_at, ahead = set[str](), set[str](), dict[str, int](), list(first)
    while ahead:
        path = ahead.pop(0)
        name = next((each for each, pattern in patterns.items() if pattern.match(path.partition("?")[0])), path)
        shape = name + "?" * ("?" in path)
        if path in seen or looked_at.get(shape, 0) >= most or path.startswith(NO_PAGE):
            continue
        seen.add(path)
        looked_at[shape] = looked_at.get(shape, 0) + 1
        ahead += [_inner(link) for link in look(path, name, looked_at[shape] == 1) if link.startswith(root + "/")]
        reached.add(name)
    return reached


def walk(
    opened: Tab,
    first: Sequence[str],
    patterns: dict[str, re.Pattern[str]],
    most: int,
    look: Callable[[str, str, bool], bool],
) -> set[str]:
    """The same in a browser. In: look — tells whether what it opened is a page"""

    def leads_to(path: str, name: str, is_first: bool) -> Sequence[str]:
        if not look(path, name, is_first):
            return ()
        links: list[str] = opened.page.eval_on_selector_all("a[href]", "all => all.map(each => each.href)")
        return links

    return follow(opened.root, first, patterns, most, leads_to)


def _inner(address: str) -> str:
    parts = urlsplit(address)
    query = "&".join(each for each in parts.query.split("&") if each and not each.startswith("lang="))
    return parts.path + (f"?{query}" if query else "")
