"""The doors for other people's tools."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from enclos.cli.application import Dir, Json, application, passphrase
from enclos.cli.console import say, show


@application.command()
def gateway(
    directory: Dir,
    pg: Annotated[str, typer.Option("--pg", metavar="HOST:PORT", help="Serve PostgreSQL's clients there.")] = "",
    flight: Annotated[str, typer.Option("--flight", metavar="HOST:PORT", help="Serve Arrow Flight SQL there.")] = "",
    certificate: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="PEM", help="The certificate that the doors show.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--tls-key", metavar="PEM", help="Its private key.")] = None,
    *,
    at_once: Annotated[int, typer.Option(min=1, help="Statements that run at the same time.")] = 2,
    as_json: Json = False,
) -> None:
    """Serve the SQL of permits to other people's tools over TLS, until stopped (docs/gateway.md).

    Example: enclos gateway home --pg 0.0.0.0:5432 --flight 0.0.0.0:8815 --tls-cert chain.pem --tls-key key.pem
    """
    from enclos.gateway.doors import Certificate
    from enclos.gateway.model import GateLimits
    from enclos.gateway.serving import serve_gateway

    if certificate is None or key is None:
        raise typer.BadParameter("give --tls-cert and --tls-key: nothing is said in clear text")
    if not pg and not flight:
        raise typer.BadParameter("name a door: --pg HOST:PORT, --flight HOST:PORT")

    def began(addresses: dict[str, Any]) -> None:
        show(addresses, as_json=as_json)
        sys.stdout.flush()

    serve_gateway(
        directory,
        cache(passphrase),
        Certificate(certificate, key),
        postgres=_address(pg) if pg else None,
        flight=_address(flight) if flight else None,
        limits=GateLimits(n_at_once=at_once),
        began=began,
    )


@application.command()
def password(directory: Dir, *, as_json: Json = False) -> None:
    """Draw a password for programs, for who is signed in; it is shown once and ends with the sign-in.

    Example: enclos password home
    """
    from enclos.app.enclosure import open_enclosure
    from enclos.gateway.people import draw_password
    from enclos.stores.token_files import kept_token

    with open_enclosure(directory, passphrase) as enclosure:
        drawn = draw_password(enclosure, kept_token(enclosure.settings.ledger.origin))
    if as_json:
        show(drawn, as_json=True)
        return
    say(f"the password of {drawn['user']} until {drawn['until']}")
    sys.stdout.write(f"{drawn['password']}\n")


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65_535:
        raise typer.BadParameter(f"{text} is not HOST:PORT")
    return host.strip("[]"), int(port)
