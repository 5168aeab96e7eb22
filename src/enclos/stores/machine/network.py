"""The network as the machine shows it: who listens, and what the firewall drops."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from enclos.conformity.model import Finding, Sight
from enclos.conformity.ports import Look
from enclos.stores.machine.system import Machine

_LISTENS = "0A"


def network_probes(machine: Machine, declared: Collection[int] | None) -> list[Look]:
    """The probes of ports and firewall. In: declared — the ports that may listen, None where nobody said."""
    return [
        Look(("net.ports",), lambda: [_ports(machine, declared)]),
        Look(("net.fwrules",), lambda: [_firewall(machine)]),
    ]


def listening(machine: Machine) -> set[int]:
    """The TCP ports on which something listens for others than this machine."""
    ports = set()
    for table in ("proc/net/tcp", "proc/net/tcp6"):
        for line in machine.text(table).splitlines()[1:] if machine.exists(table) else ():
            address, state = line.split()[1], line.split()[3]
            host, port = address.split(":")
            if state == _LISTENS and not _is_loopback(host):
                ports.add(int(port, 16))
    return ports


def _is_loopback(host: str) -> bool:
    """In: host — as the kernel writes it: words of four bytes, each turned round."""
    return host.endswith("7F") if len(host) == 8 else host in {"0" * 24 + "01000000", "0" * 16 + "FFFF00000100007F"}


def _ports(machine: Machine, declared: Collection[int] | None) -> Finding:
    if not machine.exists("proc/net/tcp"):
        return Finding("net.ports", Sight.BLIND, "the kernel does not tell who listens")
    found = listening(machine)
    if declared is None:
        said = f"{len(found)} ports listen, and conformity.toml does not say which may"
        return Finding("net.ports", Sight.BLIND, said, len(found))
    beyond = sorted(found - set(declared))
    said = f"{len(found)} ports listen, not declared: {', '.join(map(str, beyond)) or 'none'}"
    return Finding("net.ports", Sight.FAILS if beyond else Sight.HOLDS, said, len(found))


def _firewall(machine: Machine) -> Finding:
    said = machine.asked("nft", "-j", "list", "ruleset")
    if said is None:
        return Finding("net.fwrules", Sight.BLIND, "no firewall tells its rules to this account")
    chains: list[dict[str, Any]] = [each["chain"] for each in json.loads(said)["nftables"] if "chain" in each]
    policies = [chain.get("policy") for chain in chains if chain.get("hook") == "input"]
    holds = bool(policies) and "drop" in policies
    told = (
        "what comes in is dropped unless a rule lets it" if holds else "what comes in is let in unless a rule drops it"
    )
    return Finding("net.fwrules", Sight.HOLDS if holds else Sight.FAILS, told, len(chains))
