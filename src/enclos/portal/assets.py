"""The style and the scripts of the pages: files of this package, the same for everybody, served without any key."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from enclos.app.pages.rooms.frame import asset, asset_digest

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml; charset=utf-8",
}


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    try:
        content, digest = asset(name), asset_digest(name)
    except KeyError:
        raise HTTPException(404) from None
    if request.path_params["digest"] != digest:  # a page of an earlier version: what it meant is not here
        raise HTTPException(404)
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=kept)


ASSETS = Route("/assets/{digest}/{name}", _asset)
"""Each file under the digest of its content, so that it is kept for ever and never stale."""
