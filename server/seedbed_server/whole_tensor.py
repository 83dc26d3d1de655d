"""One small tensor at once: sampled by the call's own thread where that can be, without a stream's machinery."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seedbed_server.backends.base import CancelledError
from seedbed_server.pools import SamplingPools
from seedbed_server.sampler import SamplePlan, TensorSource


def sample_whole(
    plan: SamplePlan, pools: SamplingPools, call_when_cancelled: Callable[[Callable[[], None]], bool]
) -> NDArray[np.uint8]:
    """Return all bytes of a plan.

    Args:
        plan: what to sample; its bytes fit into memory.
        pools: who does it, if not this thread.
        call_when_cancelled: takes what is to be called when nobody wants the bytes any more; False if that is so now.

    Raises:
        CancelledError: if nobody wants them any more.
    """
    source = TensorSource(plan, pools.backend)
    if not call_when_cancelled(source.cancel):
        raise CancelledError
    out = np.empty(plan.size_bytes, np.uint8)
    if pools.can_sample_here(plan):
        source.fill(0, out)
    else:
        pools.pool_for(plan).submit(source.fill, 0, out).result()
    if pools.on_sampled is not None:
        pools.on_sampled(plan, out.size)
    return out
