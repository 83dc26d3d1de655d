"""The admin endpoint says how a server is, and nobody takes it from the others."""

import json
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import psutil
import pytest
from prometheus_client.openmetrics import parser as openmetrics

import seedbed as sb
from tests.servers import SERVING, ServerProcess, server_process, serving

METRICS = ("--admin-listen", "127.0.0.1:0")
CONNECTIONS = 32
# So many may gRPC begin of its own at any time.
MORE_THREADS = 8


def address_of(server: ServerProcess) -> tuple[str, int]:
    host, _, port = server.wait_for(r" INFO admin address=(\S+)").rpartition(":")
    return host, int(port)


def answered(
    server: ServerProcess,
    path: str,
    method: str = "GET",
    *,
    host: str | None = None,
    accept: str | None = None,
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection(*address_of(server), timeout=120)
    headers = {"Host": host, "Accept": accept}
    given = {name: value for name, value in headers.items() if value is not None}
    connection.request(method, path, headers=given)
    answer = connection.getresponse()
    return answer, answer.read()


def asked(server: ServerProcess, path: str) -> tuple[int, str]:
    answer, body = answered(server, path)
    return answer.status, body.decode()


def connected(server: ServerProcess) -> socket.socket:
    return socket.create_connection(address_of(server), timeout=120)


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
    ("method", "path", "status"),
    [
        ("GET", "/no-such-page", 404),
        ("GET", "/../settings/kinds.py", 404),
        ("GET", "/index.html", 404),
        ("POST", "/metrics", 405),
        ("OPTIONS", "/", 405),
    ],
)
def test_another_request_is_refused(
    server: ServerProcess, method: str, path: str, status: int
) -> None:
    answer, _ = answered(server, path, method)
    assert answer.status == status
    assert answer.getheader("Allow") == ("GET, HEAD" if status == 405 else None)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/status.json", "application/json"),
        ("/page.js", "text/javascript"),
        ("/style.css", "text/css"),
        ("/icon.svg", "image/svg+xml"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/livez", "text/plain; charset=utf-8"),
        ("/no-such-page", "text/plain; charset=utf-8"),
    ],
)
def test_every_answer_keeps_other_sites_out_and_caches_away(
    server: ServerProcess, path: str, kind: str
) -> None:
    answer, body = answered(server, path)
    assert answer.getheader("Content-Type") == kind
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert answer.getheader("Cache-Control") == "no-store"
    assert answer.getheader("Cross-Origin-Resource-Policy") == "same-origin"
    policy = answer.getheader("Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    head, nothing = answered(server, path, "HEAD")
    assert nothing == b""
    assert head.status == answer.status
    if path in {"/page.js", "/style.css", "/icon.svg", "/livez"}:  # the others change
        assert head.getheader("Content-Length") == str(len(body))


def test_a_site_that_points_its_name_here_reads_nothing(server: ServerProcess) -> None:
    for path in ("/", "/status.json", "/metrics", "/style.css"):
        answer, body = answered(server, path, host="evil.example.com:9464")
        assert answer.status == 421
        assert b"--admin-listen" in body
    for path in ("/livez", "/readyz"):
        assert answered(server, path, host="evil.example.com")[0].status == 200
    for host in ("localhost", "[::1]:9464", "seedbed:9464", "seedbed.models.svc.cluster.local"):
        assert answered(server, "/metrics", host=host)[0].status == 200


@pytest.mark.parametrize(
    "head",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/2.0\r\n\r\n",
        b"GET http://a.example/ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_no_request_is_told_so(server: ServerProcess, head: bytes) -> None:
    with connected(server) as connection:
        connection.sendall(head)
        assert connection.recv(24) == b"HTTP/1.1 400 Bad Request"
    assert "Traceback" not in server.log


@pytest.mark.parametrize("workers", [1, 2])
def test_a_scraper_that_asks_for_openmetrics_gets_it(workers: int) -> None:
    prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.3"
    with server_process("--device", "cpu", "--workers", str(workers), *METRICS) as server:
        server.wait_for("(?s)" + ".*".join([SERVING] * workers))
        answer, body = answered(server, "/metrics", accept=prometheus)
    kind = answer.getheader("Content-Type")
    assert kind is not None
    assert kind.startswith("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert body.endswith(b"# EOF\n")
    parsed: Any = openmetrics.text_string_to_metric_families
    families = {family.name for family in parsed(body.decode())}
    assert {"grpc_server_handled", "seedbed_bytes_served", "process_cpu_seconds"} <= families
    assert b"_created" not in body


def status_of(server: ServerProcess) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answered(server, "/status.json")[1])
    return found


def test_the_status_tells_what_a_server_does() -> None:
    with (
        serving(*METRICS, "--max-tensor-bytes", "2000000") as server,
        sb.connect(server.address) as client,
    ):
        address_of(server)
        before = status_of(server)
        assert before["refusals"] == {}
        client.sample(sb.TensorSpec("w", (1000, 300), "float32", sb.GlorotNormal(seed=1)))
        for _ in range(2):
            with pytest.raises(sb.InvalidArgumentError):
                client.sample(sb.TensorSpec("w", (1000, 1000), "float32", sb.Zeros()))
        now = status_of(server)
    assert now["state"] == "serving"
    assert (now["serving"], now["expected"]) == (1, 1)
    assert now["refusals"] == {"OVER_LIMIT": 2}
    assert now["served_bytes"]["stream"] == now["sampled_bytes"] == 1_200_000
    method = next(each for each in now["methods"] if each["name"] == "SampleTensors")
    assert method["codes"] == {"OK": 1, "INVALID_ARGUMENT": 2}
    assert 0 < method["seconds"]["median"] <= method["seconds"]["p99"]
    assert [each["name"] for each in now["resources"]] == [
        "streams",
        "inflight_bytes",
        "working_bytes",
    ]
    (process,) = now["processes"]
    assert process["memory_bytes"] > 2**26
    assert 0 < now["uptime_seconds"] < 300


def test_the_status_shows_all_workers() -> None:
    with server_process("--device", "cpu", "--workers", "2", *METRICS) as both:
        both.wait_for("(?s)" + ".*".join([SERVING] * 2))
        now = status_of(both)
        assert (now["state"], now["serving"], now["expected"]) == ("serving", 2, 2)
        assert [each["name"] for each in now["processes"]] == ["supervisor", "worker-0", "worker-1"]
        assert all(each["memory_bytes"] > 2**24 for each in now["processes"])
        assert b"worker-1" in answered(both, "/")[1]


def test_a_thousand_half_open_requests_cost_no_threads_and_disturb_nobody(
    server: ServerProcess,
) -> None:
    asked(server, "/metrics")  # starts the thread that adds up
    threads, before = server.threads, files(server)
    with ExitStack() as stack:
        half_open(server, 1000, stack)
        assert asked(server, "/metrics")[0] == 200
        assert files(server) <= before + CONNECTIONS
        assert server.threads <= threads + MORE_THREADS
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


# A server that compiles for ever, as far as a test can see.
COMPILING = """
import sys, threading
import seedbed_server_main
from seedbed_server.service import app
app.open_backend = lambda *_: threading.Event().wait()
sys.exit(seedbed_server_main.main())
"""


def test_a_server_that_compiles_is_alive_and_not_ready() -> None:
    with server_process(*METRICS, program=[sys.executable, "-c", COMPILING]) as starting:
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
            assert both.threads <= threads + MORE_THREADS
        both.signal(signal.SIGTERM)
        assert both.wait() == 0
        assert "Traceback" not in both.log
