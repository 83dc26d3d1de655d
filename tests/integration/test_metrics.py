"""Prometheus reads true counts of calls, bytes and refusals, of one process or of workers."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

import seedbed as sb
from seedbed.spec.reasons import Reason
from seedbed.v1 import service_pb2
from tests.servers import SERVING, ServerProcess, server_process, serving

RANDOM = sb.TensorSpec("w", (1000, 300), "float32", sb.GlorotNormal(seed=1))
BIASES = sb.TensorSpec("b", (2**19,), "bfloat16", sb.Zeros())
METRICS = ("--admin-listen", "127.0.0.1:0")
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def ended(server: ServerProcess, code: str, method: str = "SampleTensors") -> float:
    return server.metric("grpc_server_handled_total", grpc_method=method, grpc_code=code)


def test_calls_and_bytes_are_counted() -> None:
    with serving(*METRICS) as server, sb.connect(server.address) as client:
        client.sample(RANDOM)
        client.sample(RANDOM, slice=sb.shard(0, 4))
        client.sample_all(sb.Manifest([RANDOM, BIASES]))
        client.describe(RANDOM)
        sent = 2 * 1_200_000 + 300_000
        assert server.metric("seedbed_bytes_served_total", lane="stream") == sent
        assert server.metric("seedbed_bytes_served_total", lane="fill") == 2**20
        assert (
            server.metric("seedbed_bytes_sampled_total", dtype="float32", distribution="normal")
            == sent
        )
        assert server.metric("seedbed_bytes_sampled_total", backend="cpu") == sent + 2**20
        assert ended(server, "OK") == 3
        assert ended(server, "OK", "DescribeTensors") == 1
        assert (
            server.metric(
                "grpc_server_started_total", grpc_method="SampleTensors", grpc_type="server_stream"
            )
            == 3
        )
        assert server.metric("grpc_server_handling_seconds_count", grpc_method="SampleTensors") == 3
        assert server.metric("seedbed_time_to_first_chunk_seconds_count") == 3
        # Chunks of 64 KiB, 512 KiB twice, and the rest; one message for the constant.
        assert server.metric("grpc_server_msg_sent_total", grpc_method="SampleTensors") == 4 + 2 + 5
        assert server.metric("seedbed_inflight_streams") == 0
        assert server.metric("seedbed_build_info", numerics="seedbed-1", backend="cpu") == 1


def test_the_messages_of_every_method_are_counted() -> None:
    with serving(*METRICS) as server, sb.connect(server.address) as client:
        client.server_info()
        client.list_initializers()
        client.describe(RANDOM)
        client.digest(RANDOM)
        client.digest_all(sb.Manifest([RANDOM, BIASES]))
        client.sample(sb.TensorSpec("small", (3,), "float32", sb.RandomNormal(seed=1)))
        client.sample(BIASES)
        sent = {
            name: server.metric("grpc_server_msg_sent_total", grpc_method=name)
            for name in service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].methods_by_name
        }
    assert sent["GetServerInfo"] >= 1  # the SDK may ask by itself, too
    assert sent["DigestTensors"] == 3
    assert sent["DescribeTensors"] == 1
    assert sent["ListInitializers"] == 1
    assert sent["SampleSmallTensor"] == 1
    assert sent["SampleTensors"] >= 1


def test_what_two_streams_share_is_sampled_once() -> None:
    spec = sb.TensorSpec("w", (2**25,), "float32", sb.RandomNormal(seed=2))
    with (
        serving(*METRICS, "--window-bytes", str(2**27)) as server,
        sb.connect(server.address) as client,
    ):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: client.sample(spec), range(4)))
        assert server.metric("seedbed_bytes_served_total") == 4 * 2**27
        assert 2**27 <= server.metric("seedbed_bytes_sampled_total") < 4 * 2**27


def test_refusals_are_counted_by_reason() -> None:
    with (
        serving(*METRICS, "--max-tensor-bytes", "1000") as server,
        sb.connect(server.address) as client,
    ):
        for _ in range(2):
            with pytest.raises(sb.InvalidArgumentError):
                client.sample(RANDOM)
        reasons = re.findall(r'seedbed_rejected_total{reason="([A-Z_]+)"} 2', server.metrics)
        assert len(reasons) == 1
        assert ended(server, "INVALID_ARGUMENT") == 2
        assert server.metric("seedbed_bytes_sampled_total") == 0


def test_calls_of_unknown_methods_are_counted_without_their_names() -> None:
    with serving(*METRICS) as server, grpc.insecure_channel(server.address) as channel:
        for method in ("/a.B/C", "/d.E/F", "/seedbed.v1.SeedbedService/G"):
            call: Any = channel.unary_unary(method)
            with pytest.raises(grpc.RpcError):
                call(b"")
        assert server.metric("grpc_server_handled_total", grpc_method="unknown") == 3
        assert server.metric("seedbed_rejected_total", reason="UNKNOWN_METHOD") == 3
        assert "a.B" not in server.metrics


def test_a_stream_under_way_is_seen_and_its_cancellation_counted() -> None:
    large = sb.TensorSpec("large", (2**30,), "float32", sb.RandomUniform(seed=1))
    with serving(*METRICS) as server, sb.connect(server.address) as client:
        chunks = client.chunks(large)
        next(chunks)
        assert server.metric("seedbed_inflight_streams") == 1
        assert 0 < server.metric("seedbed_bytes_served_total") < 2**32
        chunks.close()  # type: ignore[attr-defined]  # a generator
        server.wait_for("code=CANCELLED")
        assert server.metric("seedbed_inflight_streams") == 0
        assert ended(server, "CANCELLED") == 1


def test_one_view_shows_what_all_workers_count() -> None:
    with server_process("--device", "cpu", "--workers", "2", *METRICS) as server:
        server.wait_for("(?s)" + ".*".join([SERVING] * 2))

        def fetch(_: int) -> None:
            with sb.connect(server.address) as client:
                client.sample(RANDOM)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(fetch, range(16)))
        assert server.metric("seedbed_bytes_served_total") == 16 * 1_200_000
        assert ended(server, "OK") == 16
        assert server.metric("seedbed_inflight_streams") == 0
        assert server.metric("seedbed_build_info") == 1
        assert server.log.count(" INFO admin address=") == 1


def test_an_address_that_cannot_be_had_is_one_line() -> None:
    with serving(*METRICS) as server:
        taken = server.wait_for(r" INFO admin address=(\S+)")
        for workers in ("1", "2"):
            with server_process(
                "--device", "cpu", "--workers", workers, "--admin-listen", taken
            ) as other:
                assert other.wait() == 1
                assert f"cannot show the status at {taken}: Address already in use" in other.log
                assert "Traceback" not in other.log


def test_metrics_are_off_unless_asked_for() -> None:
    with serving() as server:
        assert "metrics" not in server.log


def test_what_is_known_beforehand_begins_at_zero() -> None:
    with serving(*METRICS) as server:
        samples = {
            (sample.name, *sorted(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(server.metrics)
            for sample in family.samples
        }
    methods = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].methods_by_name
    for method in (*methods, "unknown"):
        for code in ("OK", "CANCELLED", "INVALID_ARGUMENT", "RESOURCE_EXHAUSTED", "UNAVAILABLE"):
            found = [
                value
                for (name, *labels), value in samples.items()
                if name == "grpc_server_handled_total" and {method, code} <= set(labels)
            ]
            assert found == [0.0], (method, code)
    for reason in set(Reason) - {Reason.INTERNAL}:
        assert samples["seedbed_rejected_total", reason] == 0
    for lane in ("stream", "fill", "shared_memory", "unary"):
        assert samples["seedbed_bytes_served_total", lane] == 0


def test_the_limits_stand_beside_what_is_in_use(tmp_path: Path) -> None:
    limits = ("--max-concurrent-streams", "64", "--max-working-bytes", "123456789")
    shared = ("--shared-memory-dir", str(tmp_path), "--max-shared-memory-bytes", "987654321")
    with serving(*METRICS, *limits, *shared) as server:
        assert server.metric("seedbed_limit", resource="streams") == 64
        assert server.metric("seedbed_limit", resource="working_bytes") == 123456789
        assert server.metric("seedbed_limit", resource="shared_memory_bytes") == 987654321
        assert server.metric("seedbed_threads") == 2


def documented() -> dict[str, set[str]]:
    """Return the labels of each metric in docs/operations.md that every server shows."""
    table = OPERATIONS.read_text().partition("### Metrics")[2].partition("## The log")[0]
    found: dict[str, set[str]] = {}
    for row in re.findall(r"^\| `.*$", table, re.MULTILINE):
        if "only with " in row:
            continue
        # The values of a label come after a colon.
        cells = [cell.partition(":")[0] for cell in row.split("|")[1:3]]
        names, labels = (re.findall(r"`(\w+)`", cell) for cell in cells)
        found |= {name: set(labels) for name in names}
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_the_table_of_metrics_is_what_a_server_shows(workers: int) -> None:
    shown: dict[str, set[str]] = {}
    with server_process("--device", "cpu", "--workers", str(workers), *METRICS) as server:
        server.wait_for("(?s)" + ".*".join([SERVING] * workers))
        with sb.connect(server.address) as client:
            client.sample(RANDOM)
        for family in text_string_to_metric_families(server.metrics):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels}
            shown[name] = labels - {"le"}
    wanted = documented()
    if workers == 1:
        wanted |= {name: set() for name in wanted if name.startswith("process_")}
    assert shown == wanted
