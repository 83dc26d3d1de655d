"""Targets: what may be one, and what another text was perhaps meant to be."""

import pytest

import seedbed as sb
from seedbed.spec.targets import check_target

GOOD = (
    "embedded:",
    "localhost:50051",
    "my_host-1.example.org:443",
    "bücher.example:1",
    "127.0.0.1:65535",
    "[::1]:50051",
    "dns:///host:50051",
    "ipv4:10.0.0.1:1,10.0.0.2:1",
    "unix:relative.sock",
    "unix:///run/seedbed.sock",
    "xds:///seedbed",
)

MEANT = {
    "localhost": "'localhost:50051'",
    "10.0.0.1": "'10.0.0.1:50051'",
    "50051": "'localhost:50051'",
    ":50051": "'localhost:50051'",
    "::1:50051": "'[::1]:50051'",
    "http://localhost:50051/": "'localhost:50051'",
    "grpc://[::1]:50051": "'[::1]:50051'",
    "/run/seedbed.sock": "'unix:///run/seedbed.sock'",
    "unix://seedbed.sock": "'unix:///seedbed.sock'",
    "a:1,b:2": "['a:1', 'b:2']",
    "embeded": "'embedded:'",
}

UNCLEAR = ("", "a b", "host:1\n", "host:0", "host:65536", "host:port", "host/path:1", "a:1,b", "::")


@pytest.mark.parametrize("target", GOOD)
def test_an_address_is_a_target(target: str) -> None:
    check_target(target)


@pytest.mark.parametrize("target", MEANT)
def test_a_target_with_a_known_mistake_is_told_what_was_meant(target: str) -> None:
    """At once: gRPC would look for such a host for as long as the call has patience."""
    with pytest.raises(sb.InvalidValueError, match="`target` must be host:port") as caught:
        sb.connect(target)
    assert f"; did you mean {MEANT[target]}?" in str(caught.value)


@pytest.mark.parametrize("target", UNCLEAR, ids=repr)
def test_nothing_is_guessed_of_a_target_that_is_unclear(target: str) -> None:
    with pytest.raises(sb.InvalidValueError, match="`target` must be host:port") as caught:
        sb.connect(target)
    assert "did you mean" not in str(caught.value)
