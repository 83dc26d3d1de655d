"""Plain TCP stays on the machine, unless somebody says that it may leave it."""

import logging
import socket
from collections.abc import Sequence
from typing import Any

import pytest

from seedbed_server.security.listeners import ListenError, check_transport_security
from seedbed_server.settings import Settings
from tests.certificates import Issued
from tests.servers import server_process

ALONE = [
    "127.0.0.1:50051",
    "127.1.2.3:0",
    "[::1]:50051",
    "localhost:0",
    "unix:///run/seedbed.sock",
]
OPEN = ["0.0.0.0:50051", "[::]:0", "192.0.2.1:1", "[2001:db8::1]:1", "0:1", "[::ffff:192.0.2.1]:1"]


@pytest.mark.parametrize("address", ALONE)
def test_addresses_of_this_machine_need_no_tls(
    address: str, caplog: pytest.LogCaptureFixture
) -> None:
    check_transport_security(Settings(listen=(address,)))
    check_transport_security(Settings(listen=(address,), insecure=True))
    assert caplog.records == []


@pytest.mark.parametrize("address", OPEN)
def test_other_addresses_are_refused_without_tls(address: str) -> None:
    with pytest.raises(ListenError) as refused:
        check_transport_security(Settings(listen=("127.0.0.1:1", address)))
    for part in (address, "--tls-cert", "--tls-key", "--insecure", "SEEDBED_INSECURE=1"):
        assert part in str(refused.value)


def test_other_addresses_are_open_with_tls(server_files: Issued) -> None:
    settings = Settings(listen=("0.0.0.0:1",), tls_cert=server_files.cert, tls_key=server_files.key)
    check_transport_security(settings)


def test_insecure_is_a_line_for_each_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listen = ("127.0.0.1:1", "0.0.0.0:1", "unix:///x", "[::]:1")
        check_transport_security(Settings(listen=listen, insecure=True))
    records: list[Any] = caplog.records
    assert [each.fields["address"] for each in records] == ["0.0.0.0:1", "[::]:1"]


@pytest.mark.parametrize(
    ("addresses", "is_refused"),
    [(["127.0.0.1"], False), (["127.0.0.1", "192.0.2.1"], True), (["::1", "2001:db8::1"], True)],
)
def test_a_name_stands_for_all_of_its_addresses(
    monkeypatch: pytest.MonkeyPatch, addresses: Sequence[str], is_refused: bool
) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        assert (host, port) == ("inside.example", 7)
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, 1, 6, "", (each, port))
            for each in addresses
        ]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    settings = Settings(listen=("inside.example:7",))
    if is_refused:
        with pytest.raises(ListenError, match=r"inside\.example:7"):
            check_transport_security(settings)
    else:
        check_transport_security(settings)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_does_not_start_open(workers: str) -> None:
    arguments = ("--device", "cpu", "--workers", workers)
    with server_process(*arguments, listen="0.0.0.0:0") as server:
        server.wait_for("ERROR without TLS, 0.0.0.0:0 is open .*SEEDBED_INSECURE=1")
        assert server.wait() == 1
        assert "INFO listening" not in server.log


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_may_be_open_warns_once(workers: str) -> None:
    arguments = ("--device", "cpu", "--workers", workers, "--insecure")
    with server_process(*arguments, listen="0.0.0.0:0") as server:
        server.wait_for_count("INFO listening", int(workers))
        assert server.log.count("WARNING listening without TLS address=0.0.0.0:0") == 1
