"""How long a start takes: opening CUDA, the processor's kernels, the device's.

python -m tools.gpu_check.start DEVICE
"""

import itertools
import json
import sys
import time

from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cuda import CudaDevice, cuda_device_count
from seedbed_server.backends.gpu import GpuBackend
from seedbed_server.sampling.self_test import run_self_test


def main() -> None:
    """Start, and print the seconds of each part as JSON."""
    index = int(sys.argv[1])
    laps = [("", time.perf_counter())]

    def lap(name: str) -> None:
        laps.append((name, time.perf_counter()))

    cuda_device_count()
    import cupy

    # The first memory of a process opens CUDA.
    with cupy.cuda.Device(index):
        cupy.empty(1)
    lap("opening CUDA")
    host = CpuBackend()
    lap("the processor's kernels")
    device = CudaDevice(index)
    lap("the device's kernels")
    backend = GpuBackend(device, host)
    lap("pinned memory")
    run_self_test(backend)
    lap("self-test")
    backend.close()
    pairs = itertools.pairwise(laps)
    print(json.dumps({name: round(end - begin, 3) for (_, begin), (name, end) in pairs}))


if __name__ == "__main__":
    main()
