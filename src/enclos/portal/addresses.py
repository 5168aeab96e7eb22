"""Which address of a portal shows a page again that a form brought: a link to it, as to another language, is a GET."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from starlette.routing import BaseRoute, Route

LED_BACK = "led back"
"""The name of routes that show no page but lead to one."""
_REST = "{rest:path}"


def gets(routes: Iterable[BaseRoute]) -> list[Route]:
    """Those that show a page of their own when they are asked by GET."""
    return [each for each in _of(routes) if "GET" in (each.methods or ()) and _REST not in each.path]


def posts_alone(routes: Sequence[BaseRoute]) -> list[str]:
    """The paths that take forms and show nothing when they are asked by GET."""
    shown = {each.path for each in gets(routes)}
    return sorted({each.path for each in _of(routes) if "POST" in (each.methods or ())} - shown)


def own_address(pages: Iterable[Route], path: str, otherwise: str) -> str:
    """The nearest address at or above a path that has a page.

    In: pages — of ``gets``; otherwise — where none has
    """
    known = [each.path_regex for each in pages]
    while path:
        if any(each.match(path) for each in known):
            return path
        path = path.rpartition("/")[0]
    return otherwise


def _of(routes: Iterable[BaseRoute]) -> list[Route]:
    return [each for each in routes if isinstance(each, Route)]
