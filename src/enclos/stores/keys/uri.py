"""Where a key store is, as text: ``file`` or a PKCS#11 URI (RFC 7512) that never holds a PIN."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import Refusal, refusal

_SCHEME = "pkcs11:"
_PATH, _QUERY = {"token", "serial"}, {"module-path"}


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """A token: the module that reaches it, its label and, where labels repeat, its serial number."""

    module: str
    token: str
    serial: str = ""

    @property
    def pin_variable(self) -> str:
        """The environment variable that may hold this token's PIN; ENCLOS_PIN stands for all."""
        return "ENCLOS_PIN_" + re.sub(r"[^A-Z0-9]", "_", self.token.upper())


def read_token_uri(text: str) -> TokenPlace:
    """The token that a PKCS#11 URI names.

    Refuses: KEY_URI when it is malformed, names no module or token, holds a PIN, or holds what is not understood
    Source: RFC 7512, sections 2.3 and 2.4
    """
    if not text.startswith(_SCHEME):
        raise _malformed("It does not begin with pkcs11:.")
    path, _, query = text.removeprefix(_SCHEME).partition("?")
    given = {**_attributes(path, ";", _PATH), **_attributes(query, "&", _QUERY)}
    if not given.get("token") or not given.get("module-path"):
        raise _malformed("It names no token or no module-path.")
    return TokenPlace(given["module-path"], given["token"], given.get("serial", ""))


def _attributes(text: str, separator: str, known: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in filter(None, text.split(separator)):
        name, equals, value = part.partition("=")
        if name.startswith("pin-"):
            raise _malformed("It holds a PIN or says where one is: PINs are given apart.")
        if name not in known or not equals or name in found:
            raise _malformed("It holds an attribute that is unknown here or given twice.")
        try:
            found[name] = unquote_to_bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            raise _malformed("It is not percent-encoded UTF-8.") from None
    return found


def _malformed(why: str) -> Refusal:
    return refusal(
        Code.KEY_URI,
        f"The PKCS#11 URI cannot be used. {why}",
        "Write pkcs11:token=LABEL?module-path=/path/to/module.so and set ENCLOS_PIN.",
    )
