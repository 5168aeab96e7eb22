"""Probes of who may come in, and of where data lie as far as an enclosure knows."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from enclos.app.accounts import books_of
from enclos.app.enclosure import Enclosure
from enclos.app.providers import provider_of
from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.lexicon.refusals import Refusal
from enclos.signin.rules.tokens import check_factor

HERE = "here"
"""In conformity.toml: the machine itself."""
EEA = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IS IT LI LT LU LV MT NL NO PL PT RO SE SI SK".split()  # noqa: SIM905
)


def sign_in_probes(enclosure: Enclosure, places: Mapping[str, str]) -> list[Look]:
    """The probes of sign-in and places. In: places — the country of each host, as conformity.toml declares it."""
    return [
        Look(("iam.mfa",), lambda: [_factors(enclosure)]),
        Look(("data.location",), lambda: [_places(enclosure, places)]),
    ]


def _factors(enclosure: Enclosure) -> Finding:
    """Live: a provider's word without a second factor is given to the rule that must refuse it."""
    section = enclosure.settings.sign_in
    if not section.required:
        return Finding("iam.mfa", Sight.FAILS, "nobody has to sign in: who a person is comes from the command line")
    n_accounts = len(books_of(enclosure).read().accounts) if enclosure.paths.accounts.exists() else 0
    provider = provider_of(enclosure.settings)
    if provider is None and not n_accounts:
        return Finding("iam.mfa", Sight.BLIND, "sign-in is required, and there is nobody yet who could")
    if provider is not None:
        try:
            check_factor({"amr": ["pwd"]}, provider.demands)
        except Refusal:
            said = f"a provider's word without a second factor is refused; {n_accounts} local accounts have one"
            return Finding("iam.mfa", Sight.HOLDS, said, n_accounts + 1)
        return Finding("iam.mfa", Sight.FAILS, "a provider's word without a second factor is taken", 1)
    return Finding(
        "iam.mfa", Sight.HOLDS, f"{n_accounts} local accounts, each with a code beside its password", n_accounts
    )


def hosts_of(enclosure: Enclosure) -> list[str]:
    """The hosts that an enclosure's data lie with: this machine, its storage and its catalog."""
    settings, hosts = enclosure.settings, [HERE]
    if settings.storage.url:
        endpoint = parse_qs(urlsplit(settings.storage.url).query).get("endpoint", [""])[0]
        hosts.append(urlsplit(endpoint if "//" in endpoint else f"//{endpoint}").hostname or "the storage")
    if settings.catalog.url:
        hosts.append(urlsplit(settings.catalog.url).hostname or "the catalog")
    return hosts


def _places(enclosure: Enclosure, places: Mapping[str, str]) -> Finding:
    """That every host is declared, and in the European Economic Area; the declaration itself is a document's matter."""
    hosts = hosts_of(enclosure)
    beyond = [host for host in hosts if host in places and places[host].upper() not in EEA]
    unknown = [host for host in hosts if host not in places]
    if beyond:
        said = f"{', '.join(beyond)}: declared outside the European Economic Area"
        return Finding("data.location", Sight.FAILS, said, len(hosts))
    if unknown:
        said = f"conformity.toml declares no country of {', '.join(unknown)}"
        return Finding("data.location", Sight.BLIND, said, len(hosts))
    countries = sorted({places[host].upper() for host in hosts})
    return Finding(
        "data.location", Sight.HOLDS, f"all of {len(hosts)} hosts declared: {', '.join(countries)}", len(hosts)
    )
