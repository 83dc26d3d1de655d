"""Spans of a real server arrive at a collector, in the trace of the client."""

import asyncio
import queue
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as collected
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, TraceState, use_span

import seedbed as sb
import seedbed.aio
from seedbed.transports.traces import trace_headers
from tests.servers import ServerProcess, server_process, serving
from tests.waiting import LATE_SECONDS

SPEC = sb.TensorSpec("a-secret-name", (300, 100), "float32", sb.RandomNormal(seed=8_675_309))
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SERVER, ERROR = 2, 2
"""A span's kind, and its status, in OTLP."""


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Takes spans."""

    def __init__(self) -> None:
        self.requests: queue.Queue[Any] = queue.Queue()
        self.address = ""

    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802  # the schema's name
        self.requests.put(request)
        return collected.ExportTraceServiceResponse()

    def spans(self, count: int) -> list[tuple[Any, dict[str, Any]]]:
        """Return the next spans, each with its attributes."""
        found: list[tuple[Any, dict[str, Any]]] = []
        while len(found) < count:
            request = self.requests.get(timeout=120)
            assert b"a-secret-name" not in request.SerializeToString()
            for resource in request.resource_spans:
                assert attributes(resource.resource)["service.name"] == "seedbed-server"
                for scope in resource.scope_spans:
                    found += [(span, attributes(span)) for span in scope.spans]
        assert len(found) == count
        return found


def attributes(of: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in of.attributes}


@contextmanager
def collecting() -> Iterator[Collector]:
    """Yield a collector that listens."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    collector.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(0).wait()


def environment(address: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}", "OTEL_BSP_SCHEDULE_DELAY": "100"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def server(collector: Collector) -> Iterator[ServerProcess]:
    """A server that traces."""
    with serving("--tracing", environment=environment(collector.address)) as server:
        yield server


def test_a_call_is_a_span(server: ServerProcess, collector: Collector) -> None:
    with sb.connect(server.address) as client:
        client.sample(SPEC)
    ((span, found),) = collector.spans(1)
    assert span.name == "seedbed.v1.SeedbedService/SampleTensors"
    assert (span.kind, span.status.code, span.parent_span_id) == (SERVER, 0, b"")
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 60e9
    request_id = server.wait_for(r"INFO rpc request_id=(\w+)")
    assert found.pop("seedbed.chunks") >= 1
    assert found == {
        "rpc.system": "grpc",
        "rpc.service": "seedbed.v1.SeedbedService",
        "rpc.method": "SampleTensors",
        "rpc.grpc.status_code": 0,
        "seedbed.request_id": request_id,
        "seedbed.bytes_sampled": 120_000,
        "seedbed.bytes_sent": 120_000,
        "seedbed.tensors": 1,
    }


def test_a_span_is_a_part_of_the_clients_trace(server: ServerProcess, collector: Collector) -> None:
    metadata = [("traceparent", f"00-{TRACE}-{PARENT}-01"), ("tracestate", "vendor=1")]
    with grpc.insecure_channel(server.address) as channel:
        call: Any = channel.unary_unary("/seedbed.v1.SeedbedService/ListInitializers")
        call(b"", metadata=metadata)
    ((span, _),) = collector.spans(1)
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert span.trace_state == "vendor=1"


def _sample(address: str) -> None:
    with sb.connect(address) as client:
        client.sample(SPEC)


def _sample_by_grpc(address: str) -> None:
    with sb.connect(address, options={"grpc.lb_policy_name": "pick_first"}) as client:
        client.sample(SPEC)


def _sample_by_channels(address: str) -> None:
    with sb.connect(address, channels=2) as client:
        client.sample(SPEC)


def _sample_in_a_loop(address: str) -> None:
    async def sample() -> None:
        async with sb.aio.connect(address) as client:
            await client.sample(SPEC)

    asyncio.run(sample())


def _compare(address: str) -> None:
    with sb.connect(address) as client:
        client.sample(SPEC, local=True)


WAYS = (_sample, _sample_by_grpc, _sample_by_channels, _sample_in_a_loop, _compare)


@pytest.mark.parametrize("call", WAYS)
def test_the_sdks_calls_are_a_part_of_the_current_span(
    server: ServerProcess, collector: Collector, call: Callable[[str], None]
) -> None:
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("a program's") as current:
        call(server.address)
    context = current.get_span_context()
    ((span, _),) = collector.spans(1)
    assert int(span.trace_id.hex(), 16) == context.trace_id
    assert int(span.parent_span_id.hex(), 16) == context.span_id


def test_a_trace_keeps_its_state() -> None:
    parent = SpanContext(1, 2, True, TraceFlags(1), TraceState([("vendor", "x")]))
    with use_span(NonRecordingSpan(parent)):
        assert trace_headers() == {
            "traceparent": f"00-{1:032x}-{2:016x}-01",
            "tracestate": "vendor=x",
        }
    assert trace_headers() == {}


def test_only_faults_of_the_server_are_errors(server: ServerProcess, collector: Collector) -> None:
    with grpc.insecure_channel(server.address) as channel:
        for method in ("SampleTensors", "Nothing"):
            call: Any = channel.unary_stream(f"/seedbed.v1.SeedbedService/{method}")
            with pytest.raises(grpc.RpcError):
                list(call(b""))
    (refused, its), (unknown, others) = collector.spans(2)
    assert (refused.status.code, unknown.status.code) == (0, ERROR)
    assert (its["rpc.grpc.status_code"], others["rpc.grpc.status_code"]) == (3, 12)
    assert its["seedbed.reason"] == "INVALID_VALUE"
    assert (unknown.name, others["seedbed.reason"]) == ("unknown/unknown", "UNKNOWN_METHOD")


# Workers run the file as well, as far as its condition.
PATIENT = """
import sys
from seedbed_server import cli
from seedbed_server.service import app

app.LAST_SPANS_SECONDS = 60.0
if __name__ == "__main__":
    sys.exit(cli.main())
"""


def test_a_server_that_ends_sends_its_last_spans_and_names_itself_as_told(tmp_path: Path) -> None:
    """It has more time for that than a busy machine takes."""
    (tmp_path / "server.py").write_text(PATIENT)
    with collecting() as collector:
        variables = environment(collector.address) | {
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
            "OTEL_RESOURCE_ATTRIBUTES": "service.name=mine",
        }
        program = (sys.executable, str(tmp_path / "server.py"))
        arguments = ("--threads", "1", "--tracing", "--workers", "2")
        with server_process(*arguments, environment=variables, program=program) as server:
            with sb.connect(server.address) as client:
                client.wait_ready()
                client.server_info()
            assert collector.requests.empty()
        (resource,) = collector.requests.get(timeout=60).resource_spans
        assert attributes(resource.resource)["service.name"] == "mine"


def test_a_collector_that_is_not_there_delays_nothing() -> None:
    with serving("--tracing", environment=environment("127.0.0.1:1")) as server:
        with sb.connect(server.address) as client:
            client.sample(SPEC)
        server.wait_for("(WARNING|ERROR) .*127.0.0.1:1")
        started = time.monotonic()
        server.process.terminate()
        assert server.wait() == 0
        assert time.monotonic() - started < LATE_SECONDS
        assert not re.search("Traceback", server.log)


WITHOUT = """
import sys
sys.modules["opentelemetry"] = None
from seedbed_server.cli import main
sys.exit(main({arguments}))
"""


def _run(*arguments: str) -> tuple[int, list[str]]:
    program = WITHOUT.format(arguments=list(arguments))
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False
    )
    return done.returncode, done.stderr.splitlines()


def test_a_missing_package_is_one_line_that_names_the_extra() -> None:
    said = r"opentelemetry\S* is missing: pip install 'seedbed\[tracing\]'"
    code, (line,) = _run("--tracing", "--workers", "2", "--listen", "127.0.0.1:0")
    assert code == 1
    assert re.search(f" ERROR {said}$", line)
    code, (line,) = _run("--tracing", "--check-config")
    assert code == 2
    assert re.fullmatch(f"seedbed-server: error: {said}", line)


def test_nothing_is_imported_without_the_flag() -> None:
    program = (
        "import sys, seedbed_server.service.app, seedbed_server.service.checks;"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], timeout=300, check=False)
    assert done.returncode == 0
