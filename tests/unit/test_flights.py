"""Streams that ask for the same at the same time cost one sampling, however any of them ends."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.spec.dtypes import Dtype
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.chunks import Draft
from seedbed_server.backends.base import Backend, CancelledError
from seedbed_server.backends.rules import ElementwiseRule, Orthogonal, Sparse
from seedbed_server.backends.runs import Runs
from seedbed_server.kernels.keys import Key
from seedbed_server.sampling.sampler import plan
from seedbed_server.streams.messages import Messages
from seedbed_server.streams.sampling_threads import SamplingPools
from seedbed_server.streams.stream import SMALL_BYTES, Memory, Piece, ReusedMemory, TensorStream

CHUNK = 2 * SMALL_BYTES


class CountingBackend:
    """Another backend that counts the elements it samples, and can be held up."""

    name = "cpu"
    device = "a counter"

    def __init__(self, backend: Backend, threads: int = 2) -> None:
        self._backend = backend
        self.threads = threads
        self._lock = threading.Lock()
        self.elements = 0
        self.gate = threading.Event()
        self.gate.set()

    def close(self) -> None:
        """Leave the other backend open."""

    def fill(
        self, rule: ElementwiseRule, key: Key, runs: Runs, dtype: Dtype, out: NDArray[np.uint8]
    ) -> None:
        self.gate.wait()
        with self._lock:
            self.elements += int(runs.counts.sum())
        self._backend.fill(rule, key, runs, dtype, out)

    def orthogonal(
        self, rule: Orthogonal, block: int, key: Key, is_cancelled: Callable[[], bool]
    ) -> NDArray[np.float64]:
        self.gate.wait()
        if is_cancelled():
            raise CancelledError
        self.elements += rule.grid.block_elements
        return self._backend.orthogonal(rule, block, key, is_cancelled)

    def words(self, key: Key, runs: Runs) -> NDArray[np.uint32]:
        return self._backend.words(key, runs)

    def are_zero(
        self, rule: Sparse, runs: Runs, first_line: int, thresholds: NDArray[np.uint64]
    ) -> NDArray[np.bool_]:
        return self._backend.are_zero(rule, runs, first_line, thresholds)


@pytest.fixture(params=[2, 9], ids=["own threads", "pool"])
def counting(cpu: Backend, request: pytest.FixtureRequest) -> CountingBackend:
    """Return a backend with fewer threads than streams, which then sample alone, or with more."""
    return CountingBackend(cpu, request.param)


@pytest.fixture
def pools(counting: CountingBackend) -> Iterator[SamplingPools]:
    pools = SamplingPools(counting, window_bytes=8 * CHUNK)
    yield pools
    counting.gate.set()
    pools.close()


def stream_of(pools: SamplingPools, *specs: sb.TensorSpec, first_byte: int = 0) -> TensorStream:
    plans = [plan(TensorRequest(spec)) for spec in specs]
    return TensorStream(
        plans, pools, max_chunk_bytes=CHUNK, memory=Messages(), first_byte=first_byte
    )


def messages(stream: TensorStream) -> list[bytes]:
    return [
        message for piece in stream.pieces() if (message := Messages().encode(piece)) is not None
    ]


def wait_for(pools: SamplingPools, is_reached: Callable[[list[int]], bool]) -> None:
    """Return when the numbers of streams that want each flight are what they should be."""
    for _ in range(6000):
        with pools.flights._lock:
            wanted = [flight.wanted for flight in pools.flights._flights.values()]
        if is_reached(wanted):
            return
        time.sleep(0.01)
    raise AssertionError(wanted)


SPEC = sb.TensorSpec("w", (20 * CHUNK // 4 + 7,), "float32", sb.RandomNormal(seed=1))
SQUARE = sb.TensorSpec("q", (192, 192), "float32", sb.Orthogonal(seed=1))


@pytest.mark.parametrize("streams", [2, 8])
def test_ranks_that_ask_together_cost_one_sampling(
    pools: SamplingPools, counting: CountingBackend, streams: int
) -> None:
    alone = messages(stream_of(SamplingPools(counting), SPEC))
    counting.elements = 0
    iterators = [stream_of(pools, SPEC).pieces() for _ in range(streams)]
    got: list[list[bytes]] = [[] for _ in iterators]
    for pieces in zip(*iterators, strict=True):  # in step, as the ranks of a job are
        for each, piece in zip(got, pieces, strict=True):
            each.append(Messages().encode(piece) or b"")
    assert all(each == alone for each in got)
    assert counting.elements == SPEC.element_count


# More threads are further ahead than the window is large.
@pytest.mark.parametrize("counting", [2], indirect=True)
def test_streams_that_are_a_little_behind_share_and_those_far_behind_do_not(
    pools: SamplingPools, counting: CountingBackend
) -> None:
    alone = messages(stream_of(SamplingPools(counting), SPEC))
    for behind, is_shared in ((6, True), (16, False)):
        counting.elements = 0
        first, second = stream_of(pools, SPEC).pieces(), stream_of(pools, SPEC).pieces()
        got = [next(second)]  # reads as well, but slowly
        for _ in range(behind):
            next(first)
        for _ in first:
            got += [piece for piece in [next(second, None)] if piece is not None]
            assert (
                sum(each.buffer.data.size for each in pools.flights._flights.values()) <= 16 * CHUNK
            )
        got += second
        assert [Messages().encode(piece) for piece in got] == alone
        assert (counting.elements == SPEC.element_count) == is_shared


def test_nobody_waits_for_a_stream_that_does_not_go_on(
    pools: SamplingPools, counting: CountingBackend
) -> None:
    alone = messages(stream_of(SamplingPools(counting), SPEC))
    idle = [stream_of(pools, SPEC).pieces() for _ in range(3)]
    for pieces in idle:
        next(pieces)
    assert messages(stream_of(pools, SPEC)) == alone
    for pieces in idle:
        assert len(list(pieces)) == len(alone) - 1


@pytest.mark.parametrize(
    ("threads", "others", "memory", "samples_itself"),
    [
        (1, 0, Messages, True),
        (2, 0, Messages, False),
        (2, 1, Messages, True),
        (3, 1, Messages, False),
        (2, 1, ReusedMemory, False),
    ],
)
def test_a_stream_samples_for_itself_where_no_processor_is_idle_and_messages_are_sent(
    cpu: Backend, threads: int, others: int, memory: type[Memory], samples_itself: bool
) -> None:
    samplers: set[int] = set()
    pools = SamplingPools(
        CountingBackend(cpu, threads),
        on_sampled=lambda plan, size_bytes: samplers.add(threading.get_ident()),
    )
    for _ in range(others):
        pools.enter()
    stream = TensorStream(
        [plan(TensorRequest(SPEC))], pools, max_chunk_bytes=CHUNK, memory=memory()
    )
    for _ in stream.pieces():
        pass
    assert (samplers == {threading.get_ident()}) == samples_itself
    assert (threading.get_ident() in samplers) == samples_itself
    assert pools._streams == others
    pools.close()


def test_a_stream_alone_keeps_nothing(pools: SamplingPools, counting: CountingBackend) -> None:
    for piece in stream_of(pools, SPEC).pieces():
        assert piece.buffer is not None
        assert len(pools.flights._flights) <= counting.threads + 1
    assert pools.flights._flights == {}
    assert pools.flights._readers == {}


def test_tensors_that_differ_share_nothing(pools: SamplingPools, counting: CountingBackend) -> None:
    pairs = [
        (
            sb.TensorSpec("a", (64,), "float32", sb.Constant(0.0)),
            sb.TensorSpec("a", (64,), "float32", sb.Constant(-0.0)),
        ),
        (
            sb.TensorSpec("a", (64,), "float32", sb.Ones()),
            sb.TensorSpec("a", (64,), "int32", sb.Ones()),
        ),
        (SPEC, sb.TensorSpec("x", SPEC.shape, "float32", sb.RandomNormal(seed=1))),
    ]
    for one, other in pairs:
        one_alone, other_alone = (
            messages(stream_of(SamplingPools(counting), spec)) for spec in (one, other)
        )
        assert one_alone != other_alone
        assert messages(stream_of(pools, one)) == one_alone
        assert messages(stream_of(pools, other)) == other_alone


def test_a_stream_that_begins_elsewhere_has_its_own_digest(
    pools: SamplingPools, counting: CountingBackend
) -> None:
    whole = messages(stream_of(pools, SPEC))
    rest = messages(stream_of(pools, SPEC, first_byte=2 * CHUNK))
    assert rest == messages(stream_of(SamplingPools(counting), SPEC, first_byte=2 * CHUNK))
    assert rest[-1] != whole[-1]


@pytest.mark.parametrize("spec", [SPEC, SQUARE], ids=["normal", "orthogonal"])
def test_a_stream_goes_on_when_the_one_that_sampled_for_it_is_cancelled(
    pools: SamplingPools, counting: CountingBackend, spec: sb.TensorSpec
) -> None:
    alone = messages(stream_of(SamplingPools(counting), spec))
    counting.gate.clear()
    first, second = stream_of(pools, spec), stream_of(pools, spec)
    with ThreadPoolExecutor(2) as pool:
        cancelled, served = pool.submit(messages, first), pool.submit(messages, second)
        try:
            wait_for(pools, lambda wanted: wanted[:1] == [2])
        finally:
            first.cancel()
            counting.gate.set()
        assert served.result(60) == alone
        with pytest.raises(CancelledError):
            cancelled.result(60)


def test_a_window_of_nothing_keeps_nothing(counting: CountingBackend) -> None:
    pools = SamplingPools(counting, window_bytes=0)
    messages(stream_of(pools, SPEC))
    assert pools.flights._flights == {}
    pools.close()


def test_an_abandoned_stream_leaves_nothing_behind(
    pools: SamplingPools, counting: CountingBackend
) -> None:
    counting.gate.clear()
    pieces: Iterator[Piece] = stream_of(pools, SPEC).pieces()
    starter = ThreadPoolExecutor(1)
    started = starter.submit(next, pieces)
    try:
        wait_for(pools, bool)
    finally:
        counting.gate.set()
    started.result(60)
    pieces.close()  # type: ignore[attr-defined]
    starter.shutdown()
    assert all(flight.wanted == 0 for flight in pools.flights._flights.values())


def test_the_memory_of_a_stream_is_a_draft_of_its_message(pools: SamplingPools) -> None:
    assert all(isinstance(piece.buffer, Draft) for piece in stream_of(pools, SPEC).pieces())


def test_a_small_chunk_is_sampled_by_the_streams_own_thread(
    pools: SamplingPools, counting: CountingBackend
) -> None:
    small = sb.TensorSpec("w", (SMALL_BYTES // 4,), "float32", sb.RandomNormal(seed=1))
    threads: list[str] = []
    pools.on_sampled = lambda plan, size: threads.append(threading.current_thread().name)
    whole = b"".join(messages(stream_of(pools, small, small, SQUARE)))
    assert threads[:2] == [threading.current_thread().name] * 2
    assert all(name.startswith("seedbed-matrix") for name in threads[2:])
    assert len(threads) == 2 + 5
    assert whole == b"".join(messages(stream_of(SamplingPools(counting), small, small, SQUARE)))


def test_a_small_chunk_that_fails_fails_the_stream(
    pools: SamplingPools, counting: CountingBackend
) -> None:
    small = sb.TensorSpec("w", (10,), "float32", sb.RandomNormal(seed=1))

    def fail(*_: object) -> None:
        raise MemoryError

    counting.fill = fail  # type: ignore[method-assign,assignment]  # a backend out of memory
    with pytest.raises(MemoryError):
        messages(stream_of(pools, small))
    assert not pools.flights._flights
