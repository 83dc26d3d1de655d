"""A tensor sampled at once: by which thread, its cancellation, and what a call holds."""

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.digests import digest_bytes
from seedbed.spec.tensors import TensorRequest
from seedbed_server.backends.base import CancelledError
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.sampling.sampler import SamplePlan, TensorSource, plan
from seedbed_server.streams import whole_tensor
from seedbed_server.streams.sampling_threads import SamplingPools
from seedbed_server.streams.whole_tensor import sample_whole

UNIFORM = plan(TensorRequest(sb.TensorSpec("w", (30, 5), "float32", sb.GlorotUniform(seed=1))))
MATRIX = plan(TensorRequest(sb.TensorSpec("w", (40, 30), "float32", sb.Orthogonal(seed=1))))


class Call:
    """A call that may be cancelled, and keeps what it is to call then."""

    def __init__(self, *, is_over: bool = False) -> None:
        self.callbacks: list[Callable[[], None]] = []
        self._is_over = is_over

    def add(self, callback: Callable[[], None]) -> bool:
        self.callbacks.append(callback)
        return not self._is_over

    def cancel(self) -> None:
        for callback in self.callbacks:
            callback()


@pytest.fixture(scope="module")
def cpu() -> Iterator[CpuBackend]:
    backend = CpuBackend(2)
    yield backend
    backend.close()


@pytest.fixture
def sampled() -> list[tuple[SamplePlan, int]]:
    """What was told to be sampled, and how many bytes."""
    return []


@pytest.fixture
def pools(cpu: CpuBackend, sampled: list[tuple[SamplePlan, int]]) -> SamplingPools:
    return SamplingPools(
        cpu, on_sampled=lambda plan, size_bytes: sampled.append((plan, size_bytes))
    )


@pytest.mark.parametrize("wanted", [UNIFORM, MATRIX], ids=["by element", "as a block"])
def test_the_bytes_are_the_engines(
    pools: SamplingPools, sampled: list[tuple[SamplePlan, int]], wanted: SamplePlan
) -> None:
    data = sample_whole(wanted, pools, Call().add)
    with sb.connect("embedded:") as engine:
        assert digest_bytes(data.data) == engine.digest(wanted.request.spec)
    assert sampled == [(wanted, data.size)]


def test_a_call_that_is_over_is_not_worked_for(
    pools: SamplingPools, sampled: list[tuple[SamplePlan, int]]
) -> None:
    with pytest.raises(CancelledError):
        sample_whole(UNIFORM, pools, Call(is_over=True).add)
    assert sampled == []


def test_a_call_that_waits_for_a_busy_thread_can_be_cancelled(pools: SamplingPools) -> None:
    is_free = threading.Event()
    busy = pools.pool_for(MATRIX).submit(is_free.wait, 60)
    call = Call()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(sample_whole, MATRIX, pools, call.add)
        while len(call.callbacks) < 2:
            time.sleep(0.001)
        call.cancel()
        with pytest.raises(CancelledError):
            waiting.result(30)
        assert not busy.done()
        is_free.set()


def test_a_call_that_is_answered_keeps_no_matrix(
    pools: SamplingPools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that does not read lets its call go on for as long as it likes."""
    sources: list[weakref.ref[TensorSource]] = []

    def remember(*arguments: object) -> TensorSource:
        source = TensorSource(*arguments)  # type: ignore[arg-type]  # passed on
        sources.append(weakref.ref(source))
        return source

    monkeypatch.setattr(whole_tensor, "TensorSource", remember)
    call = Call()
    data = sample_whole(MATRIX, pools, call.add)
    gc.collect()
    assert [source() for source in sources] == [None]
    call.cancel()
    assert np.isfinite(data.view(np.float32)).all()
