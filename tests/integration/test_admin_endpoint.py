"""The admin endpoint answers probes, and nobody who connects to it takes it from the others."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from tests.servers import SERVING, ServerProcess, server_process, serving

METRICS = ("--admin-listen", "127.0.0.1:0")
CONNECTIONS = 32


def address_of(server: ServerProcess) -> tuple[str, int]:
    host, _, port = server.wait_for(r" INFO admin address=(\S+)").rpartition(":")
    return host, int(port)


def asked(server: ServerProcess, path: str, method: str = "GET") -> tuple[int, str]:
    connection = HTTPConnection(*address_of(server), timeout=30)
    connection.request(method, path)
    answer = connection.getresponse()
    return answer.status, answer.read().decode()


def connected(server: ServerProcess) -> socket.socket:
    return socket.create_connection(address_of(server), timeout=20)


def files(server: ServerProcess) -> int:
    return int(psutil.Process(server.process.pid).num_fds())


def half_open(server: ServerProcess, count: int, stack: ExitStack) -> list[socket.socket]:
    """Return connections, each with a request that is begun and not ended."""
    opened = []
    for _ in range(count):
        opened.append(stack.enter_context(connected(server)))
        with suppress(ConnectionResetError):  # when others came, this was the oldest
            opened[-1].sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n")
    return opened


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with serving(*METRICS) as process:
        yield process


def test_a_server_that_serves_is_alive_and_ready(server: ServerProcess) -> None:
    assert asked(server, "/livez") == (200, "alive\n")
    assert asked(server, "/readyz") == (200, "1 of 1 processes serve\n")
    assert asked(server, "/readyz?verbose") == (200, "1 of 1 processes serve\n")
    assert "seedbed_build_info" in asked(server, "/metrics")[1]


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/", 404), ("POST", "/metrics", 405)]
)
def test_another_request_is_refused(
    server: ServerProcess, method: str, path: str, status: int
) -> None:
    assert asked(server, path, method)[0] == status


def test_a_thousand_half_open_requests_cost_no_threads_and_disturb_nobody(
    server: ServerProcess,
) -> None:
    asked(server, "/metrics")  # starts the thread that adds up
    threads, before = server.threads, files(server)
    with ExitStack() as stack:
        half_open(server, 1000, stack)
        assert asked(server, "/metrics")[0] == 200
        assert files(server) <= before + CONNECTIONS
        assert server.threads <= threads
    assert asked(server, "/readyz")[0] == 200
    assert "Traceback" not in server.log


def test_the_oldest_of_too_many_connections_is_closed(server: ServerProcess) -> None:
    with ExitStack() as stack:
        first, *others = half_open(server, CONNECTIONS + 1, stack)
        with suppress(ConnectionResetError):
            assert first.recv(1) == b""
        others[-1].sendall(b"\r\n")
        assert others[-1].recv(15) == b"HTTP/1.1 200 OK"


def test_a_request_that_does_not_come_is_not_waited_for(server: ServerProcess) -> None:
    with connected(server) as connection, suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_a_request_of_more_than_8_kib_is_not_read(server: ServerProcess) -> None:
    with connected(server) as connection, suppress(ConnectionResetError, BrokenPipeError):
        connection.sendall(b"GET / HTTP/1.1\r\nX: " + b"y" * 2**14)
        assert connection.recv(1) == b""


def test_a_server_that_compiles_is_alive_and_not_ready(tmp_path: Path) -> None:
    with server_process(
        *METRICS, environment={"SEEDBED_KERNEL_CACHE_DIR": str(tmp_path)}
    ) as starting:
        assert asked(starting, "/livez")[0] == 200
        assert asked(starting, "/readyz") == (503, "0 of 1 processes serve\n")


def test_a_lame_duck_is_alive_and_not_ready() -> None:
    with serving(*METRICS, "--lame-duck-seconds", "60") as ending:
        ending.signal(signal.SIGTERM)
        ending.wait_for("INFO lame duck")
        assert asked(ending, "/livez")[0] == 200
        assert asked(ending, "/readyz") == (503, "0 of 1 processes serve\n")
        ending.signal(signal.SIGTERM)


def test_workers_are_ready_when_all_serve_and_a_flood_disturbs_nobody() -> None:
    with server_process("--device", "cpu", "--workers", "2", *METRICS) as both:
        both.wait_for("(?s)" + ".*".join([SERVING] * 2))
        assert asked(both, "/readyz") == (200, "2 of 2 processes serve\n")
        threads = both.threads
        with ExitStack() as stack:
            half_open(both, 200, stack)
            assert asked(both, "/metrics")[0] == 200
            assert both.threads <= threads
        both.signal(signal.SIGTERM)
        assert both.wait() == 0
        assert "Traceback" not in both.log
