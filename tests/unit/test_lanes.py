"""PeerTurns and lanes: peers are served in turn, the cheap first, and nothing waits for ever."""

import asyncio
import gc
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress

import seedbed as sb
from seedbed.spec.tensors import TensorRequest
from seedbed_server.backends.base import Backend, SamplingCancelledError
from seedbed_server.sampling.sampler import plan
from seedbed_server.streams.lanes import Lane
from seedbed_server.streams.sampling_threads import SamplingThreads
from seedbed_server.streams.tensor_work import Piece, TensorWork
from seedbed_server.streams.turns import PeerTurns
from tests.streams import nothing, run


class Queue:
    """PeerTurns of jobs that only say their names."""

    def __init__(self) -> None:
        self.turns: PeerTurns[Future[None]] = PeerTurns()
        self.said: list[str] = []

    def add(self, peer: str, name: str, cost: float = 1.0) -> "Future[None]":
        future: Future[None] = Future()
        self.turns.add(peer, cost, future, lambda: self.said.append(name))
        return future

    def start(self, count: int) -> list[str]:
        """Return the names of those that are next."""
        before = len(self.said)
        for _ in range(count):
            assert self.turns.start_next()
        return self.said[before:]


def test_peers_take_turns_whatever_the_number_of_their_jobs() -> None:
    queue = Queue()
    for _ in range(100):
        queue.add("greedy", "greedy")
    for peer in "abc":
        for _ in range(10):
            queue.add(peer, peer)
    assert Counter(queue.start(40)) == {"greedy": 10, "a": 10, "b": 10, "c": 10}
    assert len(queue.turns) == 90


def test_peers_with_jobs_of_other_sizes_get_as_much_each() -> None:
    queue = Queue()
    for _ in range(200):
        queue.add("large", "large", 8.0)
        queue.add("small", "small", 1.0)
    got = Counter(queue.start(90))
    assert abs(got["large"] * 8 - got["small"]) <= 8


def test_a_peer_that_comes_again_and_again_gets_no_more_than_one_that_waits() -> None:
    queue = Queue()
    for _ in range(100):
        queue.add("waits", "waits")
    for _ in range(100):
        queue.add("comes", "comes")
        queue.start(1)
    assert 45 <= Counter(queue.said)["comes"] <= 55


def test_the_cheap_go_first_within_a_peer_and_the_dear_are_not_starved() -> None:
    queue = Queue()
    queue.add("a", "dear", 5.0)
    queue.add("a", "cheap", 1.0)
    assert queue.start(1) == ["cheap"]
    for i in range(100):
        queue.add("a", f"later {i}", 1.0)
        queue.start(1)
    assert queue.said.index("dear") <= 6


def test_what_was_cancelled_costs_its_peer_nothing() -> None:
    queue = Queue()
    for i in range(5):
        queue.add("a", f"cancelled {i}", 100.0).cancel()
        queue.add("b", f"b{i}", 1.0)
    queue.add("a", "a", 1.0)
    assert set(queue.start(2)) == {"a", "b0"}


def test_peers_that_have_gone_are_forgotten() -> None:
    queue = Queue()
    for i in range(1000):
        queue.add(str(i), "once")
    queue.start(1000)
    assert not queue.turns.start_next()
    assert queue.turns._peers == []
    assert queue.turns._waiting == {}


def held(gate: threading.Event, name: str, begun: list[str]) -> None:
    """Say the name and wait."""
    begun.append(name)
    gate.wait(120)


async def settled(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(120):
        while not is_so():
            await asyncio.sleep(0.002)


def test_a_lane_runs_peers_in_turn_and_drops_what_is_cancelled() -> None:
    async def work() -> None:
        lane, gate, begun = Lane("test", 1), threading.Event(), list[str]()
        jobs = [lane.submit("greedy", 1, held, gate, f"greedy {i}", begun) for i in range(4)]
        jobs.append(lane.submit("other", 1, held, gate, "other", begun))
        await settled(lambda: begun == ["greedy 0"])
        assert lane.waiting == 4
        assert jobs[1].cancel()
        gate.set()
        await asyncio.wait([asyncio.wrap_future(job) for job in jobs])
        assert begun[0] == "greedy 0"
        assert begun.index("other") <= 2
        assert "greedy 1" not in begun
        assert lane.waiting == 0
        lane.close()

    run(work)


def test_what_fails_in_a_lane_fails_its_job_alone() -> None:
    async def work() -> None:
        lane = Lane("test", 1)
        bad, good = lane.submit("a", 1, int, "x"), lane.submit("a", 1, "x".upper)
        assert await asyncio.wrap_future(good) == "X"
        assert isinstance(bad.exception(), ValueError)
        lane.close()

    run(work)


def test_small_matrices_do_not_wait_for_large_ones(cpu: Backend) -> None:
    async def work() -> None:
        threads, gate = SamplingThreads(cpu, on_sampled=nothing), threading.Event()
        begun: list[str] = []
        for i, seconds in enumerate((40.0, 20.0, 1.0, 0.05)):
            threads.compute("greedy", seconds, held, gate, str(i), begun)
        await settled(lambda: len(begun) == 3)
        assert set(begun) == {"0", "2", "3"}
        gate.set()
        await settled(lambda: len(begun) == 4)

    run(work)


def test_a_job_that_failed_keeps_nothing_of_its_work() -> None:
    class Matrix:
        pass

    def fail(matrices: "list[weakref.ref[Matrix]]") -> None:
        matrix = Matrix()
        matrices.append(weakref.ref(matrix))
        raise SamplingCancelledError

    async def work() -> None:
        lane, matrices = Lane("test", 1), list[weakref.ref[Matrix]]()
        with suppress(SamplingCancelledError):
            await asyncio.wrap_future(lane.submit("a", 1, fail, matrices))
        # A server at rest may not collect garbage for hours.
        assert matrices[0]() is None
        lane.close()

    gc.disable()
    try:
        run(work)
    finally:
        gc.enable()


def test_work_that_nobody_wants_any_more_ends_without_a_word(cpu: Backend) -> None:
    async def work() -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        begun, gate = threading.Event(), threading.Event()

        def sample() -> None:
            begun.set()
            gate.wait(120)
            raise SamplingCancelledError

        matrix = TensorRequest(sb.TensorSpec("m", (64, 64), "float32", sb.Orthogonal(seed=1)))
        threads = SamplingThreads(cpu, on_sampled=nothing)
        future = TensorWork(plan(matrix), "a", threads).run("a", Piece(4, sample))
        await settled(begun.is_set)
        future.cancel()
        await asyncio.sleep(0)
        gate.set()
        await asyncio.wait((future,))
        del future
        gc.collect()
        assert not told

    run(work)
