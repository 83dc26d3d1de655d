"""Who a certificate says that one is."""

import pytest

from seedbed_server.security.identities import (
    certificate_identity,
    identity_of_peer,
    is_name,
    peer_of_identity,
)

URI, DNS, NAME = "peer_uri", "peer_dns", "x509_common_name"
CASES: dict[str, tuple[dict[str, list[bytes]], str | None]] = {
    "all": (
        {NAME: [b"bob"], DNS: [b"bob.example"], URI: [b"spiffe://prod/bob", b"urn:x"]},
        "spiffe://prod/bob",
    ),
    "no URI": ({NAME: [b"bob"], DNS: [b"bob.example", b"b.example"]}, "bob.example"),
    "the common name alone": ({NAME: [b"bob"]}, "bob"),
    "spaces": ({NAME: [b"Bob Smith"]}, None),
    "a line of a log": ({NAME: [b"bob\nINFO rpc identity=root"]}, None),
    "no ASCII": ({DNS: [b"b\xc3\xa9b"], NAME: [b"bob"]}, "bob"),
    "the word for sockets": ({NAME: [b"unix"]}, None),
    "too long": ({NAME: [b"b" * 257]}, None),
    "empty": ({NAME: [b""]}, None),
    "none": ({"transport_security_type": [b"ssl"]}, None),
}


@pytest.mark.parametrize(("names", "identity"), CASES.values(), ids=CASES)
def test_a_certificate_stands_for_its_first_usable_name(
    names: dict[str, list[bytes]], identity: str | None
) -> None:
    assert certificate_identity(names) == identity


def test_a_peer_with_an_identity_is_no_address() -> None:
    assert peer_of_identity("127.0.0.1") != "127.0.0.1"
    assert identity_of_peer(peer_of_identity("127.0.0.1")) == "127.0.0.1"
    assert identity_of_peer("127.0.0.1") is None
    assert identity_of_peer("unix:") is None


def test_an_identity_is_one_visible_word() -> None:
    assert is_name("spiffe://prod/trainer#1")
    assert not any(map(is_name, ["", "#a", "a b", "a\t", "é", "unix", "\x1b[1m"]))
