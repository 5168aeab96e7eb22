"""Who asks."""

from __future__ import annotations

from fastapi import APIRouter

from enclos.app.sign_in import end_sign_ins, sign_ins, sign_out
from enclos.portal.api.asking import After, Answer, Ask, Key, Limit, page

router = APIRouter()


@router.get("/me", summary="Who you are")
def _me(ask: Ask) -> Answer:
    return dict(ask.person.as_json())


@router.post("/me/sign-out", summary="Sign out: the token is worth nothing from now on")
def _out(ask: Ask) -> Answer:
    return sign_out(ask.enclosure, ask.token)


@router.get("/me/sign-ins", summary="Your sign-ins that go on")
def _sign_ins(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    rows = sign_ins(ask.enclosure, ask.person)["sign_ins"]
    return page("sign_ins", rows, "sign_in", after, limit, is_in_order=True)


@router.post("/me/sign-ins/end-others", summary="End all your sign-ins but this one, within ten minutes of it")
def _end_others(ask: Ask, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    return ask.once(lambda: end_sign_ins(ask.enclosure, ask.person))


@router.post(
    "/me/sign-ins/{sign_in}/end", summary="End one of your sign-ins; another than this within ten minutes of it"
)
def _end(ask: Ask, sign_in: str, key: Key = None) -> Answer:  # noqa: ARG001
    return ask.once(lambda: end_sign_ins(ask.enclosure, ask.person, [sign_in]))
