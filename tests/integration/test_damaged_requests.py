"""What reaches a server as another request never comes back as the tensor that was wanted."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import seedbed as sb
from tests.integration.liars import meddling_server
from tests.servers import ServerProcess

SMALL = sb.TensorSpec("w/0", (5, 3), "bfloat16", sb.RandomNormal(stddev=0.5, seed=7), draw=2)
# By a stream: it does not fit one message.
LARGE = sb.TensorSpec("w/0", (5_000, 7), "float16", sb.VarianceScaling(seed=-1))
PART = sb.TensorSlice((1, 0), (3, 2))

CALLS: dict[str, Callable[[sb.Client], Any]] = {
    "SampleSmallTensor": lambda client: client.sample(SMALL, slice=PART).tobytes(),
    "SampleTensors": lambda client: client.sample(LARGE).tobytes(),
    "DigestTensors": lambda client: client.digest(SMALL, slice=PART),
    "DescribeTensors": lambda client: client.describe(SMALL),
}
every_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())


class Meddler:
    """Changes what a client asks on its way to a server."""

    def __init__(self) -> None:
        self.change: Callable[[bytes], bytes] = bytes
        self.asked = b""

    def __call__(self, request: bytes) -> bytes:
        self.asked = request
        return self.change(request)


@pytest.fixture(scope="module")
def meddler() -> Meddler:
    return Meddler()


@pytest.fixture(scope="module")
def client(server: ServerProcess, meddler: Meddler) -> Iterator[sb.Client]:
    """A client whose requests go through the meddler, each once."""
    with (
        meddling_server(server.address, meddler) as address,
        sb.connect(address, patience_seconds=0) as connected,
    ):
        yield connected


def _flipped(bit: int) -> Callable[[bytes], bytes]:
    def flip(request: bytes) -> bytes:
        changed = bytearray(request)
        changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)

    return flip


@every_call
def test_a_flipped_bit_gives_an_error_or_the_right_answer(
    client: sb.Client, meddler: Meddler, call: Callable[[sb.Client], Any]
) -> None:
    meddler.change = bytes
    expected = call(client)
    refused = 0
    for bit in range(8 * len(meddler.asked)):
        meddler.change = _flipped(bit)
        try:
            assert call(client) == expected
        except sb.SeedbedError:
            refused += 1
    # A few bits change nothing, such as the most bytes of a chunk, or what absence means as well.
    assert refused > 7 * len(meddler.asked)


@every_call
def test_a_bit_that_flips_once_costs_another_try(
    server: ServerProcess, call: Callable[[sb.Client], Any]
) -> None:
    meddler = Meddler()
    with meddling_server(server.address, meddler) as address, sb.connect(address) as patient:
        expected = call(patient)
        bits = range(0, 8 * len(meddler.asked), 5)

        def flip_once(bit: int) -> Callable[[bytes], bytes]:
            def flip(request: bytes) -> bytes:
                meddler.change = bytes
                return _flipped(bit)(request)

            return flip

        for bit in bits:
            meddler.change = flip_once(bit)
            assert call(patient) == expected
        (replica,) = patient.stats().replicas
    assert replica.failures > 0.8 * len(bits)
    assert replica.tries == 1 + len(bits) + replica.failures
