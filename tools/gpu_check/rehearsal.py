"""Stand-ins for CuPy and the compilers, so that the checks can be rehearsed without a device.

It is the stand-in of the tests. It runs the backend's kernels by the processor's own, which are
compiled already, and those of the exhaustive checks as they are.
"""

import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from seedbed_server.backends import cuda_kernels
from seedbed_server.backends.cpu_kernels import CpuKernels
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel
from seedbed_server.kernels.rounding import FORMATS
from tests.fake_device import loop_over_threads
from tests.stub_cupy import Libraries
from tools.gpu_check.element_kernels import ELEMENT_KERNELS


def install() -> None:
    """Let ``import cupy``, and whoever wants machine code, have the stand-ins."""
    kernels = [*BLOCK_KERNELS.values(), *(element.kernel for element in ELEMENT_KERNELS.values())]
    libraries = Libraries(device_count=1, kernels=kernels, loop=_loop)
    sys.modules["cupy"] = libraries.cupy()
    # Those of this session's temporary cache; see gpu_check.environment.
    cuda_kernels.machine_code = libraries.machine_code


def _loop(kernel: BlockKernel) -> Callable[..., None]:
    return _by_the_processor(kernel) if kernel.name in BLOCK_KERNELS else loop_over_threads(kernel)


_processor = cache(CpuKernels)


def _by_the_processor(kernel: BlockKernel) -> Callable[..., None]:
    """Return what fills an array as all threads of a kernel would."""
    distribution, dtype = kernel.name.split("_", 1)

    def run(threads: Any, runs: Any, key: Any, split: Any, params: Any, out: Any) -> None:
        del threads
        arguments = [runs[0], runs[1], np.array(key, np.uint32)]
        arguments += [split] * (distribution == "normal")
        arguments.append(params)
        if dtype in FORMATS:
            fill = _processor()[f"{distribution}_narrow"]
            fill(*arguments, FORMATS.index(dtype), out.view(np.uint8))
        else:
            _processor()[kernel.name](*arguments, out)

    return run
