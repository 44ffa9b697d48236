"""Whose address a request counts on: the last one that a trusted proxy did not add."""

import pytest

from tenants.address import client_address

PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("remote", "forwarded", "counted"),
    [
        # no proxy: what the client writes counts for nothing
        ("192.0.2.7", "", "192.0.2.7"),
        ("192.0.2.7", "198.51.100.9", "192.0.2.7"),
        ("192.0.2.7", "10.0.0.1, 10.0.0.2", "192.0.2.7"),
        # one proxy, two proxies
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7, 10.0.0.2", "192.0.2.7"),
        # a client that wrote the header itself, before the proxy added the truth
        ("10.0.0.1", "198.51.100.9, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "10.9.9.9, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.9, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        # nothing but proxies: the one farthest away
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
        # odd writing
        ("10.0.0.1", " ,, 192.0.2.7 , ", "192.0.2.7"),
        ("10.0.0.1", "<script>", "unknown"),
        ("10.0.0.1", "192.0.2.7, unknown", "unknown"),
        ("", "192.0.2.7", "unknown"),
        # IPv6 counts by its /64, whichever proxy it came through
        ("2001:db8::1:2:3:4", "", "2001:db8::"),
        ("2001:db8:0:1:ffff::7", "", "2001:db8:0:1::"),
        ("2001:db8:ffff::5", "2001:db8:a::9", "2001:db8:a::"),
        ("10.0.0.1", "2001:db8:a::9", "2001:db8:a::"),
        ("fe80::1%eth0", "", "fe80::"),
        # an IPv4 address as a dual-stack socket writes it, of a client and of a proxy
        ("::ffff:192.0.2.7", "", "192.0.2.7"),
        ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"),
    ],
)
def test_the_address_that_counts(remote: str, forwarded: str, counted: str) -> None:
    assert client_address(remote, forwarded, PROXIES) == counted


def test_without_trusted_proxies_the_header_is_ignored() -> None:
    assert client_address("10.0.0.1", "192.0.2.7", ()) == "10.0.0.1"


def test_one_network_of_a_provider_shares_a_count_and_two_do_not() -> None:
    first, same, other = (
        client_address(address, "", ())
        for address in ("2001:db8:0:1::1", "2001:db8:0:1:9::9", "2001:db8:0:2::1")
    )

    assert first == same != other
