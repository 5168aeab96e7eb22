"""Who asks, with the enclosure, for one request; and how lists come in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.exceptions import HTTPException

from enclos.app import permits
from enclos.app.denials import NOBODY
from enclos.app.enclosure import Enclosure
from enclos.app.faults import tell_fault
from enclos.app.jobs.model import HOUSE, digest_of, used_for_another
from enclos.app.jobs.works import WORKS
from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal
from enclos.portal.opened import Opened
from enclos.signin.model import Person, Role
from enclos.signin.steps import demand_role

_bearer = HTTPBearer(auto_error=False, description="A token of `enclos token`, or an access token of the provider.")


class Body(BaseModel):
    """What a request says: its fields and no others, each of its own kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _as_int(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


HoweverWritten = BeforeValidator(_as_int)
"""Of a whole number: JSON may write it 1.0. Source: JSON Schema 2020-12, § 4.2.3."""


class Asking:
    """A person and the enclosure, for one request."""

    def __init__(self, opened: Opened, enclosure: Enclosure, person: Person, token: str, request: Request) -> None:
        self.opened, self.enclosure, self.person, self.token = opened, enclosure, person, token
        self.permit = ""
        self._key = request.headers.get("idempotency-key", "")
        self._place = f"{request.method} {request.url.path}"

    @property
    def user(self) -> str:
        """The person's id, as permits and the ledger name it."""
        return self.person.subject

    @property
    def acting(self) -> Enclosure:
        """The enclosure for steps that no permit names a user for: the person stands where the operator would."""
        return replace(self.enclosure, acting=self.user)

    def as_a(self, *roles: Role) -> None:
        """Refuses: SIGN_IN_ROLE when the person has none of the roles."""
        if not self.has(*roles):
            demand_role(self.person, roles[0])

    def has(self, *roles: Role) -> bool:
        """Whether the person has one of the roles."""
        return any(self.person.has(role) for role in roles)

    def once(self, act: Callable[[], dict[str, Any]], asked: Body | None = None) -> dict[str, Any]:
        """What the act answers; under an Idempotency-Key that was used, what it answered then.

        In: asked — what was sent; beside it the address tells one request from another
        Refuses: JOB_KEY when the key was used for something else.
        """
        if not self._key:
            return act()
        if self.opened.jobs.has(self.enclosure, self.user, self._key):
            raise used_for_another()
        digest = digest_of([self._place, asked.model_dump(mode="json") if asked else None])
        return self.opened.answered.once(self.enclosure, self.user, self._key, digest, act)

    def begin(self, work: str, given: Mapping[str, Any], *, permit: str = HOUSE, title: str = "") -> dict[str, Any]:
        """Begin long work, as somebody who may; under a key that was used, the work that was begun then."""
        self.as_a(*WORKS[work].roles)
        self.permit = permit
        self._check_unanswered()
        return self.opened.jobs.start(
            self.enclosure, work, given, user=self.user, permit=permit, title=title, key=self._key
        )

    def begin_again(self, job: str) -> dict[str, Any]:
        """Begin the person's work that is over anew, as somebody who may now; under a key as ``begin``."""
        before = self.opened.jobs.show(self.enclosure, job, self.user)
        self.as_a(*WORKS[before["work"]].roles)
        self.permit = before["permit"] or HOUSE
        self._check_unanswered()
        return self.opened.jobs.again(self.enclosure, job, self.user, key=self._key)

    def permits(self) -> frozenset[str]:
        """The permits that list the person."""
        return frozenset(signed.permit.id for signed in permits.listing(self.enclosure, self.user))

    def of_mine(self, permit: str) -> str:
        """The permit, if it lists the person.

        Refuses: PERMIT_UNKNOWN: another's permit looks like none.
        """
        self.permit = permit
        permits.own(self.enclosure, permit, self.user)
        return permit

    def _check_unanswered(self) -> None:
        if self._key and self.opened.answered.has(self.enclosure, self.user, self._key):
            raise used_for_another()


def _asking(
    request: Request,
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Iterator[Asking]:
    if shown is None:
        raise refusal(Code.SIGN_IN_MISSING, "No token was shown.", "Send a bearer token: enclos token DIR.")
    state = request.app.state
    opened: Opened = state.opened
    with opened.use() as (enclosure, door):
        who = NOBODY
        try:
            person = door.person_of(shown.credentials, enclosure.ledger.now())
            who = person.subject
            state.pace.take(who)
        except Refusal as refused:
            opened.denials.tell(enclosure, who, refused, via="rest")
            raise
        asking = Asking(opened, enclosure, person, shown.credentials, request)
        try:
            yield asking
        except Refusal as refused:
            opened.denials.tell(enclosure, person.subject, refused, via="rest", permit=asking.permit)
            raise
        except (HTTPException, RequestValidationError):
            raise
        except Exception as error:  # noqa: BLE001 - a fault of ours: its text could quote what nobody may read
            tell_fault("rest", error)
            raise HTTPException(500) from None


def page(
    name: str, rows: list[dict[str, Any]], key: str, after: str, limit: int, *, is_in_order: bool = False
) -> dict[str, Any]:
    """The rows after an id, and the id to go on after; empty when there are no more.

    In: is_in_order — the rows stay as they are; else they come by their ids
    """
    if is_in_order:
        at = next((number for number, row in enumerate(rows, start=1) if str(row[key]) == after), 0)
        rest = rows[at:]
    else:
        rest = [row for row in sorted(rows, key=lambda row: str(row[key])) if str(row[key]) > after]
    return {name: rest[:limit], "next": str(rest[limit - 1][key]) if len(rest) > limit else ""}


Ask = Annotated[Asking, Depends(_asking)]
PermitId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
RequestId = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$")]
RunId = Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,64}$")]
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[str, Query(max_length=200, description="`next` of the page before.")]
AfterIndex = Annotated[str, Query(pattern=r"^[0-9]{0,15}$", description="`next` of the page before.")]
Workers = Annotated[int, Field(ge=1, le=256), HoweverWritten] | None
"""Over how many processes buckets are spread: at most one for each core, or as many as enclos.toml says."""
On = Literal["", "spark"]
"""Who looks at buckets instead: the cluster of enclos.toml; the host alone names another."""
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", min_length=1, max_length=100, description="What is asked for twice is done once."),
]
Answer = dict[str, Any]
PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'"
"""Of a page that is a file: it runs nothing and asks nobody."""
