"""Where strangers come from, and how many of a door's places one such place may take."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def place_of(address: str) -> str:
    """Where a reader comes from: an address, of version 6 its network of 64 bits, which one machine may have whole."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(IPv6Address(int(found) >> 64 << 64))
    return str(found)


def is_beyond_share(own: int, others: int, n_places: int) -> bool:
    """Whether somebody holds more places than they leave free; one is everybody's.

    In: own, others — the places held, the newest of one's own among them
    """
    return own > 1 and 2 * own > n_places - others
