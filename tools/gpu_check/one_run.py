"""Samples with every kernel once, in a process of its own, and compares with the processor.

python -m tools.gpu_check.one_run DEVICE
"""

import sys
import time

import numpy as np

from seedbed.spec.dtypes import FLOATING
from seedbed.spec.initializers import RandomNormalSpec, RandomUniformSpec
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend
from seedbed_server.sampling.sampler import TensorSource, plan
from tools.gpu_check.rig import Rig

ELEMENTS = 10_007
LIMIT_SECONDS = 120


def main() -> None:
    """Sample, and end with an error if a byte differs."""
    rig = Rig(time.monotonic() + LIMIT_SECONDS, index=int(sys.argv[1]))
    with rig.stack:
        cpu, gpu = rig.host(), rig.backend(rig.device(), slots=2, slab_bytes=4096)
        wrong = [spec.name for spec in _specs() if _bytes(gpu, spec) != _bytes(cpu, spec)]
    if wrong:
        sys.exit(f"other bits than the CPU's: {', '.join(wrong)}")
    print("every kernel gave the CPU's bits")


def _specs() -> list[TensorSpec]:
    return [
        TensorSpec(f"{initializer.name()} {dtype.value}", (ELEMENTS,), dtype, initializer, seed=1)
        for dtype in FLOATING
        for initializer in (RandomUniformSpec(-1.0, 1.0), RandomNormalSpec(0.0, 1.0))
    ]


def _bytes(backend: Backend, spec: TensorSpec) -> bytes:
    request = TensorRequest(spec)
    out = np.empty(request.size_bytes, np.uint8)
    TensorSource(plan(request), backend).fill(0, out)
    return out.tobytes()


if __name__ == "__main__":
    main()
