from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import PermanentError, Reason
from services.fetch.addresses import may_reach, read_exemptions


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "0.0.0.0", "10.1.2.3", "169.254.169.254", "172.16.0.1", "192.168.1.1", "100.64.0.1", "192.0.0.8", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::127.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::169.254.169.254", "2002:7f00:1::", "64:ff9b:1::1.1.1.1", "2001:0:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe", "fe80::1", "fe80::1%lo", "fec0::1", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "2001:2::1", "4000::1"],
)  # fmt: skip
def test_nothing_but_the_public_internet_is_reached(address):
    assert not may_reach(ip_address(address), 443, ())


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::"],
)
def test_the_public_internet_is_reached_also_through_translators(address):
    assert may_reach(ip_address(address), 443, ())


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_wrapping_opens_a_private_address(address):
    wrapped = ["::ffff:", "64:ff9b::", "::"]
    sixtofour = (0x2002 << 112) | (int(address) << 80)
    assert not may_reach(ip_address(sixtofour), 80, ())
    assert not any(may_reach(ip_address(f"{prefix}{address}"), 80, ()) for prefix in wrapped)


@pytest.mark.parametrize(
    ("entry", "address", "port", "allowed"),
    [
        ("10.1.0.0/16", "10.1.2.3", 80, True),
        ("10.1.0.0/16", "10.2.2.3", 80, False),
        ("10.1.2.3", "::ffff:10.1.2.3", 80, True),
        ("192.168.1.5:8080", "192.168.1.5", 8080, True),
        ("192.168.1.5:8080", "192.168.1.5", 80, False),
        ("10.0.0.0/8:443", "10.9.9.9", 443, True),
        ("fd00::/8", "fd12::1", 80, True),
        ("[fd00::1]:8080", "fd00::1", 8080, True),
        ("[fd00::1]:8080", "fd00::1", 80, False),
        ("[fd00::/8]", "fd12::1", 80, True),
        ("::1", "::1", 80, True),
        (" 10.0.0.1 , 10.0.0.2 ,", "10.0.0.2", 80, True),
        ("10.0.0.1", "fd00::1", 80, False),
    ],
)
def test_the_operator_opens_exactly_what_is_named(entry, address, port, allowed):
    assert may_reach(ip_address(address), port, read_exemptions(entry)) is allowed


@pytest.mark.parametrize(
    "text",
    ["localhost", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:99999", "10.0.0.1:x", "10.0.0.0/40", "[fd00::1", "[fd00::1]80", "*", "10.0.0.1;10.0.0.2", "http://10.0.0.1", "[fd00::1]:", "10.0.0.1:٨٠"],
)  # fmt: skip
def test_an_entry_that_means_nothing_is_refused_by_name(text):
    with pytest.raises(PermanentError, match="allow_networks") as caught:
        read_exemptions(text)
    assert caught.value.reason is Reason.BAD_CONFIG
