"""Print a digest of every kernel's values for every dtype, for a test of other processors.

The last line tells which instructions a kernel was compiled to.
"""

import hashlib
import platform
import re
from typing import Any

import numba
import numpy as np

from seedbed.spec.dtypes import FLOATING
from seedbed.spec.initializers import (
    InitializerSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    STFTSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels.values import uniform_float32_values
from seedbed_server.sampling.sampler import TensorSource, plan

# Enough elements for vector loops, their remainders and both tails of the normal; a matrix of
# several panels.
SHAPES: list[tuple[InitializerSpec, tuple[int, ...]]] = [
    (RandomUniformSpec(-0.3, 1.7), (100_003,)),
    (RandomNormalSpec(0.25, 1.5), (100_003,)),
    (TruncatedNormalSpec(0.0, 0.05), (100_003,)),
    (TruncatedNormalSpec(1.0, 3.0, 0.5, 6.0), (50_001,)),
    (OrthogonalSpec(1.25), (10, 15, 133)),
    (OrthogonalSpec(1.0), (67, 201)),
    (SparseSpec(0.3, 1.0), (331, 301)),
    (SparseSpec(0.7, 1.0, 1), (331, 301)),
    (STFTSpec("imag", "bohman"), (61, 1, 65)),
]


def digests(backend: CpuBackend) -> dict[str, str]:
    """Return the SHA-256 of every case, by a name without spaces."""
    found = {}
    for case, (initializer, shape) in enumerate(SHAPES):
        for dtype in FLOATING:
            spec = TensorSpec("digest", shape, dtype, initializer, seed=20_240_229, draw=case)
            out = np.empty(spec.element_count * dtype.itemsize, np.uint8)
            TensorSource(plan(TensorRequest(spec)), backend).fill(0, out)
            found[f"{case}-{initializer.name()}-{dtype.value}"] = hashlib.sha256(
                out.tobytes()
            ).hexdigest()
    return found


INSTRUCTIONS = {
    "x86_64": {"fma": "vfmadd", "ymm": "%ymm", "zmm": "%zmm"},
    "aarch64": {"fma": r"\bfm(?:la|add?)\b", "neon": r"\bv\d+\.4s", "sve": r"\bz\d+\.s"},
}
"""Patterns of a machine's fused multiply-add and of its vector registers, in assembly."""


def instructions_used() -> list[str]:
    """Return which of the machine's instructions a kernel uses; none of an unknown machine."""
    # Compiled here: numba does not show the code of a kernel from its cache.
    kernel: Any = numba.njit("(uint64[::1], uint64[::1], uint32[::1], float32[::1], float32[::1])")(
        uniform_float32_values
    )
    (assembly,) = kernel.inspect_asm().values()
    known = INSTRUCTIONS.get(platform.machine(), {})
    return [name for name, pattern in known.items() if re.search(pattern, assembly)]


if __name__ == "__main__":
    for name, digest in digests(CpuBackend(threads=1)).items():
        print(name, digest)
    print("instructions", ",".join(instructions_used()) or "none")
