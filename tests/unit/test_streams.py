"""Streams: shared work is sampled once, memory is bounded, and nothing is left over."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.spec.digests import Digester, digest_bytes
from seedbed.spec.dtypes import Dtype
from seedbed.spec.tensors import TensorRequest
from seedbed.wire import protos
from seedbed_server.backends.base import Backend, SamplingCancelledError
from seedbed_server.backends.rules import ElementwiseRule, Orthogonal
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key
from seedbed_server.refusals import NoRoomError, QuotaError
from seedbed_server.sampling.sampler import plan
from seedbed_server.streams import stream as stream_module
from seedbed_server.streams.events import Heartbeat, TensorBegin, TensorEnd
from seedbed_server.streams.inflight import SHARE_BYTES, InflightBytes, InflightError
from seedbed_server.streams.messages import encode
from seedbed_server.streams.peer_caps import PeerCap, PeerCaps
from seedbed_server.streams.resources import StreamResources
from seedbed_server.streams.sampling_threads import IN_PLACE_BYTES
from seedbed_server.streams.stream import Events
from tests.forwarding_backend import ForwardingBackend
from tests.samples import sample
from tests.streams import Reader, all_messages, only_part, resources_of, run, stream_of, until

CHUNK = 2**15
SPEC = sb.TensorSpec("w", (20 * CHUNK // 4 + 7,), "float32", sb.RandomNormal(seed=1))
LARGE = sb.TensorSpec("w", (2**20,), "float32", sb.RandomNormal(seed=1))
SQUARE = sb.TensorSpec("q", (192, 192), "float32", sb.Orthogonal(seed=1))
SMALL = sb.TensorSpec("w", (IN_PLACE_BYTES // 4,), "float32", sb.RandomNormal(seed=1))


class CountingBackend(ForwardingBackend):
    """Another backend that counts the elements it samples, and can be held up."""

    samples_in_place = True
    device = "a counter"

    def __init__(self, backend: Backend, threads: int = 2) -> None:
        super().__init__(backend, threads)
        self._lock = threading.Lock()
        self.elements = 0
        self.samplers: set[str] = set()
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        self.begun.set()
        self.gate.wait(60)
        with self._lock:
            self.elements += int(runs.counts.sum())
            self.samplers.add(threading.current_thread().name)
        super().fill(rule, key, runs, dtype, out)

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        self.begun.set()
        self.gate.wait(60)
        if is_cancelled():
            raise SamplingCancelledError
        with self._lock:
            self.elements += rule.grid.block_elements
        return super().orthogonal(rule, block, key, is_cancelled)


@pytest.fixture(autouse=True)
def _no_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late a thread is: a message more would be none of those that a test compares."""
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 600.0)


@pytest.fixture
def counting(cpu: Backend) -> CountingBackend:
    return CountingBackend(cpu)


def assert_idle(resources: StreamResources, free_bytes: int) -> None:
    """Check that no stream has left anything behind."""
    assert resources.tensors._tensors == {}
    assert resources.tensors._window == {}
    assert resources.tensors._held_bytes == 0
    assert resources.threads.working._held == {}
    assert resources.inflight.free == free_bytes


def alone(cpu: Backend, *specs: sb.TensorSpec, **options: Any) -> list[bytes]:
    """Return the messages of a stream that nobody shares."""

    async def work() -> list[bytes]:
        return await all_messages(stream_of(resources_of(cpu), *specs, **options))

    return run(work)


def contents(messages: list[bytes]) -> dict[int, bytes]:
    """Return each tensor's bytes, in the order in which the messages bring them."""
    found: dict[int, bytes] = {}
    for part in map(only_part, messages):
        data = part.chunk.data if part.chunk is not None else b""
        found[part.tensor_index] = found.get(part.tensor_index, b"") + bytes(data)
    return found


@pytest.mark.parametrize("max_chunk_bytes", [16, 1000, CHUNK, 2**21])
@pytest.mark.parametrize("spec", [SPEC, SQUARE, SMALL], ids=["normal", "orthogonal", "small"])
def test_a_stream_gives_the_tensor_and_its_digest(
    cpu: Backend, spec: sb.TensorSpec, max_chunk_bytes: int
) -> None:
    if max_chunk_bytes == 16:
        spec = sb.TensorSpec("w", (30, 30), "float32", spec.initializer, seed=1)
    messages = alone(cpu, spec, max_chunk_bytes=max_chunk_bytes)
    expected = sample(cpu, spec).tobytes()
    assert contents(messages) == {0: expected}
    parts = [only_part(message) for message in messages]
    assert [part.header is not None for part in parts] == [True, *[False] * (len(parts) - 1)]
    assert [part.digest is not None for part in parts] == [*[False] * (len(parts) - 1), True]
    assert parts[-1].digest is not None
    assert protos.digest_from_bytes(parts[-1].digest) == digest_bytes(expected)
    digester = Digester()
    for part in parts:
        assert part.chunk is not None
        assert len(part.chunk.data) <= max_chunk_bytes
        digester.update(part.chunk.data)
        assert part.chunk.digest == digester.digest().value


@pytest.mark.parametrize("streams", [2, 8])
def test_ranks_that_ask_together_cost_one_sampling(
    cpu: Backend, counting: CountingBackend, streams: int
) -> None:
    async def work() -> None:
        resources = resources_of(counting, window_bytes=8 * CHUNK)
        free = resources.inflight.free
        readers = [Reader(stream_of(resources, SPEC)) for _ in range(streams)]
        await asyncio.gather(*[reader.read(1) for reader in readers])
        for _ in range(20):  # in step, as the ranks of a job are
            for reader in readers:
                await reader.read(1)
        for reader in readers:
            assert await reader.read() == expected
            reader.leave()
        assert counting.elements == SPEC.element_count
        assert_idle(resources, free)

    expected = alone(cpu, SPEC)
    run(work)


@pytest.mark.parametrize(("behind", "is_shared"), [(6, True), (16, False)])
def test_streams_a_little_behind_share_and_those_far_behind_do_not(
    cpu: Backend, counting: CountingBackend, behind: int, is_shared: bool
) -> None:
    async def work() -> None:
        resources = resources_of(counting, window_bytes=8 * CHUNK)
        first, second = Reader(stream_of(resources, SPEC)), Reader(stream_of(resources, SPEC))
        # Reads as well, but slowly.
        await asyncio.gather(second.read(1), first.read(1))
        await first.read(behind)
        while len(first.messages) < len(expected):
            await first.read(1)
            await second.read(1)
            assert resources.tensors._held_bytes <= 8 * CHUNK
        assert await first.read() == await second.read() == expected
        assert (counting.elements == SPEC.element_count) == is_shared
        first.leave()
        second.leave()

    expected = alone(cpu, SPEC)
    run(work)


def test_nobody_waits_for_a_stream_that_does_not_go_on(cpu: Backend) -> None:
    async def work() -> None:
        resources = resources_of(cpu, window_bytes=8 * CHUNK)
        idle = [Reader(stream_of(resources, SPEC)) for _ in range(3)]
        for reader in idle:
            await reader.read(1)
        assert await all_messages(stream_of(resources, SPEC)) == expected
        for reader in idle:
            assert await reader.read() == expected
            reader.leave()

    expected = alone(cpu, SPEC)
    run(work)


def test_a_stream_alone_keeps_nothing(counting: CountingBackend) -> None:
    async def work() -> None:
        resources = resources_of(counting, window_bytes=8 * CHUNK)
        reader = Reader(stream_of(resources, SPEC))
        for _ in range(20):
            await reader.read(1)
            (tensor,) = resources.tensors._tensors.values()
            assert len(tensor.chunks) <= counting.threads + 1
            assert not resources.tensors._window
        reader.leave()

    run(work)


def test_tensors_that_differ_share_nothing(cpu: Backend) -> None:
    pairs = [
        (
            sb.TensorSpec("a", (2**14,), "float32", sb.Constant(0.0)),
            sb.TensorSpec("a", (2**14,), "float32", sb.Constant(-0.0)),
        ),
        (
            sb.TensorSpec("a", (2**14,), "float32", sb.Ones()),
            sb.TensorSpec("a", (2**14,), "int32", sb.Ones()),
        ),
        (SPEC, sb.TensorSpec("x", SPEC.shape, "float32", sb.RandomNormal(seed=1))),
    ]

    async def work(one: sb.TensorSpec, other: sb.TensorSpec) -> list[list[bytes]]:
        resources = resources_of(cpu, window_bytes=8 * CHUNK)
        return await asyncio.gather(
            *[all_messages(stream_of(resources, spec)) for spec in (one, other)]
        )

    for one, other in pairs:
        together = asyncio.run(work(one, other))
        assert together == [alone(cpu, one), alone(cpu, other)]
        assert together[0] != together[1]


def test_a_stream_that_begins_elsewhere_has_its_own_digest(cpu: Backend) -> None:
    whole, rest = alone(cpu, SPEC), alone(cpu, SPEC, first_byte=2 * CHUNK)
    expected = sample(cpu, SPEC).tobytes()[2 * CHUNK :]
    assert contents(rest) == {0: expected}
    digest = only_part(rest[-1]).digest
    assert digest is not None
    assert protos.digest_from_bytes(digest) == digest_bytes(expected)
    assert rest[-1] != whole[-1]


@pytest.mark.parametrize("spec", [SPEC, SQUARE], ids=["normal", "orthogonal"])
def test_a_stream_goes_on_when_the_one_that_asked_first_is_cancelled(
    cpu: Backend, counting: CountingBackend, spec: sb.TensorSpec
) -> None:
    async def work() -> None:
        resources = resources_of(counting, window_bytes=8 * CHUNK)
        counting.gate.clear()
        try:
            first, second = (
                asyncio.create_task(all_messages(stream_of(resources, spec))) for _ in range(2)
            )
            await until(lambda: [t.readers for t in resources.tensors._tensors.values()] == [2])
            first.cancel()
            await asyncio.wait((first,))
        finally:
            counting.gate.set()
        assert first.cancelled()
        assert await second == expected

    expected = alone(cpu, spec)
    run(work)


def test_an_abandoned_stream_leaves_nothing_behind(counting: CountingBackend) -> None:
    async def work() -> None:
        resources = resources_of(counting, window_bytes=8 * CHUNK)
        free = resources.inflight.free
        for count in (0, 1, 5):
            reader = Reader(stream_of(resources, SMALL, SPEC, SQUARE, SPEC))
            await reader.read(count)
            reader.leave()
            assert_idle(resources, free)
        counting.gate.clear()
        reading = asyncio.create_task(all_messages(stream_of(resources, SPEC)))
        await until(lambda: resources.tensors._tensors)
        reading.cancel()
        await asyncio.wait((reading,))
        assert_idle(resources, free)
        counting.gate.set()

    run(work)


def test_a_small_tensor_is_sampled_on_the_loop_and_others_are_not(
    counting: CountingBackend,
) -> None:
    async def work() -> None:
        resources = resources_of(counting)
        await all_messages(stream_of(resources, SMALL))
        assert counting.samplers == {threading.current_thread().name}
        counting.samplers.clear()
        await all_messages(stream_of(resources, SPEC))
        assert all(name.startswith("seedbed-sample") for name in counting.samplers)
        counting.samples_in_place = False  # such as a GPU
        counting.samplers.clear()
        await all_messages(stream_of(resources, SMALL))
        assert all(name.startswith("seedbed-sample") for name in counting.samplers)

    run(work)


@pytest.mark.parametrize("spec", [SMALL, SPEC], ids=["small", "large"])
def test_what_fails_fails_the_stream_and_no_later_one(
    cpu: Backend, counting: CountingBackend, spec: sb.TensorSpec
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    async def work() -> None:
        resources = resources_of(counting, window_bytes=8 * CHUNK)
        free = resources.inflight.free
        right, counting.fill = counting.fill, fail  # type: ignore[method-assign,assignment]
        streams = [all_messages(stream_of(resources, spec)) for _ in range(2)]
        for result in await asyncio.gather(*streams, return_exceptions=True):
            assert isinstance(result, MemoryError)
        assert_idle(resources, free)
        counting.fill = right  # type: ignore[method-assign]
        assert await all_messages(stream_of(resources, spec)) == expected

    expected = alone(cpu, spec)
    run(work)


def test_a_reader_that_takes_nothing_costs_one_share(cpu: Backend) -> None:
    async def work() -> None:
        resources = resources_of(cpu)
        free = resources.inflight.free
        readers = [Reader(stream_of(resources, LARGE, max_chunk_bytes=2**21)) for _ in range(10)]
        for reader in readers:
            await reader.read(1)
        held = free - resources.inflight.free
        assert held <= 10 * SHARE_BYTES
        assert all(len(r.messages[0]) <= SHARE_BYTES + 200 for r in readers)
        for reader in readers:
            reader.leave()
        assert_idle(resources, free)

    run(work)


def test_chunks_grow_with_what_the_reader_takes(cpu: Backend) -> None:
    sizes = [len(message) for message in alone(cpu, LARGE, max_chunk_bytes=2**20)]
    assert sizes[0] < 2**16 + 200
    assert max(sizes) > 2**20


def test_a_stream_gets_on_with_its_share_where_others_have_all_the_rest(cpu: Backend) -> None:
    async def work() -> None:
        resources = resources_of(cpu, inflight_bytes=0)
        messages = await all_messages(stream_of(resources, LARGE, max_chunk_bytes=2**20))
        assert contents(messages) == {0: sample(cpu, LARGE).tobytes()}
        assert max(map(len, messages)) <= SHARE_BYTES + 200

    run(work)


def test_a_budget_below_the_shares_is_refused_by_its_options_names() -> None:
    with pytest.raises(InflightError, match=r"--max-inflight-bytes must be at least 65536 for"):
        InflightBytes(SHARE_BYTES * 10 - 1, 10)
    assert InflightBytes(SHARE_BYTES * 10, 10).free == 0


def test_a_reader_hears_that_the_server_still_computes(
    counting: CountingBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_module, "HEARTBEAT_SECONDS", 0.01)

    async def work() -> list[Events]:
        resources = resources_of(counting)
        counting.gate.clear()
        said: list[Events] = []
        with stream_of(resources, SPEC) as stream:
            async for events in stream.rendered(lambda events: events):
                said.append(events)
                if len(said) == 3:
                    counting.gate.set()
                if isinstance(events[-1], TensorEnd):
                    break
        return said

    said = run(work)
    assert [type(event) for event in said[0]] == [TensorBegin, Heartbeat]
    assert said[1] == (Heartbeat(0, 0),)
    kinds = [type(event) for events in said for event in events]
    assert kinds.count(TensorBegin) == kinds.count(TensorEnd) == 1


def matrix(name: str) -> sb.TensorSpec:
    """Return a tensor that is computed whole."""
    return sb.TensorSpec(name, (32, 32), "float32", sb.Orthogonal(seed=1))


MATRIX_BYTES = plan(TensorRequest(matrix("m"))).cost.working_bytes


def test_a_matrix_without_room_is_an_overload_and_shared_ones_need_it_once(
    counting: CountingBackend,
) -> None:
    async def work() -> None:
        resources = resources_of(counting, working_bytes=3 * MATRIX_BYTES)
        counting.gate.clear()
        tasks = [
            asyncio.create_task(all_messages(stream_of(resources, matrix(name)))) for name in "aab"
        ]
        await until(lambda: len(resources.tensors._tensors) == 2)
        with pytest.raises(NoRoomError, match="no room") as caught:
            await all_messages(stream_of(resources, matrix("c")))
        assert caught.value.reason == "TOO_MANY_MATRICES"
        assert caught.value.retry_after_seconds >= 0.2
        other = asyncio.create_task(all_messages(stream_of(resources, matrix("c"), peer="other")))
        await until(lambda: len(resources.tensors._tensors) == 3)
        counting.gate.set()
        await asyncio.gather(other, *tasks)
        await all_messages(stream_of(resources, matrix("c")))
        assert resources.threads.working.free == 3 * MATRIX_BYTES

    run(work)


def test_a_stream_of_many_matrices_goes_on_where_there_is_room_for_one(cpu: Backend) -> None:
    async def work() -> list[bytes]:
        resources = resources_of(cpu, working_bytes=MATRIX_BYTES)
        return await all_messages(stream_of(resources, *map(matrix, "abcdef")))

    messages = run(work)
    assert contents(messages) == {
        i: sample(cpu, matrix(name)).tobytes() for i, name in enumerate("abcdef")
    }


def test_a_peer_may_be_capped_in_matrices_and_others_are_not(counting: CountingBackend) -> None:
    caps = PeerCaps(PeerCap("inflight_bytes"), PeerCap("matrices", {"capped": 1}.get))

    async def work() -> None:
        resources = resources_of(counting, caps=caps)
        counting.gate.clear()
        first, other = (
            asyncio.create_task(all_messages(stream_of(resources, *map(matrix, names), peer=peer)))
            for names, peer in (("abc", "capped"), ("xyz", "other"))
        )
        await until(lambda: caps.matrices._held)
        with pytest.raises(QuotaError, match="1 more are beyond matrices, 1, with the 1 in use"):
            await all_messages(stream_of(resources, matrix("d"), peer="capped"))
        another = asyncio.create_task(all_messages(stream_of(resources, matrix("e"), peer="other")))
        counting.gate.set()
        for each in await asyncio.gather(first, other):
            assert len(contents(each)) == 3
        await another
        assert contents(await all_messages(stream_of(resources, matrix("d"), peer="capped")))
        assert caps.matrices._held == {}
        assert resources.threads.working.held == 0

    run(work)


def test_a_peer_that_holds_all_it_may_gets_small_chunks_and_all_of_them(cpu: Backend) -> None:
    caps = PeerCaps(PeerCap("inflight_bytes", {"capped": 2**19}.get), PeerCap("matrices"))

    async def work(peer: str) -> list[int]:
        resources = resources_of(cpu, caps=caps)
        peaks = []
        with stream_of(resources, LARGE, peer=peer, max_chunk_bytes=2**20) as stream:
            messages = []
            async for message in stream.rendered(encode):
                messages.append(message)
                peaks.append(resources.inflight.held)
        assert contents(messages) == {0: sample(cpu, LARGE).tobytes()}
        assert caps.held_bytes._held == {}
        return peaks

    assert 0 < max(run(lambda: work("capped"))) <= 2**19
    assert max(run(lambda: work("other"))) > 2**19


def test_memory_of_a_matrix_is_given_back_when_its_thread_has_left_it(
    counting: CountingBackend,
) -> None:
    async def work() -> None:
        resources = resources_of(counting)
        working = resources.threads.working
        counting.gate.clear()
        reading = asyncio.create_task(all_messages(stream_of(resources, SQUARE)))
        await until(counting.begun.is_set)
        reading.cancel()
        await asyncio.wait((reading,))
        assert resources.tensors._tensors == {}
        assert working._held, "a thread still works"
        counting.gate.set()
        await until(lambda: not working._held)

    run(work)


@pytest.mark.parametrize("algorithm", ["xxh3_128", "sha256"])
def test_a_constant_is_one_element_with_the_digest_of_all(cpu: Backend, algorithm: str) -> None:
    spec = sb.TensorSpec("c", (700_001,), "float32", sb.Constant(1.5))

    async def work() -> list[bytes]:
        stream = stream_of(resources_of(cpu), spec, accepts_fill=True, algorithm=algorithm)
        return await all_messages(stream)

    (message,) = run(work)
    part = only_part(message)
    assert part.fill == np.float32(1.5).tobytes()
    assert part.chunk is None
    assert part.digest is not None
    expected = digest_bytes(sample(cpu, spec).tobytes(), algorithm)  # type: ignore[arg-type]
    assert protos.digest_from_bytes(part.digest) == expected
