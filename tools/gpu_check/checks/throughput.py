"""The throughput table: kernels beside the card and other generators, and the ways off it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any

import numpy as np

import seedbed as sb
from seedbed.spec.dtypes import Dtype
from seedbed.spec.tensors import TensorRequest
from seedbed_server.backends.cpu import normal_params, uniform_params
from seedbed_server.backends.rules import Normal, Uniform
from seedbed_server.kernels.blocks import BLOCK_KERNELS, run_table
from seedbed_server.kernels.keys import derive_key
from seedbed_server.local_device import LocalGpu
from seedbed_server.sampling.sampler import TensorSource, plan
from tools.gpu_check.rate import gigabytes_per_second
from tools.gpu_check.report import RATE
from tools.gpu_check.result import Checks, NotRunError, Passed, StoppedError
from tools.gpu_check.rig import Rig
from tools.gpu_check.served import serving
from tools.gpu_check.steps import KERNELS

THREADS = 6
STREAM_SECONDS = 120.0


def checks(rig: Rig) -> Checks:
    """Return a check for each row of the table."""
    bench = Bench(rig)
    torch = {
        f"torch {name}": partial(bench.torch, name)
        for name in ("normal_", "uniform_", "trunc_normal_")
    }
    return {
        "write": bench.write,
        "copy": bench.copy,
        **{name: partial(bench.kernel, name) for name in KERNELS},
        **torch,
        "CuPy standard_normal": partial(bench.cupy_generator, "standard_normal"),
        "CuPy random": partial(bench.cupy_generator, "random"),
        "client.sample on the device": bench.stays_on_the_device,
        "to the host, plain pinned copy": bench.plain_copy,
        "to the host, pinned ring": partial(bench.ring, 1),
        "to the host, pinned ring, 6 threads": partial(bench.ring, THREADS),
        "server's stream": bench.server,
        "start, cold and cached": bench.start,
    }


class Bench:
    """What is measured, on one device."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self._device = rig.device()
        # One for all: CuPy's pool keeps what was freed for the stream that it was for.
        self._stream = self._device.stream()

    @cached_property
    def _backend(self) -> Any:
        return self._rig.backend(self._device)

    @cached_property
    def _device_bytes(self) -> int:
        """What a kernel fills: so much that a launch costs nothing; others need room, too."""
        import cupy

        properties = cupy.cuda.runtime.getDeviceProperties(self._rig.index)
        whole = int(properties.get("totalGlobalMem", 8 * self._rig.sizes.device_bytes))
        return min(self._rig.sizes.device_bytes, whole // 8 // 4096 * 4096)

    def _rated(
        self,
        size_bytes: int,
        order: Callable[[], object],
        wait: Callable[[], object] = lambda: None,
    ) -> Passed:
        rate = gigabytes_per_second(size_bytes, order, wait, seconds=self._rig.sizes.seconds)
        return Passed(f"{rate:.4g} {RATE}", {RATE: rate})

    # The card by itself.

    def _cupy(self) -> Any:
        self._rig.need_device()
        import cupy

        return cupy

    def write(self) -> Passed:
        """Write zeros."""
        cupy, size = self._cupy(), self._device_bytes
        with cupy.cuda.Device(self._rig.index):
            memory = cupy.empty(size, np.uint8)
            wait = cupy.cuda.get_current_stream().synchronize
            return self._rated(size, lambda: memory.data.memset_async(0, size), wait)

    def copy(self) -> Passed:
        """Copy, which reads and writes; both count."""
        cupy, size = self._cupy(), self._device_bytes
        with cupy.cuda.Device(self._rig.index):
            source, target = cupy.zeros(size, np.uint8), cupy.empty(size, np.uint8)
            wait = cupy.cuda.get_current_stream().synchronize
            copy = partial(target.data.copy_from_device_async, source.data, size)
            return self._rated(2 * size, copy, wait)

    # Ours.

    def kernel(self, name: str) -> Passed:
        """Fill memory by one launch of a kernel."""
        kernel, (distribution, dtype_name) = BLOCK_KERNELS[name], name.split("_", 1)
        dtype, size = Dtype(dtype_name), self._device_bytes
        if distribution == "uniform":
            split, params = kernel.word.type(0), uniform_params(Uniform(0.0, 1.0), dtype)
        else:
            split, params = normal_params(Normal(0.0, 1.0), dtype)
        count = size // dtype.itemsize
        first, counts = np.zeros(1, np.uint64), np.array([count], np.uint64)
        table, threads = run_table(first, counts, kernel.elements_per_block)
        stream = self._stream
        out = stream.allocate(size).view(kernel.out)
        key = tuple(derive_key(1, 0, "throughput").as_array())
        arguments = stream.upload(table), key, split, params, out
        return self._rated(
            size,
            lambda: stream.launch(kernel, threads, arguments),
            lambda: stream.record().wait(),
        )

    def stays_on_the_device(self) -> Passed:
        """Sample as ``client.sample(spec, device="gpu")`` does."""
        size = self._device_bytes
        gpu, request = LocalGpu(self._backend), _request(size)
        return self._rated(size, lambda: gpu.sample(request))

    # Theirs.

    def torch(self, name: str) -> Passed:
        """Fill a float32 tensor by PyTorch."""
        try:
            import torch
        except ModuleNotFoundError:
            raise NotRunError("torch is not installed") from None
        if not (self._rig.rehearses or torch.cuda.is_available()):
            raise NotRunError("this PyTorch has no CUDA")
        size = self._device_bytes
        # It allocates beside our pool.
        self._device.free_unused()
        place = "cpu" if self._rig.rehearses else f"cuda:{self._rig.index}"
        tensor = torch.empty(size // 4, dtype=torch.float32, device=place)
        fill = {
            "normal_": tensor.normal_,
            "uniform_": tensor.uniform_,
            "trunc_normal_": partial(torch.nn.init.trunc_normal_, tensor),
        }[name]
        wait = (lambda: None) if self._rig.rehearses else partial(torch.cuda.synchronize, place)
        return self._rated(size, fill, wait)

    def cupy_generator(self, name: str) -> Passed:
        """Draw a float32 array by CuPy."""
        cupy, size = self._cupy(), self._device_bytes
        with cupy.cuda.Device(self._rig.index):
            draw = getattr(cupy.random.default_rng(1), name)
            wait = cupy.cuda.get_current_stream().synchronize
            # Into new memory, which its pool has ready: given any, one of them makes a copy more.
            return self._rated(size, partial(draw, size // 4, dtype=np.float32), wait)

    # To the host, and beyond.

    def plain_copy(self) -> Passed:
        """Copy to pinned memory in one piece."""
        size = self._rig.sizes.host_bytes
        stream, pinned = self._stream, self._device.pinned(size)
        memory = stream.allocate(size)
        return self._rated(
            size,
            lambda: stream.copy_to_host(memory, pinned),
            lambda: stream.record().wait(),
        )

    def ring(self, threads: int) -> Passed:
        """Sample into ordinary memory by the backend's ring."""
        size = self._rig.sizes.host_bytes
        source = TensorSource(plan(_request(size)), self._backend)
        out = np.zeros(size, np.uint8)
        part = size // threads // 4 * 4
        begins = range(0, part * threads, part)
        with ThreadPoolExecutor(threads) as pool:

            def fill() -> None:
                tasks = [pool.submit(source.fill, b // 4, out[b : b + part]) for b in begins]
                for task in tasks:
                    task.result()

            return self._rated(part * threads, fill)

    def server(self) -> Passed:
        """Fetch from a server on the device."""
        size = self._rig.sizes.host_bytes
        spec = _request(size).spec
        with serving("--device", "gpu") as server, sb.connect(server.address) as client:
            out = np.zeros(spec.shape, np.float32)
            fetch = partial(client.sample, spec, out=out, timeout_seconds=STREAM_SECONDS)
            return self._rated(size, fetch)

    def start(self) -> Passed:
        """Start without kernels, and with them."""
        found: dict[str, float | str] = {}
        with tempfile.TemporaryDirectory(prefix="seedbed-kernels-") as folder:
            for done, kind in enumerate(("cold", "cached")):
                try:
                    parts = self._start(folder)
                except subprocess.TimeoutExpired:
                    raise StoppedError(done, 2) from None
                found |= {f"{kind}, {part}, s": seconds for part, seconds in parts.items()}
        return Passed("; ".join(f"{name}: {value}" for name, value in found.items()), found)

    def _start(self, kernels: str) -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, "-m", "tools.gpu_check.start", str(self._rig.index)],
            env={**os.environ, "SEEDBED_KERNEL_CACHE_DIR": kernels},
            check=False,
            capture_output=True,
            text=True,
            timeout=max(0.1, self._rig.seconds_left),
        )
        assert done.returncode == 0, done.stderr[-1000:]
        parts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return parts


def _request(size_bytes: int) -> TensorRequest:
    """Return a tensor of float32 normals."""
    normal = sb.RandomNormal(seed=1)
    return TensorRequest(sb.TensorSpec("throughput", (size_bytes // 4,), "float32", normal))
