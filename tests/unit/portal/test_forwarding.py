"""Handing people's requests over: what goes along, and what happens when nobody is there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import requests
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from enclos.app.pages.rooms.frame import asset_address
from enclos.portal.public import public_application

SECONDS = 30


async def _echo(request: Request) -> Response:
    body = (await request.body()).decode()
    answer = JSONResponse({"path": str(request.url.path), "query": request.url.query, "body": body, **request.headers})
    answer.set_cookie("a", "1")
    answer.set_cookie("b", "2")
    return answer


def _served(application: object, listening: socket.socket) -> tuple[uvicorn.Server, Thread]:
    server = uvicorn.Server(uvicorn.Config(application, lifespan="off", log_config=None))  # type: ignore[arg-type]
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    return server, thread


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("p")
    place = folder / "s"
    inner, outer = socket.socket(socket.AF_UNIX), socket.create_server(("127.0.0.1", 0))
    inner.bind(str(place))
    inner.listen()  # so that who comes before the server runs waits for it
    echo = Starlette(routes=[Route("/me/{rest:path}", _echo, methods=["GET", "POST"])])
    public = public_application(folder, folder, over_tls=False, people=place)
    running = [_served(echo, inner), _served(public, outer)]
    yield f"http://127.0.0.1:{outer.getsockname()[1]}"
    for server, thread in running:
        server.should_exit = True
        thread.join()
    inner.close()
    outer.close()


def test_listed_headers_path_and_body_go_over_and_nothing_else(root: str) -> None:
    sent = {"Cookie": "c=1", "X-Forwarded-For": "1.2.3.4", "X-Person": "alice", "Authorization": "Bearer t"}
    answer = requests.post(f"{root}/me/a%2fb?q=%C3%A9", data=b"x=1", headers=sent, timeout=SECONDS)
    told = answer.json()
    assert (told["query"], told["body"], told["cookie"], told["authorization"]) == (
        "q=%C3%A9",
        "x=1",
        "c=1",
        "Bearer t",
    )
    assert not {"x-forwarded-for", "x-person"} & told.keys()
    assert {each.name for each in answer.cookies} == {"a", "b"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_what_is_too_long_is_refused_and_other_paths_are_not_handed_over(root: str) -> None:
    too_long = b"x" * ((1 << 20) + 1)
    for path in ("/me/x", "/api/releases"):
        answer = requests.post(root + path, data=too_long, timeout=SECONDS)
        assert (answer.status_code, answer.headers["cache-control"]) == (413, "no-store")
    said = {"type": "about:blank", "title": "Not served", "status": 413, "code": "", "branch": ""}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == said | {
        "detail": "What was sent is larger than a mebibyte.",
        "next": "Send less at once.",
    }
    for path in ("/mean", "/people", "/meme/x", "/asker"):
        assert requests.get(root + path, timeout=SECONDS).status_code == 404


def test_assets_say_what_they_are_and_in_which_writing(root: str) -> None:
    types = {"icon.svg": "image/svg+xml", "portal.css": "text/css", "editor.js": "text/javascript"}
    for name, kind in types.items():
        answer = requests.get(root + asset_address(name), timeout=SECONDS)
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert not {
            each for each in ("localStorage", "sessionStorage", "indexedDB", "postMessage") if each in answer.text
        }


def test_where_nobody_is_there_who_asks_is_told_so_in_their_way(tmp_path: Path) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    public = public_application(tmp_path, tmp_path, over_tls=False, people=tmp_path / "nobody")
    server, thread = _served(public, listening)
    root = f"http://127.0.0.1:{listening.getsockname()[1]}"
    token = {"Authorization": "Bearer t"}
    over_rest = requests.get(f"{root}/api/me", headers=token, timeout=SECONDS)
    browser = {"Accept": "text/html,*/*", "Accept-Language": "fr"}
    page = requests.get(f"{root}/me", headers=browser, timeout=SECONDS)
    line = requests.get(f"{root}/me", timeout=SECONDS)
    server.should_exit = True
    thread.join()
    listening.close()
    assert {each.status_code for each in (over_rest, page, line)} == {502}
    assert {each.headers["retry-after"] for each in (over_rest, page, line)} == {"10"}
    assert over_rest.headers["content-type"] == "application/problem+json"
    assert (over_rest.json()["status"], over_rest.json()["next"]) == (502, "Ask again in a minute.")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "L&#39;enclos ne répond pas." in page.text or "L'enclos ne répond pas." in page.text
    assert '<html lang="fr"' in page.text
    assert line.text == "The enclosure does not answer. Ask again in a minute.\n"
