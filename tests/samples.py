"""The elements of a tensor, sampled without a server."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend
from seedbed_server.sampling.sampler import TensorSource, plan


def sample(backend: Backend, spec: TensorSpec, part: TensorSlice | None = None) -> NDArray[Any]:
    """Return the tensor, or a part of it, from one call."""
    request = TensorRequest(spec, part)
    out = np.empty(request.shape, spec.dtype.numpy)
    TensorSource(plan(request), backend).fill(0, out.reshape(-1).view(np.uint8))
    return out
