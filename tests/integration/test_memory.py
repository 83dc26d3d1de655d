"""The server's memory grows neither with a tensor's size nor with slow readers."""

from collections.abc import Iterator
from contextlib import ExitStack

import grpc
import pytest

from seedbed.spec.info import MAX_CHUNK_BYTES
from tests.raw_calls import MIB, large_request, parts_of, raw_sample, sample_request, tensor
from tests.servers import ServerProcess, serving

GIB = 2**30
TENSOR_BYTES = 16 * GIB
ALLOWED_BYTES = 256 * MIB
# Between two looks at the server's memory.
LOOK_EVERY_MESSAGES = 256
STALLED_READERS = 20


@pytest.fixture(scope="module")
def own_server() -> Iterator[ServerProcess]:
    """A server of its own for memory tests, which has sampled once to load all of its code."""
    with serving() as server, grpc.insecure_channel(server.address) as channel:
        assert parts_of(channel, large_request(64 * MIB))
        yield server


def test_a_tensor_of_16_gib_does_not_grow_the_server(own_server: ServerProcess) -> None:
    # Messages as bytes that nobody keeps: what a reader does that writes them to a file. bfloat16
    # is the cheapest dtype that is really sampled, and large chunks cost the fewest calls.
    request = large_request(TENSOR_BYTES)
    request.transfer.max_chunk_bytes = MAX_CHUNK_BYTES
    before = largest = own_server.memory
    received = 0
    options = [("grpc.http2.max_frame_size", 2**24 - 1)]
    with grpc.insecure_channel(own_server.address, options=options) as channel:
        for count, message in enumerate(raw_sample(channel, request)):
            received += len(message)
            if count % LOOK_EVERY_MESSAGES == 0:
                largest = max(largest, own_server.memory)
    assert TENSOR_BYTES < received < TENSOR_BYTES + 64 * (TENSOR_BYTES // MAX_CHUNK_BYTES + 2)
    print(f"grew by {(largest - before) / MIB:.0f} MiB over {received / GIB:.1f} GiB")
    assert largest - before < ALLOWED_BYTES


def test_readers_that_stall_do_not_grow_the_server(own_server: ServerProcess) -> None:
    before = own_server.memory
    with ExitStack() as stack:
        addresses = [own_server.address] * (STALLED_READERS + 1)
        reader, *channels = [
            stack.enter_context(grpc.insecure_channel(address)) for address in addresses
        ]
        calls = [raw_sample(channel, large_request(TENSOR_BYTES)) for channel in channels]
        for call in calls:
            next(call)
            stack.callback(call.cancel)
        # By the time a later call is answered in full, the stalled ones have filled what there is
        # to fill.
        for _ in range(3):
            assert sum(map(len, raw_sample(reader, large_request(256 * MIB)))) > 256 * MIB
        growth = own_server.memory - before
        print(f"{STALLED_READERS} stalled readers: {growth / MIB / STALLED_READERS:.1f} MiB each")
        # Two threads keep three chunks ahead, and gRPC holds one more on its way.
        assert growth < STALLED_READERS * 16 * MIB
    own_server.wait_for_count("code=CANCELLED", STALLED_READERS)


def test_many_small_tensors_do_not_grow_the_server(own_server: ServerProcess) -> None:
    request = sample_request(*[tensor((1000,), name=str(i)) for i in range(10_000)])
    with grpc.insecure_channel(own_server.address) as channel:
        call = raw_sample(channel, request)
        next(call)
        before = own_server.memory
        assert sum(len(message) for message in call) > 9_999 * 4000
    assert own_server.memory - before < ALLOWED_BYTES
