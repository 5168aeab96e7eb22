"""Cookies of who signs in, by where the portal is, and names of files that are given out."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response

from enclos.portal.desk import Desk, File, _given


@pytest.mark.parametrize(("root", "is_tls"), [("https://enclos.example.org", True), ("http://127.0.0.1:8400", False)])
def test_over_https_a_cookie_is_for_this_host_alone_and_never_sent_in_clear(root: str, is_tls: bool) -> None:
    desk = Desk(None, root, [])  # type: ignore[arg-type]  # nobody is served
    for name in (desk.session_cookie, desk.attempt_cookie):
        assert name.startswith("__Host-") is is_tls
        answer = Response()
        desk.set_cookie(answer, name, "x" * 43, 60)
        said = answer.headers["set-cookie"].split("; ")
        assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=60"} <= set(said)
        assert ("Secure" in said) is is_tls
        assert not [each for each in said if each.startswith("Domain")]


def test_a_file_s_name_holds_nothing_that_a_header_could_be_ended_by() -> None:
    request = Request({"type": "http", "headers": []})
    for name in ('a".zip', "a\r\nSet-Cookie: b=1", "../é;filename=c.html", "FR-2026-0042_1.zip"):
        said = _given(File(name, b"x", "application/zip"), request).headers["content-disposition"]
        kept = said.removeprefix('attachment; filename="').removesuffix('"')
        assert said == f'attachment; filename="{kept}"'
        assert len(kept) == len(name)
        assert not set(kept) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")
    assert kept == name
