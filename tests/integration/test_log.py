"""The log has one line for each RPC, with what an operator asks for and nothing of the content."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

import seedbed as sb
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import service_pb2, service_pb2_grpc, tensors_pb2
from seedbed.wire import protos
from tests.servers import ServerProcess, server_process

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"
SERVING = r'"message": "serving"'
SPEC = sb.TensorSpec("a", (300, 100), "float32", sb.RandomNormal(seed=1))


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server that logs JSON."""
    with server_process("--threads", "2", "--log-format", "json") as server:
        server.wait_for(SERVING)
        yield server


@pytest.fixture(scope="module")
def address(server: ServerProcess) -> str:
    return server.wait_for(r'"message": "listening", "address": "([^"]+)"')


@pytest.fixture(scope="module")
def stub(address: str) -> Iterator[service_pb2_grpc.SeedbedServiceStub]:
    with grpc.insecure_channel(address) as channel:
        yield service_pb2_grpc.SeedbedServiceStub(channel)


def line_of(server: ServerProcess, request_id: str) -> dict[str, Any]:
    """Return the line of a call as its fields."""
    text = server.wait_for(rf'(\{{[^\n]*"request_id": "{re.escape(request_id)}"[^\n]*\}})\n')
    fields: dict[str, Any] = json.loads(text)
    return fields


def calls(server: ServerProcess, method: str, count: int) -> list[dict[str, Any]]:
    """Return the lines of the latest calls of a method, when there are so many more."""
    pattern = rf'\{{[^\n]*"method": "{method}"[^\n]*\}}'
    return [json.loads(text) for text in re.findall(pattern, server.log)][-count:]


def request(*specs: sb.TensorSpec) -> service_pb2.SampleTensorsRequest:
    return service_pb2.SampleTensorsRequest(
        tensors=[protos.tensor_request_to_proto(TensorRequest(each)) for each in specs],
        numerics=protos.numerics_to_proto(),
    )


def sampled(stub: Any, *specs: sb.TensorSpec, request_id: str) -> list[tuple[str, str]]:
    """Sample tensors and return the trailing metadata."""
    call = stub.SampleTensors(request(*specs), metadata=[("x-request-id", request_id)])
    for _ in call:
        pass
    return [tuple(each) for each in call.trailing_metadata()]


def test_a_call_is_one_line_with_its_id_and_its_sizes(server: ServerProcess, stub: Any) -> None:
    other = sb.TensorSpec("b", (5,), "float64", sb.RandomUniform(seed=2))
    assert sampled(stub, SPEC, other, request_id="job-7/a") == [("x-request-id", "job-7/a")]
    line = line_of(server, "job-7/a")
    size = 300 * 100 * 4 + 5 * 8
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert 0 < line.pop("seconds") < 60
    assert line.pop("chunks") >= 2
    assert line == {
        "level": "INFO",
        "message": "rpc",
        "request_id": "job-7/a",
        "method": "SampleTensors",
        "code": "OK",
        "bytes_sampled": size,
        "bytes_sent": size,
        "tensors": 2,
    }


def test_the_page_has_the_fields_of_real_lines(server: ServerProcess, stub: Any) -> None:
    sampled(stub, SPEC, request_id="good")
    with pytest.raises(grpc.RpcError):
        sampled(stub, request_id="refused")
    section = PAGE.read_text(encoding="utf-8").partition("## The log")[2]
    section = section.partition("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    fields = re.findall(r"`(\w+)`", " ".join(rows))
    good, refused = line_of(server, "good"), line_of(server, "refused")
    assert [name for name in fields if name != "identity"] == list(refused)
    assert list(good) == list(refused)[: len(good)]
    assert set(refused) - set(good) == {"reason", "field"}


def test_a_refusal_says_why_and_which_field(server: ServerProcess, stub: Any) -> None:
    bad = request(SPEC, SPEC)
    bad.tensors[1].spec.shape[0] = -1
    with pytest.raises(grpc.RpcError) as caught:
        list(stub.SampleTensors(bad, metadata=[("x-request-id", "bad")]))
    error: Any = caught.value
    assert dict(error.trailing_metadata())["x-request-id"] == "bad"
    line = line_of(server, "bad")
    assert (line["code"], line["reason"]) == ("INVALID_ARGUMENT", "INVALID_VALUE")
    assert line["field"] == "tensors[1].spec.shape[0]"
    assert (line["tensors"], line["bytes_sent"], line["bytes_sampled"]) == (2, 0, 0)


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65])
def test_an_id_that_is_none_is_replaced(server: ServerProcess, stub: Any, sent: str) -> None:
    ((key, value),) = sampled(stub, SPEC, request_id=sent)
    assert key == "x-request-id"
    assert re.fullmatch("[0-9a-f]{32}", value)
    assert line_of(server, value)["code"] == "OK"


def test_a_method_that_is_not_there_has_a_line(server: ServerProcess, address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        call: Any = channel.unary_unary("/seedbed.v1.SeedbedService/Nothing")
        with pytest.raises(grpc.RpcError):
            call(b"", metadata=[("x-request-id", "nothing")])
    line = line_of(server, "nothing")
    assert (line["method"], line["reason"]) == ("unknown", "UNKNOWN_METHOD")


def test_what_was_sampled_for_others_is_not_counted(server: ServerProcess, address: str) -> None:
    slow = sb.TensorSpec("slow", (2**24,), "float32", sb.RandomNormal(seed=5))
    with sb.connect(address) as client:
        client.digest(slow)
        client.digest(slow)
        sb.connect(address).sample(sb.TensorSpec("c", (2**24,), "float32", sb.Constant(3.0)))
    server.wait_for(r'"method": "SampleTensors"[^\n]*"bytes_sent": 67108864')
    first, second = calls(server, "DigestTensors", 2)
    assert (first["bytes_sampled"], second["bytes_sampled"]) == (2**26, 0)
    (constant,) = calls(server, "SampleTensors", 1)
    assert (constant["bytes_sampled"], constant["bytes_sent"]) == (2**20, 2**26)


def test_streams_that_share_count_what_they_had_sampled(server: ServerProcess, stub: Any) -> None:
    """Together they count what was computed, and no byte twice."""
    large = sb.TensorSpec("large", (2**24,), "float32", sb.RandomUniform(seed=9))
    under_way = [
        stub.SampleTensors(request(large), metadata=[("x-request-id", f"rank-{rank}")])
        for rank in range(2)
    ]
    for responses in zip(*under_way, strict=False):
        assert len(responses) == 2
    for call in under_way:
        list(call)
    lines = [line_of(server, f"rank-{rank}") for rank in range(2)]
    assert [line["bytes_sent"] for line in lines] == [2**26, 2**26]
    assert 2**26 <= sum(line["bytes_sampled"] for line in lines) < 2**27


def test_no_seed_and_no_name_is_written(server: ServerProcess, stub: Any) -> None:
    secret = sb.TensorSpec("a-secret-name", (3,), "float32", sb.RandomNormal(seed=8_675_309))
    sampled(stub, secret, request_id="secret-1")
    bad = request(secret)
    bad.tensors[0].spec.dtype = tensors_pb2.DTYPE_UNSPECIFIED
    with pytest.raises(grpc.RpcError):
        list(stub.SampleTensors(bad, metadata=[("x-request-id", "secret-2")]))
    line_of(server, "secret-1")
    line_of(server, "secret-2")
    assert "a-secret-name" not in server.log
    assert "8675309" not in server.log
