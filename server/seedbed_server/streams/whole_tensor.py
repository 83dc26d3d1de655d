"""One small tensor at once: sampled by the call's own thread where that can be, without a stream's machinery."""

import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError as FutureCancelledError

import numpy as np
from numpy.typing import NDArray

from seedbed_server.backends.base import CancelledError
from seedbed_server.sampling.sampler import SamplePlan, TensorSource
from seedbed_server.streams.sampling_threads import SamplingPools


def sample_whole(
    plan: SamplePlan,
    pools: SamplingPools,
    call_when_cancelled: Callable[[Callable[[], None]], bool],
) -> NDArray[np.uint8]:
    """Return all bytes of a plan.

    Args:
        plan: what to sample; its bytes fit into memory.
        pools: who does it, if not this thread.
        call_when_cancelled: takes what is to be called when nobody wants the bytes any more; False
            if that is so now.

    Raises:
        CancelledError: if nobody wants them any more.
    """
    source = TensorSource(plan, pools.backend)
    # Until the call's end, which a client may put off, only what is small may be referred to.
    if not call_when_cancelled(_cancel_of(source)):
        raise CancelledError
    out = np.empty(plan.size_bytes, np.uint8)
    if pools.can_sample_here(plan):
        source.fill(0, out)
    else:
        _sample_elsewhere(source, out, pools, call_when_cancelled)
    if pools.on_sampled is not None:
        pools.on_sampled(plan, out.size)
    return out


def _cancel_of(source: TensorSource) -> Callable[[], None]:
    known = weakref.ref(source)

    def cancel() -> None:
        if (found := known()) is not None:
            found.cancel()

    return cancel


def _sample_elsewhere(
    source: TensorSource,
    out: NDArray[np.uint8],
    pools: SamplingPools,
    call_when_cancelled: Callable[[Callable[[], None]], bool],
) -> None:
    """Fill memory by another thread; whoever waits for one that is busy can still be cancelled."""
    future = pools.pool_for(source.plan).submit(source.fill, 0, out)

    def leave() -> None:
        future.cancel()

    if not call_when_cancelled(leave):
        leave()
    try:
        future.result()
    except FutureCancelledError:
        raise CancelledError from None
