"""A server that lies never gives an array, only a DataLossError; a damaged line, the right one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.tensors import TensorRequest
from seedbed.transports.tries import MOST_DOUBTS
from seedbed.v1 import service_pb2, tensors_pb2
from seedbed.wire import parts
from seedbed.wire.checksums import with_checksum
from seedbed.wire.parts import encode_part
from seedbed.wire.protos import descriptions_to_proto
from seedbed_server.sampling.descriptions import describe
from seedbed_server.sampling.sampler import plan
from tests.integration.liars import (
    Part,
    damaging_proxy,
    digest_message,
    honest_parts,
    lying_server,
    serialized,
)
from tests.servers import ServerProcess
from tests.unknown_fields import field_of

DigestMessage = service_pb2.DigestTensorsResponse
DescribeMessage = service_pb2.DescribeTensorsResponse

# Large enough to come by a stream.
SPEC = sb.TensorSpec("w", (30_000,), "float32", sb.Zeros())
CONTENT = np.arange(30_000, dtype="<f4").tobytes()
OTHER = np.arange(30_000, 60_000, dtype="<f4").tobytes()
FIRST, MIDDLE, LAST = 0, 1, 2


def _honest() -> list[Part]:
    return honest_parts(CONTENT, SPEC)


def _changed(at: int, change: Callable[[Part], object]) -> Callable[[], Iterable[bytes]]:
    """Return honest messages of which one was changed."""

    def answer() -> Iterable[bytes]:
        parts = _honest()
        change(parts[at])
        return serialized(parts)

    return answer


def _arranged(
    arrange: Callable[[list[Part]], Iterable[Part]],
) -> Callable[[], Iterable[bytes]]:
    """Return honest messages in another order or number."""
    return lambda: serialized(arrange(_honest()))


def _endless(responses: list[Part]) -> Iterator[Part]:
    yield from responses
    for index in count(1):
        yield from honest_parts(OTHER, SPEC, index=index)


def _of(**fields: object) -> Callable[[Part], object]:
    """Return a change of header fields."""

    def change(response: Part) -> None:
        for name, value in fields.items():
            if name == "shape":
                del response.header.shape[:]
                response.header.shape.extend(value)  # type: ignore[arg-type]
            else:
                setattr(response.header, name, value)

    return change


def _flip(response: Part) -> None:
    response.chunk.data = bytes([response.chunk.data[0] ^ 1]) + response.chunk.data[1:]


def _other_digest(response: Part) -> None:
    response.digest.value = bytes(16)


def _of_other(request: tensors_pb2.TensorRequest) -> None:
    request.spec.draw = 1


SPLICED = _honest()[:1] + honest_parts(OTHER, SPEC)[1:]

LIES: dict[str, Callable[[], Iterable[bytes]]] = {
    "nothing at all": list,
    "an empty message": lambda: [b""],
    "an empty part": lambda: [b"\x0a\x00"],
    "only the first piece": _arranged(lambda r: r[:1]),
    "no last piece": _arranged(lambda r: r[:2]),
    "no first piece": _arranged(lambda r: r[1:]),
    "no middle piece": _arranged(lambda r: [r[0], r[2]]),
    "pieces in the wrong order": _arranged(lambda r: [r[0], r[2], r[1]]),
    "a piece twice": _arranged(lambda r: [r[0], r[1], r[1], r[2]]),
    "everything twice": _arranged(lambda r: r + r),
    "a tensor that nobody asked for": _arranged(lambda r: r + honest_parts(OTHER, SPEC, index=1)),
    "tensors without end": _arranged(_endless),
    "another tensor's index": _changed(MIDDLE, lambda r: setattr(r, "tensor_index", 1)),
    "a negative index": _changed(FIRST, lambda r: setattr(r, "tensor_index", -1)),
    "no header": _changed(FIRST, lambda r: r.ClearField("header")),
    "a second header": _changed(MIDDLE, lambda r: r.header.CopyFrom(_honest()[0].header)),
    "a header of another shape": _changed(FIRST, _of(shape=[300, 100])),
    "a header of no shape": _changed(FIRST, _of(shape=[])),
    "a header of another dtype": _changed(FIRST, _of(dtype=tensors_pb2.DTYPE_INT32)),
    "a header of an unknown dtype": _changed(FIRST, _of(dtype=77)),
    "a header of another size": _changed(FIRST, _of(total_bytes=120_004)),
    "a header of unknown numerics": _changed(FIRST, _of(numerics=99)),
    "a header without numerics": _changed(FIRST, _of(numerics=0)),
    "a header of another request": _changed(FIRST, lambda r: _of_other(r.header.request)),
    "a header without a request": _changed(FIRST, lambda r: r.header.ClearField("request")),
    "a header that is garbage": lambda: [encode_part(parts.Part(0, header=b"\xff\xff"))],
    "a wrong offset": _changed(MIDDLE, lambda r: setattr(r.chunk, "byte_offset", 40_004)),
    "a negative offset": _changed(FIRST, lambda r: setattr(r.chunk, "byte_offset", -40_000)),
    "a flipped bit": _changed(LAST, _flip),
    "a wrong running digest": _changed(MIDDLE, lambda r: setattr(r.chunk, "digest", bytes(16))),
    "a running digest of the whole": _changed(
        MIDDLE, lambda r: setattr(r.chunk, "digest", _honest()[2].digest.value)
    ),
    "no running digest": _changed(FIRST, lambda r: r.chunk.ClearField("digest")),
    "half a piece": _changed(LAST, lambda r: setattr(r.chunk, "data", r.chunk.data[:20_000])),
    "too long a piece": _changed(LAST, lambda r: setattr(r.chunk, "data", r.chunk.data + bytes(4))),
    "a wrong digest": _changed(LAST, _other_digest),
    "no digest": _changed(LAST, lambda r: r.ClearField("digest")),
    "an empty digest": _changed(LAST, lambda r: r.digest.Clear()),
    "a digest of another size": _changed(LAST, lambda r: setattr(r.digest, "size_bytes", 4)),
    "a digest of an unknown algorithm": _changed(LAST, lambda r: setattr(r.digest, "algorithm", 9)),
    "a digest of another algorithm": _changed(LAST, lambda r: setattr(r.digest, "algorithm", 2)),
    "a digest too early": _changed(MIDDLE, lambda r: r.digest.CopyFrom(_honest()[2].digest)),
    "a digest that is garbage": lambda: [
        *serialized(_honest()[:2]),
        field_of(1, _honest()[2].SerializeToString() + b"\x1a\x02\xff\xff"),
    ],
    "pieces of two tensors": lambda: serialized(SPLICED),
    "garbage": lambda: [b"\xff" * 50],
    "text": lambda: [b"HTTP/1.1 200 OK"],
    "a message that is cut off": lambda: [next(serialized(_honest()))[:-3]],
}


@contextmanager
def impatient_client(answers: dict[str, Callable[[], Iterable[bytes]]]) -> Iterator[sb.Client]:
    """Yield a client of a server that answers so; each of its calls is one try."""
    with lying_server(answers) as address, sb.connect(address, patience_seconds=0) as client:
        yield client


@pytest.mark.parametrize("answer", LIES.values(), ids=LIES.keys())
def test_a_lie_is_found_out(answer: Callable[[], Iterable[bytes]]) -> None:
    with impatient_client({"SampleTensors": answer}) as client:
        with pytest.raises(sb.DataLossError) as caught:
            client.sample(SPEC)
        assert "again" in str(caught.value) or "check" in str(caught.value)
        handed_out = bytearray()
        with pytest.raises(sb.DataLossError):
            handed_out.extend(byte for chunk in client.chunks(SPEC) for byte in chunk.data)
        assert CONTENT.startswith(handed_out)


@pytest.mark.parametrize("name", ["nothing at all", "a wrong digest", "a header of another shape"])
def test_a_lie_that_repeats_ends_the_call_after_a_few_tries(name: str) -> None:
    with lying_server({"SampleTensors": LIES[name]}) as address, sb.connect(address) as client:
        with pytest.raises(sb.DataLossError, match=rf"tried {MOST_DOUBTS} times in"):
            client.sample(SPEC)
        assert client.stats().failures == MOST_DOUBTS


@pytest.mark.parametrize(
    "name", ["everything twice", "a tensor that nobody asked for", "tensors without end"]
)
def test_what_comes_after_all_that_was_asked_for_costs_nothing_of_it(name: str) -> None:
    with lying_server({"SampleTensors": LIES[name]}) as address, sb.connect(address) as client:
        assert client.sample(SPEC).tobytes() == CONTENT
        (replica,) = client.stats().replicas
    assert (replica.failures, replica.bytes_received) == (1, len(CONTENT))


def test_the_honest_form_of_the_lies_is_believed() -> None:
    """What makes the others lies is the change, not the harness."""
    answer = _arranged(lambda responses: responses)
    with lying_server({"SampleTensors": answer}) as address, sb.connect(address) as client:
        assert client.sample(SPEC, timeout_seconds=30).tobytes() == CONTENT


def test_a_message_larger_than_any_announced_is_no_overload() -> None:
    answer = _changed(LAST, lambda r: setattr(r.chunk, "data", bytes(5 * 2**20)))
    with impatient_client({"SampleTensors": answer}) as client:  # noqa: SIM117
        with pytest.raises(sb.DataLossError):
            client.sample(SPEC)


def _digests(
    *digests: tensors_pb2.Digest, change: Callable[[DigestMessage], object] | None = None
) -> Callable[[], Iterable[bytes]]:
    """Return the messages of digests, as if they were of SPEC, with a change of the first one."""
    responses = [digest_message(index, SPEC, digest) for index, digest in enumerate(digests)]
    if change is not None:
        change(responses[0])
    return lambda: [with_checksum(response.SerializeToString()) for response in responses]


def _digest(**fields: object) -> tensors_pb2.Digest:
    honest = {"algorithm": 1, "value": bytes(16), "size_bytes": 120_000}
    return tensors_pb2.Digest(**honest | fields)  # type: ignore[arg-type]


DIGEST_LIES: dict[str, Callable[[], Iterable[bytes]]] = {
    "nothing": list,
    "two digests": _digests(_digest(), _digest()),
    "an unknown algorithm": _digests(_digest(algorithm=9)),
    "another algorithm": _digests(_digest(algorithm=2, value=bytes(32))),
    "too short a digest": _digests(_digest(value=bytes(5))),
    "another size": _digests(_digest(size_bytes=4)),
    "another request": _digests(_digest(), change=lambda r: _of_other(r.tensors[0].request)),
    "no request": _digests(_digest(), change=lambda r: r.tensors[0].ClearField("request")),
    "unknown numerics": _digests(_digest(), change=lambda r: setattr(r, "numerics", 99)),
    "no numerics": _digests(_digest(), change=lambda r: r.ClearField("numerics")),
    "digests without end": lambda: (
        with_checksum(digest_message(index, SPEC, _digest()).SerializeToString())
        for index in count()
    ),
    "garbage": lambda: [b"\xff" * 50],
    "no checksum": lambda: [digest_message(0, SPEC, _digest()).SerializeToString()],
}


def test_the_honest_form_of_the_digests_is_believed() -> None:
    with (
        lying_server({"DigestTensors": _digests(_digest())}) as address,
        sb.connect(address) as client,
    ):
        assert client.digest(SPEC, timeout_seconds=30).value == bytes(16)


@pytest.mark.parametrize("answer", DIGEST_LIES.values(), ids=DIGEST_LIES.keys())
def test_a_lie_about_a_digest_is_found_out(answer: Callable[[], Iterable[bytes]]) -> None:
    with impatient_client({"DigestTensors": answer}) as client, pytest.raises(sb.DataLossError):
        client.digest(SPEC)


def _description(change: Callable[[DescribeMessage], object]) -> tuple[str, bytes]:
    """Return the honest description of SPEC, changed."""
    request = TensorRequest(SPEC)
    response = descriptions_to_proto([(request, describe(plan(request), 2**21))])
    change(response)
    return "DescribeTensors", with_checksum(response.SerializeToString())


UNARY_LIES = {
    "no descriptions": _description(lambda r: r.ClearField("tensors")),
    "two descriptions": _description(lambda r: r.tensors.append(r.tensors[0])),
    "a description of an unknown dtype": _description(lambda r: setattr(r.tensors[0], "dtype", 77)),
    "a description of another request": _description(lambda r: _of_other(r.tensors[0].request)),
    "a description without a request": _description(lambda r: r.tensors[0].ClearField("request")),
    "descriptions of other numerics": _description(lambda r: setattr(r, "numerics", 99)),
    "a default that is no JSON": (
        "ListInitializers",
        with_checksum(
            service_pb2.ListInitializersResponse(
                initializers=[
                    service_pb2.InitializerInfo(
                        parameters=[service_pb2.InitializerParameter(default_json="{")]
                    )
                ]
            ).SerializeToString()
        ),
    ),
    "a self-description without a checksum": (
        "GetServerInfo",
        service_pb2.GetServerInfoResponse(version="1").SerializeToString(),
    ),
    "a description that is garbage": ("DescribeTensors", b"\xff" * 9),
    "a self-description that is garbage": ("GetServerInfo", b"\xff" * 9),
    "a catalogue that is garbage": ("ListInitializers", b"\xff" * 9),
}


@pytest.mark.parametrize(("method", "message"), UNARY_LIES.values(), ids=UNARY_LIES.keys())
def test_a_lie_in_one_message_is_one_of_our_errors(method: str, message: bytes) -> None:
    with impatient_client({method: lambda: [message]}) as client:
        calls: dict[str, Callable[[], object]] = {
            "DescribeTensors": lambda: client.describe(SPEC),
            "ListInitializers": client.list_initializers,
            "GetServerInfo": client.server_info,
        }
        with pytest.raises((sb.DataLossError, sb.UnsupportedError)):
            calls[method]()


@pytest.mark.parametrize("size", [2**16, 2**22, 2**24], ids=["64 KiB", "4 MiB", "16 MiB"])
def test_a_bit_that_flips_on_the_way_costs_another_try(server: ServerProcess, size: int) -> None:
    spec = sb.TensorSpec("w", (size // 4,), "float32", sb.RandomUniform(seed=1))
    flipped: list[int] = []

    def flip(passed: int, block: bytearray) -> None:
        # Once, well inside the payload: HTTP/2's own framing would notice by itself.
        if not flipped and passed + len(block) > size // 2 and len(block) > 20_000:
            block[10_000] ^= 4
            flipped.append(passed)

    with damaging_proxy(server.address, flip) as address, sb.connect(address) as client:
        array = client.sample(spec, timeout_seconds=60)
        assert flipped
        (replica,) = client.stats().replicas
        assert (replica.tries, replica.failures) == (2, 1)
        with sb.connect(server.address) as direct:
            assert array.tobytes() == direct.sample(spec).tobytes()


def test_a_bit_that_flips_on_the_way_ends_a_call_without_patience(server: ServerProcess) -> None:
    spec = sb.TensorSpec("w", (2**20,), "float32", sb.RandomUniform(seed=1))

    def flip(passed: int, block: bytearray) -> None:
        if passed > 2**21 and len(block) > 20_000:
            block[10_000] ^= 4

    with (
        damaging_proxy(server.address, flip) as address,
        sb.connect(address, patience_seconds=0) as client,
        pytest.raises(sb.DataLossError, match=r"the digest of .* is wrong"),
    ):
        client.sample(spec)
