"""Clients and servers of other releases: the right bits or an error that says why, never others."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

import seedbed as sb
from seedbed.spec.digests import digest_bytes
from seedbed.v1 import service_pb2
from seedbed.wire.checksums import with_checksum
from seedbed.wire.protos import digest_to_proto
from tests.integration.liars import (
    digest_message,
    honest_parts,
    lying_server,
    meddling_server,
    serialized,
)
from tests.raw_calls import raw_sample, raw_stream, sample_request, tensor
from tests.schemas import request_types_without
from tests.servers import ServerProcess
from tests.unknown_fields import field_of

NORMAL = sb.TensorSpec("w/0", (5, 3), "bfloat16", sb.RandomNormal(stddev=0.5, seed=7), draw=2)
FANS = sb.TensorSpec(
    "w", (5, 3), "float32", sb.HeNormal(seed=1), fan_axes=sb.FanAxes(in_axis=(1,), out_axis=(0,))
)
BLOCKS = sb.TensorSpec("w", (6, 4), "float32", sb.Orthogonal(seed=1, blocks=2, block_axis=0))
FOURIER = sb.TensorSpec("w", (16, 1, 9), "float32", sb.STFT(periodic=True))
DIRAC = sb.TensorSpec("w", (3, 4, 8), "float32", sb.Dirac(groups=2))
PART = sb.TensorSlice((1, 0), (3, 2))

CALLS: dict[str, Callable[[sb.Client, Any, Any], Any]] = {
    "SampleSmallTensor": lambda client, spec, part: client.sample(spec, slice=part),
    "SampleTensors": lambda client, spec, part: [*client.chunks(spec, slice=part)],
    "DigestTensors": lambda client, spec, part: client.digest(spec, slice=part),
    "DescribeTensors": lambda client, spec, part: client.describe(spec, slice=part),
}


@dataclass
class OlderServer:
    """What an older server reads of requests."""

    request_type: type[Message] = service_pb2.SampleTensorsRequest

    def __call__(self, request: bytes) -> bytes:
        message = self.request_type.FromString(request)
        message.DiscardUnknownFields()
        return message.SerializeToString()


@pytest.fixture(scope="module")
def older() -> OlderServer:
    return OlderServer()


@pytest.fixture(scope="module")
def client(server: ServerProcess, older: OlderServer) -> Iterator[sb.Client]:
    """A client of the older server."""
    with (
        meddling_server(server.address, older) as address,
        sb.connect(address, patience_seconds=0) as connected,
    ):
        yield connected


UNREAD: dict[str, tuple[sb.TensorSpec, sb.TensorSlice | None, str, str]] = {
    "TensorSpec.draw": (NORMAL, None, "spec.draw", "0 where 2"),
    "TensorSpec.seed": (NORMAL, None, "spec.seed", "0 where 7"),
    "TensorSpec.name": (NORMAL, None, "spec.name", "'' where 'w/0'"),
    "TensorSpec.fan_axes": (FANS, None, "spec.fan_axes", "nothing where {in_axes: 1 out_axes: 0}"),
    "TensorRequest.slice": (
        NORMAL,
        PART,
        "slice",
        "nothing where {starts: 1 starts: 0 lengths: 3 lengths: 2}",
    ),
    "RandomNormal.stddev": (
        NORMAL,
        None,
        "spec.initializer.random_normal.stddev",
        "0.05 where 0.5",
    ),
    "Orthogonal.blocks": (BLOCKS, None, "spec.initializer.orthogonal.blocks", "1 where 2"),
    "Orthogonal.block_axis": (
        BLOCKS,
        None,
        "spec.initializer.orthogonal.block_axis",
        "-1 where 0",
    ),
    "Stft.periodic": (FOURIER, None, "spec.initializer.stft.periodic", "False where True"),
    "Dirac.groups": (DIRAC, None, "spec.initializer.dirac.groups", "1 where 2"),
}


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize("field", UNREAD)
def test_a_field_that_a_server_does_not_know_is_named(
    client: sb.Client, older: OlderServer, field: str, method: str
) -> None:
    spec, part, path, said = UNREAD[field]
    older.request_type = service_pb2_type(method)
    CALLS[method](client, spec, part)  # all else stays as it is
    older.request_type = request_types_without(field)[method]
    with pytest.raises(sb.DataLossError) as caught:
        CALLS[method](client, spec, part)
    assert f"tensor 0 ({spec.name!r}), as it read {path} as {said} was sent" in str(caught.value)
    assert "older than this client and does not know the field" in str(caught.value)


def service_pb2_type(method: str) -> type[Message]:
    """Return a method's type of request today."""
    found: type[Message] = getattr(service_pb2, f"{method}Request")
    return found


@pytest.mark.parametrize("field", ["TransferOptions.accepts_fill", "SampleTensorsRequest.transfer"])
def test_a_wish_that_a_server_does_not_know_costs_nothing_but_speed(
    client: sb.Client, older: OlderServer, field: str
) -> None:
    older.request_type = request_types_without(field)["SampleTensors"]
    spec = sb.TensorSpec("b", (2**16,), "float32", sb.Constant(2.5))
    assert (client.sample(spec) == 2.5).all()


def test_a_digest_algorithm_that_a_server_does_not_know_is_missed(
    client: sb.Client, older: OlderServer
) -> None:
    field = "DigestTensorsRequest.digest_algorithm"
    older.request_type = request_types_without(field)["DigestTensors"]
    with pytest.raises(sb.DataLossError, match="sha256"):
        client.digest(NORMAL, algorithm="sha256")


@pytest.mark.parametrize("method", CALLS)
@pytest.mark.parametrize(
    ("field", "said"), [("InitializerSpec.random_normal", "initializer"), (None, "numerics")]
)
def test_what_a_server_cannot_do_without_is_an_error_that_names_it(
    client: sb.Client, older: OlderServer, field: str | None, said: str, method: str
) -> None:
    older.request_type = request_types_without(field or f"{method}Request.numerics")[method]
    with pytest.raises(sb.SeedbedError, match=said):
        CALLS[method](client, NORMAL, None)


# What a newer server says.

FLOATS = sb.TensorSpec("w", (30,), "float32", sb.RandomUniform(seed=1))
CONTENT = bytes(range(120))
# Within the numbers that no schema of ours will have soon.
NEW = field_of(1000, b"new")


def test_a_field_that_a_newer_server_has_read_is_not_believed() -> None:
    parts = honest_parts(CONTENT, FLOATS)
    parts[0].header.request.spec.MergeFromString(NEW)
    with (
        lying_server({"SampleTensors": lambda: serialized(parts)}) as address,
        sb.connect(address, patience_seconds=0) as client,
        pytest.raises(sb.DataLossError, match="a field that this client does not know"),
    ):
        list(client.chunks(FLOATS))


def test_a_field_that_a_newer_server_has_read_for_a_digest_is_not_believed() -> None:
    message = digest_message(0, FLOATS, digest_to_proto(digest_bytes(CONTENT, "xxh3_128")))
    message.tensors[0].request.MergeFromString(NEW)
    answer = with_checksum(message.SerializeToString())
    with (
        lying_server({"DigestTensors": lambda: [answer]}) as address,
        sb.connect(address, patience_seconds=0) as client,
        pytest.raises(sb.DataLossError, match="a field that this client does not know"),
    ):
        client.digest(FLOATS)


def test_what_else_a_newer_server_says_is_skipped() -> None:
    parts = honest_parts(CONTENT, FLOATS)
    parts[0].header.MergeFromString(NEW)
    for part in parts:
        part.MergeFromString(NEW)
        part.chunk.MergeFromString(NEW)
    parts[-1].digest.MergeFromString(NEW)
    with (
        lying_server(
            {"SampleTensors": lambda: (message + NEW for message in serialized(parts))}
        ) as address,
        sb.connect(address, patience_seconds=0) as client,
    ):
        assert b"".join(chunk.data for chunk in client.chunks(FLOATS)) == CONTENT


# What a newer client asks.

# With the default that a server writes out.
WANTED = tensor((4,), "random_normal", mean=0.0, stddev=0.5)


def _with_new_field(change: Callable[[service_pb2.SampleTensorsRequest], Message]) -> bytes:
    request = sample_request(WANTED, accepts_fill=True)
    change(request).MergeFromString(NEW)
    return request.SerializeToString()


PLACES: dict[str, Callable[[service_pb2.SampleTensorsRequest], Message]] = {
    "request": lambda request: request,
    "transfer": lambda request: request.transfer,
    "tensor": lambda request: request.tensors[0],
    "spec": lambda request: request.tensors[0].spec,
    "initializer": lambda request: request.tensors[0].spec.initializer,
    "parameters": lambda request: request.tensors[0].spec.initializer.random_normal,
}


@pytest.mark.parametrize("change", PLACES.values(), ids=PLACES)
def test_a_newer_clients_field_changes_nothing_and_is_not_repeated(
    server: ServerProcess, change: Callable[[service_pb2.SampleTensorsRequest], Message]
) -> None:
    with grpc.insecure_channel(server.address) as channel:
        plain = list(raw_sample(channel, sample_request(WANTED)))
        assert list(raw_sample(channel, _with_new_field(change))) == plain
    (part,) = service_pb2.SampleTensorsResponse.FromString(plain[0]).parts
    assert part.header.request == WANTED


def test_a_newer_clients_enum_value_is_refused(server: ServerProcess) -> None:
    """Numerics and dtypes decide the bits: a server that does not know one cannot guess."""
    with grpc.insecure_channel(server.address) as channel:
        for request, code in (
            (sample_request(WANTED, numerics=99), "UNIMPLEMENTED"),
            (sample_request(tensor(dtype=99)), "INVALID_ARGUMENT"),
            (sample_request(WANTED, digest_algorithm=99), "INVALID_ARGUMENT"),
        ):
            with pytest.raises(grpc.RpcError) as caught:
                list(raw_stream(channel, "SampleTensors", request.SerializeToString()))
            error: Any = caught.value
            assert error.code().name == code
