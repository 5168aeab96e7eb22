"""What a form of a page sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from starlette.requests import Request

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import refusal

_MOST_FIELDS, _MOST_BYTES = 400, 1 << 20


@dataclass(frozen=True, slots=True)
class Form:
    """Fields by name; one that is not there is empty."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)

    def __getitem__(self, name: str) -> str:
        """The last value of a field, its ends of lines as Unix has them, without the white space around it."""
        given = self.values.get(name, ())
        return given[-1].replace("\r\n", "\n").strip() if given else ""

    def typed(self, name: str) -> str:
        """The last value of a field to the letter, as of a password."""
        return (self.values.get(name) or ("",))[-1]

    def without(self, name: str) -> Form:
        """The same without a field."""
        return Form({each: given for each, given in self.values.items() if each != name})

    def __len__(self) -> int:
        """The letters of all values."""
        return sum(len(value) for given in self.values.values() for value in given)

    def all(self, name: str) -> list[str]:
        """All values of a field, as of boxes that are ticked."""
        return list(self.values.get(name, ()))


async def read_form(request: Request) -> Form:
    """The form that came along.

    Refuses: SIGN_IN_ANSWER when it is longer than a page's form can be, or of another kind.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise _not_ours("The form is longer than any page's.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS, errors="strict")
    except ValueError:
        raise _not_ours("The form is not one of these pages.") from None
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return Form(values)


def _not_ours(what: str) -> Exception:
    return refusal(Code.SIGN_IN_ANSWER, what, "Open the page anew and send it again.")
