"""Decides which IP addresses may be reached: the public internet, and what the operator has named.

Decides on resolved addresses, never on host names. It must not resolve or connect.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from schemas.errors import PermanentError, Reason

Address = IPv4Address | IPv6Address

_ENTRY = re.compile(
    r"(?:\[(?P<bracketed>[^\[\]]+)\]|(?P<bare>[^\[\]:]+|[^\[\].]*:[^\[\]]*:[^\[\]]*))(?::(?P<port>[0-9]{1,5}))?"
)
_NAT64 = IPv6Network("64:ff9b::/96")
_COMPATIBLE = IPv6Network("::/96")
_UNICAST = IPv6Network("2000::/3")
# The IANA special-purpose registries, spelled out because `is_global` differs between Python versions.
_SPECIAL = [
    ip_network(n)
    for n in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
]


@dataclass(frozen=True, slots=True)
class Exemption:
    """A private network, or one port of it (None: every port), that the operator lets us reach."""

    network: IPv4Network | IPv6Network
    port: int | None

    def covers(self, address: Address, port: int) -> bool:
        """Whether `address` at `port` is exempt."""
        return address in self.network and self.port in (None, port)


def read_exemptions(text: str) -> tuple[Exemption, ...]:
    """The entries of a comma list of `address`, `network/bits`, either with `:port` (IPv6 then in brackets).

    Raises PermanentError(BAD_CONFIG) naming the entry that is none of these.
    """
    return tuple(_read_exemption(entry.strip()) for entry in text.split(",") if entry.strip())


def may_reach(address: Address, port: int, exemptions: Iterable[Exemption]) -> bool:
    """Whether we may connect to `address` at `port`: it, and every IPv4 address inside it, is public or exempt."""
    exempt = list(exemptions)
    return all(_is_public(a) or any(e.covers(a, port) for e in exempt) for a in _unwrap(address))


def _read_exemption(entry: str) -> Exemption:
    found = _ENTRY.fullmatch(entry)
    try:
        if found and (found["port"] is None or 0 < int(found["port"]) < 65536):
            network = ip_network(found["bracketed"] or found["bare"], strict=False)
            return Exemption(network, int(found["port"]) if found["port"] else None)
    except ValueError:
        pass
    raise PermanentError(
        Reason.BAD_CONFIG,
        f"allow_networks: {entry!r} is not an address or network such as 10.1.0.0/16, 192.168.1.5:8080 or [fd00::1]:80",
    )


def _unwrap(address: Address) -> tuple[Address, ...]:
    """The addresses a packet to `address` may end up at."""
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped:
        return (address.ipv4_mapped,)
    if address.sixtofour:
        return (address.sixtofour,)
    if address.teredo:
        return address.teredo
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    return (address,)


def _is_public(address: Address) -> bool:
    if address.is_multicast or not address.is_global or any(address in n for n in _SPECIAL):
        return False
    return isinstance(address, IPv4Address) or address in _UNICAST


def read_address(text: str) -> Address:
    """The address a resolver answered with; a zone (`%eth0`) is kept. Raises ValueError for anything else."""
    return ip_address(text)
