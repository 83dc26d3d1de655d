"""The examples, numbers and reasons of docs/protocol.md are the real ones."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from seedbed.v1 import errors_pb2, service_pb2
from seedbed_server.service import servicer
from seedbed_server.service.connections import connection_options
from seedbed_server.streams.segment import MIN_SEGMENT_BYTES
from seedbed_server.streams.stream import HEARTBEAT_SECONDS
from tests.message_listing import listing
from tests.raw_calls import SERVICE, raw_sample, sample_request, tensor
from tests.servers import ServerProcess

PAGE = (Path(__file__).parents[2] / "docs/protocol.md").read_text("utf-8")
BLOCKS = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

WEIGHT = tensor((2,), "random_uniform", name="w", seed=7, minval=-1.0, maxval=1.0)
BIAS = tensor((3,), "zeros", name="b", seed=0)
STREAM = sample_request(WEIGHT, BIAS)
SMALL = service_pb2.SampleSmallTensorRequest(tensor=BIAS, numerics=STREAM.numerics)


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def block(data: bytes, message: type[Message]) -> str:
    """Return a block of the page that shows a message."""
    return "\n".join(listing(data, message.DESCRIPTOR)) + "\n"


def test_the_worked_example_of_a_stream_is_what_travels(channel: grpc.Channel) -> None:
    # However many messages it comes in, they are these bytes when they are joined.
    answer = b"".join(raw_sample(channel, STREAM))
    assert block(STREAM.SerializeToString(), service_pb2.SampleTensorsRequest) == BLOCKS[0]
    assert block(answer, service_pb2.SampleTensorsResponse) == BLOCKS[1]


def test_the_worked_example_of_a_small_tensor_is_what_travels(channel: grpc.Channel) -> None:
    call: Any = channel.unary_unary(f"/{SERVICE}/SampleSmallTensor")
    answer = call(SMALL.SerializeToString())
    assert block(SMALL.SerializeToString(), service_pb2.SampleSmallTensorRequest) == BLOCKS[2]
    assert block(answer, service_pb2.SampleSmallTensorResponse) == BLOCKS[3]


def test_the_numbers_are_those_of_the_server() -> None:
    ping_ms = dict(connection_options(1, share_port=False))[
        "grpc.http2.min_ping_interval_without_data_ms"
    ]
    text = " ".join(PAGE.split())
    for sentence in (
        f"every {HEARTBEAT_SECONDS:g} s of silence",
        f"not more often than every {ping_ms // 1000} s",
        f"at least {MIN_SEGMENT_BYTES:,} bytes",
        f"{servicer.SEGMENT_LINGER_SECONDS:g} s after the last message",
    ):
        assert sentence in text


def test_the_table_has_the_reasons_of_the_schema_in_its_order() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `([A-Z_]+)` \|", PAGE, re.MULTILINE)
    reasons = [
        value.name.removeprefix("ERROR_REASON_")
        for value in errors_pb2.ErrorReason.DESCRIPTOR.values
        if value.number
    ]
    assert [reason for reason, _ in rows] == reasons
    assert {code for _, code in rows} <= {code.name for code in grpc.StatusCode}


def test_the_table_has_the_rpcs_of_the_service() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (unary|server stream) \|", PAGE, re.MULTILINE)
    methods = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].methods
    assert rows == [
        (method.name, "server stream" if method.server_streaming else "unary") for method in methods
    ]


def test_the_page_speaks_no_language_but_the_schemas() -> None:
    found = re.findall(r"\b(?:Python|SDK|Keras|numpy|grpcio|client\.\w+\(|None|True)\b", PAGE)
    assert found == []
