"""Requests with damaged bytes get one of the documented answers, never an internal error."""

import random
from collections.abc import Iterator
from itertools import islice

import grpc
import pytest

from seedbed.v1 import streams_pb2, tensors_pb2
from tests.raw_calls import bytes_by_tensor, parts_of, raw_stream, sample_request, tensor
from tests.servers import ServerProcess

# What docs and schema announce; of these, what a damaged request can run into.
DOCUMENTED = {"OK", "INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED", "RESOURCE_EXHAUSTED"}
SEED = 20_260_101
ROUNDS = 200
# A damaged shape may ask for gigabytes: the beginning shows whether the server agreed.
ENOUGH_MESSAGES = 3


@pytest.fixture(scope="module")
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened


def _valid_requests() -> list[bytes]:
    axes = tensors_pb2.FanAxes(in_axes=[0], out_axes=[-1], batch_axes=[1])
    part = tensors_pb2.TensorSlice(starts=[0, 1, 1], lengths=[1, 1, 2])
    with_all = tensor(
        (2, 3, 4),
        "variance_scaling",
        name="layers.0/é",
        scale=2.0,
        mode=1,
        distribution=3,
        seed=2**63,
    )
    with_all.spec.fan_axes.CopyFrom(axes)
    with_all.spec.draw = 3
    with_all.slice.CopyFrom(part)
    resume = streams_pb2.ResumePoint(tensor_index=1, byte_offset=4)
    requests = [
        sample_request(
            tensor((3,)),
            with_all,
            resume=resume,
            max_chunk_bytes=32,
            digest_algorithm=2,
            numerics=1,
        ),
        sample_request(
            tensor((2, 2), "orthogonal", gain=0.5), tensor((3, 2), "identity", dtype=7, gain=2.0)
        ),
        sample_request(
            tensor((5,), "constant", dtype=12, large_integer=2**64 - 1),
            tensor((), "zeros", dtype=13),
        ),
        sample_request(
            tensor((5,), "truncated_normal", dtype=1, mean=0.5, stddev=0.1, lower=-1.0, upper=1.0)
        ),
    ]
    return [request.SerializeToString() for request in requests]


def _damaged(data: bytes, chance: random.Random) -> bytes:
    """Return the bytes with a few changed, cut off, doubled, inserted or swapped."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged) + 1)
        match chance.randrange(6):
            case 0 if at < len(damaged):
                damaged[at] ^= 1 << chance.randrange(8)
            case 1 if at < len(damaged):
                damaged[at] = chance.choice([0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)])
            case 2:
                del damaged[at : at + chance.randint(1, 8)]
            case 3:
                damaged[at:at] = chance.randbytes(chance.randint(1, 12))
            case 4:
                damaged[at:at] = damaged[at : at + chance.randint(1, 40)]
            case _:
                del damaged[at:]
    return bytes(damaged)


def _code(channel: grpc.Channel, method: str, message: bytes) -> str:
    call = raw_stream(channel, method, message, timeout=60)
    try:
        received = list(islice(call, ENOUGH_MESSAGES))
    except grpc.RpcError as error:
        return str(error.code().name)
    finally:
        call.cancel()
    return "OK" if len(received) == ENOUGH_MESSAGES else str(call.code().name)


@pytest.mark.parametrize("method", ["SampleTensors", "DigestTensors", "DescribeTensors"])
def test_damaged_requests_get_documented_answers(
    server: ServerProcess, channel: grpc.Channel, method: str
) -> None:
    chance = random.Random(SEED)
    valid = _valid_requests()
    tracebacks = server.log.count("Traceback")
    seen: dict[str, bytes] = {}
    for _ in range(ROUNDS):
        message = _damaged(chance.choice(valid), chance)
        seen.setdefault(_code(channel, method, message), message)
    assert set(seen) <= DOCUMENTED, {
        code: message.hex() for code, message in seen.items() if code not in DOCUMENTED
    }
    assert {"OK", "INVALID_ARGUMENT"} <= set(seen)
    assert server.process.poll() is None
    assert server.log.count("Traceback") == tracebacks
    assert bytes_by_tensor(parts_of(channel, sample_request(tensor((2,), "ones")))) == {
        0: b"\0\0\x80\x3f" * 2
    }


@pytest.mark.parametrize(
    "method", ["SampleTensors", "DigestTensors", "DescribeTensors", "GetServerInfo"]
)
def test_random_bytes_get_documented_answers(
    server: ServerProcess, channel: grpc.Channel, method: str
) -> None:
    chance = random.Random(SEED)
    tracebacks = server.log.count("Traceback")
    codes = {_code(channel, method, chance.randbytes(chance.randint(0, 200))) for _ in range(50)}
    assert codes <= DOCUMENTED
    assert server.process.poll() is None
    assert server.log.count("Traceback") == tracebacks
