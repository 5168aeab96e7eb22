"""Rights of persons: objections by pseudonyms, and citizens' questions answered for their desk alone."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from enclos.app import objections, questions
from enclos.portal.api.asking import After, Answer, Ask, Body, Key, Limit, page
from enclos.pseudonyms.steps.objections import read_objections
from enclos.signin.model import Role

router = APIRouter()
Lines = Annotated[str, Field(min_length=1, max_length=900_000)]


class Objections(Body):
    """Lines ``source;pseudonym;rank`` under this header, as ``enclos optout`` reads them; never an identity."""

    lines: Lines
    source: str = Field(default="", max_length=64)


class Withdrawal(Body):
    """Objections by their lines, or by their receipts."""

    lines: Annotated[str, Field(max_length=900_000)] = ""
    source: str = Field(default="", max_length=64)
    receipts: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(default_factory=list, max_length=1000)


class Question(Body):
    """What a desk wrote."""

    question: dict[str, Any]


@router.get("/objections", summary="Objections with their receipts, never a pseudonym")
def _list(ask: Ask, after: After = "", limit: Limit = 50) -> Answer:
    ask.as_a(Role.STEWARD)
    told = objections.list_all(ask.acting)
    rows = page("objections", told["objections"], "receipt", after, limit)
    return {"standing": told["standing"], "withdrawn": told["withdrawn"], **rows}


@router.post("/objections", summary="Record objections", status_code=201)
def _add(ask: Ask, asked: Objections, key: Key = None) -> Answer:  # noqa: ARG001 - a dependency reads it
    ask.as_a(Role.STEWARD)
    objectors = read_objections(asked.lines, asked.source)
    return ask.once(lambda: objections.add_objections(ask.acting, objectors), asked)


@router.post("/objections/withdraw", summary="Withdraw objections")
def _remove(ask: Ask, asked: Withdrawal, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.STEWARD)
    objectors = read_objections(asked.lines, asked.source) if asked.lines else ()
    receipts = tuple(dict.fromkeys(asked.receipts))
    return ask.once(lambda: objections.remove_objections(ask.acting, objectors, receipts=receipts), asked)


@router.post("/questions/answer", summary="Answer a desk's question in a document that it alone can open")
def _answer(ask: Ask, asked: Question, key: Key = None) -> Answer:  # noqa: ARG001
    ask.as_a(Role.STEWARD)

    def act() -> Answer:
        with TemporaryDirectory(prefix="enclos-") as folder:
            question, out = Path(folder) / "question.json", Path(folder) / "answer.json"
            question.write_text(json.dumps(asked.question), encoding="utf-8")
            told = questions.answer(ask.acting, question, out)
            return {"question": told["question"], "answer": json.loads(out.read_bytes())}

    return ask.once(act, asked)
