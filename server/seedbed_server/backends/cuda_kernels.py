"""The kernels for NVIDIA GPUs: machine code, compiled without a GPU and kept on disk.

    python -m seedbed_server.backends.cuda_kernels 8.0 9.0 10.0

compiles those for some compute capabilities into the cache folder, as the GPU image's build does.
A server compiles for its device only what it does not find there.

numba-cuda has a cache as well, but can fill it only where the device is. It makes PTX without one,
and nvJitLink, which it links with, makes machine code of that.
"""

import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numba import types, uint64
from numba.np.numpy_support import from_dtype

from seedbed_server.backends.compilation import CACHE_VARIABLE, cache_directory
from seedbed_server.backends.kernel_files import read_kernels, write_kernels
from seedbed_server.kernels.blocks import BLOCK_KERNELS, BlockKernel

Capability = tuple[int, int]
"""A device's compute capability: major, minor."""


def kept_machine_code(capability: Capability) -> bytes:
    """Return the machine code of all the backend's kernels; compiled if the cache lacks it."""
    directory = cache_directory()
    if directory is None:
        return machine_code(BLOCK_KERNELS.values(), capability)
    major, minor = capability
    # Code for 8.0 runs on 8.6, too, but neither on 9.0 nor the other way round.
    for lower in range(minor, -1, -1):
        if (code := read_kernels(directory / _file_name((major, lower)))) is not None:
            return code
    code = machine_code(BLOCK_KERNELS.values(), capability)
    with suppress(OSError):  # no room: the next start compiles again
        write_kernels(directory / _file_name(capability), code)
    return code


def machine_code(kernels: Iterable[BlockKernel], capability: Capability) -> bytes:
    """Return kernels as one cubin, each under its :func:`entry_name`; takes a second for each."""
    return assembled([ptx_of(kernel, capability) for kernel in kernels], capability)


def assembled(ptx: Iterable[str], capability: Capability) -> bytes:
    """Return PTX as one cubin."""
    from cuda.core import Linker, LinkerOptions, ObjectCode

    options = LinkerOptions(arch="sm_{}{}".format(*capability))
    codes = [ObjectCode.from_ptx(each.encode()) for each in ptx]
    return bytes(Linker(*codes, options=options).link("cubin").code)


def ptx_of(kernel: BlockKernel, capability: Capability) -> str:
    """Return a kernel's PTX."""
    # These are numba-cuda's defaults, and the bits depend on them.
    ptx, _ = numba_cuda().compile_ptx(
        thread_function(kernel), signature_of(kernel), fastmath=False, cc=capability
    )
    return with_entry_name(ptx, kernel)


def with_entry_name(ptx: str, kernel: BlockKernel) -> str:
    """Return PTX whose names come from the kernel's, not from how often numba has compiled."""
    (numbas_name,) = re.findall(r"\.entry _ZN(\w+)", ptx)
    name = entry_name(kernel)
    return ptx.replace(f"_ZN{numbas_name}", name).replace(numbas_name, name)


def entry_name(kernel: BlockKernel) -> str:
    """Return what a kernel is called in machine code."""
    return re.sub(r"\W", "_", kernel.name)


def thread_function(kernel: BlockKernel) -> Callable[..., None]:
    """Return what numba-cuda compiles: a kernel's body for the thread that it runs on."""
    cuda = numba_cuda()
    body: Any = kernel.body

    def run(threads: Any, runs: Any, key: Any, split: Any, params: Any, out: Any) -> None:
        thread = uint64(cuda.grid(1))
        if thread < threads:
            body(thread, runs, key, split, params, out)

    return run


def signature_of(kernel: BlockKernel) -> tuple[Any, ...]:
    """Return the numba types of :func:`thread_function`'s arguments."""
    return (
        types.uint64,
        types.Array(types.uint64, 2, "C"),
        types.UniTuple(types.uint32, 4),
        from_dtype(kernel.word),
        types.UniTuple(from_dtype(kernel.real), kernel.param_count),
        types.Array(from_dtype(kernel.out), 1, "C"),
    )


def machine_arguments(arguments: Iterable[Any]) -> Iterator[np.generic]:
    """Yield what machine code takes for :func:`thread_function`'s arguments, one number each.

    numba-cuda passes a tuple's members one by one, and an array as the fields of its own record.
    """
    for argument in arguments:
        if isinstance(argument, np.generic):
            yield argument
        elif isinstance(argument, tuple):
            yield from machine_arguments(argument)
        else:
            memory_info = parent = 0  # of no use on a device
            of_items = (argument.size, argument.itemsize, argument.data.ptr)
            fields = (memory_info, parent, *of_items, *argument.shape, *argument.strides)
            yield from map(np.int64, fields)


def numba_cuda() -> Any:
    """Return numba-cuda. Imported only where something is compiled: a start can do without."""
    from numba import cuda
    from numba.cuda.core import config

    # A small tensor leaves most of a GPU idle, and that is no fault.
    config.CUDA_LOW_OCCUPANCY_WARNINGS = 0
    return cuda


# The cache's files. The folder's name stands for the kernels' sources, a file's for the rest.


def _file_name(capability: Capability) -> str:
    # The bindings have CUDA's own version: what CUDA 13 makes, a driver for CUDA 12 may refuse.
    compilers = f"{version('numba-cuda')} {version('cuda-bindings')} "
    digest = hashlib.sha256(compilers.encode() + Path(__file__).read_bytes())
    return "cuda-{}-sm_{}{}.cubin".format(digest.hexdigest()[:16], *capability)


def main(capabilities: Sequence[str]) -> None:
    """Compile the kernels for some compute capabilities into the cache folder."""
    directory = cache_directory()
    if directory is None:
        raise SystemExit(f"kernels can be kept nowhere; ${CACHE_VARIABLE} may name a folder")
    for text in capabilities:
        major, minor = map(int, text.split("."))
        code = machine_code(BLOCK_KERNELS.values(), (major, minor))
        write_kernels(directory / _file_name((major, minor)), code)


if __name__ == "__main__":
    main(sys.argv[1:])
