"""The sign-ins of a person that go on, as they see and end them themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal
from enclos.signin.model import Book, Person, SignIn
from enclos.signin.ports import Books
from enclos.signin.rules.tokens import LONGEST, check_is_recent
from enclos.signin.steps.tokens import ended_at, withdrawing


def note_sign_in(person: Person, via: str, *, books: Books, now: datetime) -> None:
    """Write down that somebody signed in, for as long as what they were given holds."""
    until = min(person.expires_at, now + LONGEST)
    with books.changing() as page:
        kept = {token: each for token, each in page.book.sign_ins.items() if now < each.until}
        page.book = replace(page.book, sign_ins={**kept, person.token: SignIn(person.subject, now, until, via)})


def sign_ins_of(subject: str, book: Book, now: datetime) -> Mapping[str, SignIn]:
    """The sign-ins of somebody that go on, by the id of their token, the newest first."""
    account = book.accounts.get(subject)
    ended = max((at for at in (ended_at(subject, book), account and account.tokens_after) if at), default=None)
    found = [
        (token, each)
        for token, each in book.sign_ins.items()
        if each.subject == subject
        and now < each.until
        and token not in book.withdrawn
        and (ended is None or each.at > ended)
    ]
    return dict(sorted(found, key=lambda pair: pair[1].at, reverse=True))


def end_sign_ins(person: Person, tokens: Collection[str], *, books: Books, now: datetime) -> list[str]:
    """End sign-ins of a person's own; with none named, all but the one that they act by. The ids of those that ended.

    The one that they act by may be ended whenever; others only by who showed their factors shortly before.
    Refuses: SIGN_IN_FACTOR; ACCOUNT_UNKNOWN when one is named that is not theirs or has ended.
    """
    if set(tokens) != {person.token}:
        check_is_recent(person, now)
    with books.changing() as page:
        own = sign_ins_of(person.subject, page.book, now)
        chosen = list(tokens) or [token for token in own if token != person.token]
        if not set(chosen) <= own.keys():
            raise refusal(Code.ACCOUNT_UNKNOWN, "You have no such sign-in.", "See yours with enclos sign-ins DIR.")
        page.book = withdrawing(page.book, {token: own[token].until for token in chosen}, now)
    return chosen
