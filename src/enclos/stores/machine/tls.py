"""What a TLS endpoint accepts and shows: asked by handshakes, never by its configuration.

Source: ANSSI, Recommandations de sécurité relatives à TLS. Old versions are offered by a hand-made greeting, since a
good library on this side would refuse to.
"""

from __future__ import annotations

import os
import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look

_SECONDS = 5.0
_MOST_SUITES = 60
_OLD = {0: "SSL 3.0", 1: "TLS 1.0", 2: "TLS 1.1"}
_OLD_SUITES = (0xC013, 0xC014, 0xC009, 0xC00A, 0x002F, 0x0035, 0x0033, 0x0039, 0x000A, 0x0016, 0x0005, 0x0004)
_MIN_BITS = {rsa.RSAPublicKey: 2048, ec.EllipticCurvePublicKey: 250}
_YEARS = timedelta(days=3 * 366)

FACETS = (
    "modern", "no-old-version", "authenticated", "forward-secrecy", "ecdhe", "certificate", "aes-or-chacha", "aead",
    "sha-2", "several-suites", "server-order", "no-compression", "signed-by-sha-2", "three-years", "key-size",
    "key-usage", "extended-key-usage", "names", "issuer-identifier", "revocation-sources",
)  # fmt: skip
_WHOLE = (
    "modern", "no-old-version", "authenticated", "forward-secrecy", "aes-or-chacha", "aead", "certificate",
    "signed-by-sha-2", "key-size", "no-compression",
)  # fmt: skip
"""What an endpoint must do for ``crypto.tls`` as a whole, which other frameworks name."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Greeted:
    """What an endpoint did: versions it accepted, suites of TLS 1.2 in its order, its certificate."""

    endpoint: Endpoint
    versions: frozenset[str]
    old: frozenset[str]
    suites: tuple[str, ...]
    modern_suite: str
    keeps_order: bool
    compresses: bool
    certificate: x509.Certificate


def tls_probes(endpoints: Sequence[Endpoint], now: datetime) -> list[Look]:
    """One look at every declared endpoint: the worst of them decides."""
    names = ("crypto.tls", "crypto.cert", *(f"crypto.tls:{facet}" for facet in FACETS))
    return [Look(names, lambda: _findings(endpoints, names, now))]


def _findings(endpoints: Sequence[Endpoint], names: Sequence[str], now: datetime) -> list[Finding]:
    if not endpoints:
        return [Finding(name, Sight.BLIND, "conformity.toml declares no endpoint to look at") for name in names]
    greeted, dead = [], []
    for endpoint in endpoints:
        try:
            greeted.append(greet(endpoint))
        except (OSError, ValueError):
            dead.append(str(endpoint))
    failed: dict[str, list[str]] = {facet: [] for facet in FACETS}
    untold: set[str] = set()
    for each in greeted:
        checks = facets_of(each, now)
        for facet in FACETS:
            if checks[facet] is None:
                untold.add(facet)
            elif not checks[facet]:
                failed[facet].append(str(each.endpoint))
    return [_finding(name, failed, untold, dead, len(greeted)) for name in names]


def _finding(name: str, failed: dict[str, list[str]], untold: set[str], dead: Sequence[str], n_greeted: int) -> Finding:
    parts = {"crypto.tls": _WHOLE, "crypto.cert": ("certificate", "signed-by-sha-2", "key-size")}
    facets = parts.get(name) or (name.split(":")[1],)
    wrong = [f"{facet} at {', '.join(failed[facet])}" for facet in facets if failed[facet]]
    if wrong:
        return Finding(name, Sight.FAILS, f"not so: {'; '.join(wrong)}", n_greeted)
    if untold & set(facets):
        return Finding(name, Sight.BLIND, "with TLS 1.3 alone this side cannot offer suites one by one", n_greeted)
    if dead:
        return Finding(name, Sight.BLIND, f"no TLS answered at {', '.join(dead)}", n_greeted)
    return Finding(name, Sight.HOLDS, f"so at {n_greeted} endpoint{'s' if n_greeted > 1 else ''}", n_greeted)


def facets_of(seen: Greeted, now: datetime) -> dict[str, bool | None]:
    """What holds of an endpoint, by ANSSI's recommendations; None where this side cannot tell."""
    suites, certificate = [*seen.suites, *([seen.modern_suite] if seen.modern_suite else [])], seen.certificate
    is_1_3: Callable[[str], bool] = lambda suite: suite.startswith("TLS_")  # noqa: E731
    key = certificate.public_key()
    least = next((bits for kind, bits in _MIN_BITS.items() if isinstance(key, kind)), None)
    is_modern_key = isinstance(key, ed25519.Ed25519PublicKey | ed448.Ed448PublicKey)
    signed_by = certificate.signature_hash_algorithm  # None of Ed25519 and Ed448, which hash by SHA-2 and SHA-3
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    is_valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    return {
        "modern": "TLSv1.3" in seen.versions,
        "no-old-version": not seen.old,
        "authenticated": not any("ADH" in s or "AECDH" in s or "NULL" in s for s in suites),
        "forward-secrecy": all(is_1_3(s) or s.startswith(("ECDHE-", "DHE-")) for s in suites),
        "ecdhe": all(is_1_3(s) or s.startswith("ECDHE-") for s in suites),
        "certificate": is_valid,
        "aes-or-chacha": all("AES" in s or "CHACHA20" in s for s in suites),
        "aead": all("GCM" in s or "CCM" in s or "CHACHA20" in s for s in suites),
        "sha-2": all(is_1_3(s) or s.endswith(("SHA256", "SHA384", "POLY1305", "CCM", "CCM8")) for s in suites),
        "several-suites": len(seen.suites) > 1 if seen.suites else None,
        "server-order": seen.keeps_order if seen.suites else None,
        "no-compression": not seen.compresses,
        "signed-by-sha-2": is_modern_key
        or (signed_by is not None and signed_by.name in {"sha256", "sha384", "sha512"}),
        "three-years": lasts <= _YEARS,
        "key-size": is_modern_key or (least is not None and key.key_size >= least),  # type: ignore[union-attr]
        "key-usage": _has(certificate, x509.KeyUsage, lambda usage: bool(usage.digital_signature)),
        "extended-key-usage": _has(
            certificate, x509.ExtendedKeyUsage, lambda usage: ExtendedKeyUsageOID.SERVER_AUTH in usage
        ),
        "names": _has(certificate, x509.SubjectAlternativeName, lambda names: len(list(names)) > 0),
        "issuer-identifier": _has(certificate, x509.AuthorityKeyIdentifier, lambda aki: aki.key_identifier is not None),
        "revocation-sources": _has(certificate, x509.CRLDistributionPoints, lambda points: len(list(points)) > 0)
        or _has(certificate, x509.AuthorityInformationAccess, lambda access: len(list(access)) > 0),
    }


def _has(certificate: x509.Certificate, kind: type[x509.ExtensionType], says: Callable[[Any], bool]) -> bool:
    try:
        return says(certificate.extensions.get_extension_for_class(kind).value)
    except (x509.ExtensionNotFound, ValueError):
        return False


def greet(endpoint: Endpoint) -> Greeted:
    """Make handshakes until it is known what the endpoint accepts.

    Refuses: OSError when no TLS answers.
    """
    versions, compresses, modern_suite, der = set(), False, "", b""
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        try:
            with _connected(endpoint, version, "ALL:COMPLEMENTOFALL:@SECLEVEL=0") as tls:
                versions.add(tls.version() or "")
                compresses = compresses or tls.compression() is not None
                der = tls.getpeercert(binary_form=True) or der
                if version is ssl.TLSVersion.TLSv1_3 and (cipher := tls.cipher()):
                    modern_suite = cipher[0]
        except ssl.SSLError:
            continue
    old = frozenset(name for minor, name in _OLD.items() if _accepts_old(endpoint, minor))
    if not der:
        raise OSError("no TLS that this side speaks")
    suites = _suites(endpoint) if "TLSv1.2" in versions else ()
    return Greeted(
        endpoint,
        frozenset(versions),
        old,
        suites,
        modern_suite,
        _keeps_order(endpoint, suites),
        compresses,
        x509.load_der_x509_certificate(der),
    )


def _connected(endpoint: Endpoint, version: ssl.TLSVersion, ciphers: str) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # whom it names is not asked here: what it accepts is
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    plain = socket.create_connection((endpoint.host, endpoint.port), _SECONDS)
    try:
        return context.wrap_socket(plain, server_hostname=endpoint.host)
    except BaseException:
        plain.close()
        raise


def _chosen(endpoint: Endpoint, ciphers: str) -> str | None:
    """The suite of TLS 1.2 that it takes of those offered."""
    try:
        with _connected(endpoint, ssl.TLSVersion.TLSv1_2, ciphers) as tls:
            return (tls.cipher() or ("",))[0]
    except ssl.SSLError:
        return None
    except OSError:  # some close the line where others answer
        return None


def _suites(endpoint: Endpoint) -> tuple[str, ...]:
    """Every suite of TLS 1.2 that it accepts: offered all, then all but those it took."""
    found: list[str] = []
    while len(found) < _MOST_SUITES:
        taken = _chosen(endpoint, ":".join(["ALL:COMPLEMENTOFALL", *(f"!{name}" for name in found), "@SECLEVEL=0"]))
        if not taken or taken in found:
            break
        found.append(taken)
    return tuple(found)


def _keeps_order(endpoint: Endpoint, suites: Sequence[str]) -> bool:
    """Whether it takes the same of two suites in whatever order they are offered; with one there is no order."""
    if len(suites) < 2:
        return bool(suites)
    first, last = suites[0], suites[-1]
    return _chosen(endpoint, f"{last}:{first}:@SECLEVEL=0") == _chosen(endpoint, f"{first}:{last}:@SECLEVEL=0")


def _accepts_old(endpoint: Endpoint, minor: int) -> bool:
    """Whether it goes on with a greeting of an old version. Source: RFC 6101, 2246, 4346."""
    suites = b"".join(struct.pack(">H", suite) for suite in _OLD_SUITES)
    groups = struct.pack(">HHHHHH", 10, 8, 6, 23, 24, 25) + struct.pack(">HHBB", 11, 2, 1, 0)
    body = struct.pack(">BB", 3, minor) + os.urandom(32) + b"\0" + struct.pack(">H", len(suites)) + suites + b"\1\0"
    body += struct.pack(">H", len(groups)) + groups if minor else b""
    hello = b"\1" + struct.pack(">I", len(body))[1:] + body
    record = struct.pack(">BBBH", 22, 3, minor, len(hello)) + hello
    try:
        with socket.create_connection((endpoint.host, endpoint.port), _SECONDS) as plain:
            plain.sendall(record)
            answer = plain.recv(11, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 11 and answer[0] == 22 and answer[5] == 2 and answer[9:11] == bytes([3, minor])
