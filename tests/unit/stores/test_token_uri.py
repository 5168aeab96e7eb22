"""PKCS#11 URIs: read as RFC 7512 writes them, never with a PIN."""

from __future__ import annotations

import pytest

from enclos.lexicon.codes import Code
from enclos.lexicon.refusals import NotAsPromised
from enclos.stores.keys import TokenPlace, read_token_uri


def test_a_uri_names_module_token_and_serial():
    uri = "pkcs11:token=Access%20body;serial=DEADBEEF?module-path=/usr/lib/x.so"
    place = read_token_uri(uri)
    assert place == TokenPlace("/usr/lib/x.so", "Access body", "DEADBEEF")
    assert place.pin_variable == "ENCLOS_PIN_ACCESS_BODY"


@pytest.mark.parametrize(
    "uri",
    [
        "pkcs11:token=x",
        "pkcs11:?module-path=/x.so",
        "pkcs11:token=x?module-path=/x.so&pin-value=1234",
        "pkcs11:token=x?module-path=/x.so&pin-source=file:/pin",
        "pkcs11:token=x;object=y?module-path=/x.so",
        "pkcs11:token=x;token=y?module-path=/x.so",
        "pkcs11:token?module-path=/x.so",
        "pkcs11:token=%FF?module-path=/x.so",
        "https://token",
    ],
)
def test_anything_else_is_refused_without_repeating_it(uri):
    with pytest.raises(NotAsPromised) as refused:
        read_token_uri(uri)
    assert refused.value.code is Code.KEY_URI
    assert "1234" not in str(refused.value)
