"""PURE. The network address that limits are counted on."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

V6_PREFIX = 64


def client_address(remote: str, forwarded: str, trusted: Iterable[str]) -> str:
    """The last address that a trusted proxy did not add; an IPv6 one stands for its /64.

    `forwarded` is the X-Forwarded-For header. It counts only as far as the hops that wrote it are
    in `trusted` (addresses or networks); everything a client writes there itself is ignored.
    """
    networks = [ip_network(text, strict=False) for text in trusted]
    hops = [hop.strip() for hop in forwarded.split(",") if hop.strip()]
    current = remote
    while hops and _is_in(current, networks):
        current = hops.pop()
    return _counted(current)


def _find_address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address in IPv6 writing (`::ffff:192.0.2.7`, a dual-stack socket) is the IPv4 one."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _is_in(text: str, networks: Iterable[object]) -> bool:
    address = _find_address(text)
    if address is None:
        return False
    return any(address in network for network in networks)  # type: ignore[operator]  # networks


def _counted(text: str) -> str:
    address = _find_address(text)
    if address is None:
        return "unknown"
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, V6_PREFIX), strict=False).network_address)
    return str(address)
