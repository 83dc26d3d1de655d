"""The admin endpoint's requests: what is one, and whose names it answers to."""

import pytest

from seedbed_server.admin.requests import BadRequestError, Request, is_own_host, parse


def test_a_request_is_a_method_a_path_and_headers() -> None:
    head = b"GET /status.json?x=1 HTTP/1.1\r\nHOST:  a:1 \r\nAccept: b\r\nX: c:d\r\n\r\n"
    assert parse(head) == Request("GET", "/status.json", {"host": "a:1", "accept": "b", "x": "c:d"})
    assert parse(b"GET / HTTP/1.0\r\n\r\n") == Request("GET", "/", {})


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /",
        b"GET  / HTTP/1.1",
        b"GET x HTTP/1.1",
        b"GET /\0 HTTP/1.1",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\nHost: a\r\nhost: b",
        b"GET / HTTP/1.1\r\nHost : a",
        b"GET / HTTP/1.1\r\n Host: a",
        b"GET / HTTP/1.1\r\nAccept: a\nX: b",
        b"GET / HTTP/1.1\r\nAccept: a\rX: b",
        b"GET / HTTP/1.1\r\nAccept: a\x7f",
    ],
)
def test_anything_else_is_none(head: bytes) -> None:
    with pytest.raises(BadRequestError):
        parse(head + b"\r\n\r\n")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:9464",
        "10.1.2.3:80",
        "[::1]",
        "[fd00::1]:9464",
        "localhost:9464",
        "LOCALHOST.",
        "seedbed",
        "seedbed.default.svc:9464",
        "seedbed.default.svc.cluster.local:9464",
        "gpu1.example.com:9464",
    ],
)
def test_addresses_and_names_that_nobody_registers_are_own_ones(host: str) -> None:
    assert is_own_host(host, {"gpu1.example.com"})


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example.:9464",
        "127.0.0.1.evil.example:9464",
        "localhost.evil.example",
        "evil.example:80:80",
        "evilsvc.example",
        "1.2.3.4.5",
        "gpu2.example.com",
    ],
)
def test_other_names_are_not(host: str) -> None:
    assert not is_own_host(host, {"gpu1.example.com"})
