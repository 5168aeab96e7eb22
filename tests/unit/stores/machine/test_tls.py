"""Endpoints are asked by handshakes: a good one holds, and each weakness of a bad one is named."""

from __future__ import annotations

import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from enclos.conformity.model import Sight
from enclos.conformity.steps import look
from enclos.stores.machine.tls import FACETS, Endpoint, tls_probes

NOW = datetime.now(UTC)
NAMES = ["crypto.tls", "crypto.cert", *(f"crypto.tls:{facet}" for facet in FACETS)]


def certificate(folder: Path, *, is_good: bool) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1()) if is_good else rsa.generate_private_key(65537, 1024)  # noqa: S505 - meant
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    lasts = timedelta(days=90 if is_good else 3650)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    made = made.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + lasts)
    if is_good:
        usage = x509.KeyUsage(*[True] + [False] * 8)
        url = x509.UniformResourceIdentifier("http://ca.example/crl")
        for extension in (
            usage,
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]),
            x509.SubjectAlternativeName([x509.DNSName("localhost")]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
            x509.CRLDistributionPoints([x509.DistributionPoint([url], None, None, None)]),
        ):
            made = made.add_extension(extension, critical=False)
    signed = made.sign(key, hashes.SHA256())
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return paths


@contextmanager
def served(context: ssl.SSLContext) -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def answer() -> None:
            while not over.is_set():
                try:
                    line, _ = listener.accept()
                except OSError:
                    return
                with line:
                    line.settimeout(5)
                    try:
                        context.wrap_socket(line, server_side=True).close()
                    except OSError:
                        continue

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield Endpoint("127.0.0.1", listener.getsockname()[1])
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def context_of(folder: Path, *, is_good: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers(
        "ECDHE+AESGCM:ECDHE+CHACHA20" if is_good else "AES128-SHA:AES256-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"
    )
    context.load_cert_chain(*certificate(folder, is_good=is_good))
    if not is_good:
        context.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_2
    return context


def sights(*endpoints: Endpoint) -> dict[str, Sight]:
    return {name: found.sight for name, found in look(tls_probes(endpoints, NOW), NAMES).items()}


def test_a_good_endpoint_holds_in_everything(tmp_path: Path) -> None:
    with served(context_of(tmp_path, is_good=True)) as endpoint:
        assert {name for name, sight in sights(endpoint).items() if sight is not Sight.HOLDS} == set()


def test_each_weakness_of_a_bad_endpoint_is_named_and_the_worst_endpoint_decides(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    with served(context_of(tmp_path / "bad", is_good=False)) as bad, served(context_of(tmp_path, is_good=True)) as good:
        found = sights(good, bad)
    wrong = {name.removeprefix("crypto.tls:") for name, sight in found.items() if sight is Sight.FAILS}
    assert wrong == {
        *("crypto.tls", "crypto.cert", "modern", "no-old-version", "forward-secrecy", "ecdhe", "aead", "sha-2"),
        *("three-years", "key-size", "key-usage", "extended-key-usage", "names", "issuer-identifier"),
        *("revocation-sources", "server-order"),
    }


def test_without_an_endpoint_or_with_one_that_is_silent_nothing_is_shown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free = Endpoint("127.0.0.1", listener.getsockname()[1])
    assert set(sights().values()) == set(sights(free).values()) == {Sight.BLIND}


@pytest.mark.parametrize("text", ["no port", ":443", "host:port"])
def test_an_endpoint_is_a_host_and_a_port(tmp_path: Path, text: str) -> None:
    from enclos.app.conformity.scope import read_scope
    from enclos.lexicon.codes import Code
    from enclos.lexicon.refusals import Refusal

    (tmp_path / "conformity.toml").write_text(f"endpoints = [{text!r}]\n")
    with pytest.raises(Refusal) as refused:
        read_scope(tmp_path)
    assert refused.value.code is Code.CONFORMITY_SCOPE
