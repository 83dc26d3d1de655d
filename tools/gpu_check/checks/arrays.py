"""``client.sample(spec, device="gpu")``: the CPU's bits, the same memory in PyTorch and JAX."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

import seedbed as sb
from seedbed.spec.errors import DeviceError
from tools.gpu_check.device_arrays import content
from tools.gpu_check.result import Checks, NotRunError, Passed
from tools.gpu_check.rig import Rig
from tools.gpu_check.served import serving
from tools.gpu_check.steps import DTYPES

SHAPE = (513, 255)
# Those that every library here has and hands over.
PLAIN = ("float16", "float32", "float64")
# DLPack's number of it.
CUDA = 2

Sample = Callable[[str], Any]
"""Returns an array on the device, of a dtype."""


def checks(rig: Rig) -> Checks:
    """Return checks for each dtype, sampled here and fetched."""

    @cache
    def address() -> str:
        return rig.stack.enter_context(serving("--device", "gpu")).address

    found: dict[str, Callable[[], Passed]] = {}
    for origin, target in (("embedded", lambda: "embedded:"), ("served", address)):
        for dtype in DTYPES:
            sample = partial(_sample, target, f"gpu:{rig.index}")
            found[f"{origin} {dtype}"] = partial(_bits, sample, dtype)
            found[f"{origin} {dtype} to torch"] = partial(_handed, to_torch, sample, dtype)
            found[f"{origin} {dtype} to jax"] = partial(_handed, to_jax, sample, dtype)
    return found


def _spec(dtype: str) -> sb.TensorSpec:
    return sb.TensorSpec(f"handed {dtype}", SHAPE, dtype, sb.RandomNormal(0.1, 2.0, seed=6))


def _sample(target: Callable[[], str], device: str, dtype: str) -> Any:
    with sb.connect(target()) as client:
        try:
            return client.sample(_spec(dtype), device=device)
        except DeviceError as error:
            if dtype in PLAIN or "has no arrays of" not in str(error):
                raise
            raise NotRunError(str(error)) from None


def _bits(sample: Sample, dtype: str) -> Passed:
    array = sample(dtype)
    assert array.shape == SHAPE
    assert content(array) == right(dtype), "the bits are not the CPU's"
    return Passed("the CPU's bits")


@cache
def right(dtype: str) -> bytes:
    """Return what the processor gives."""
    with sb.connect("embedded:") as client:
        return client.sample(_spec(dtype)).tobytes()


def _handed(hand_over: Callable[[Any], int], sample: Sample, dtype: str) -> Passed:
    array = sample(dtype)
    pointer, how = handed(hand_over, array, dtype)
    assert pointer == array.data.ptr, f"{pointer:#x} is a copy of {array.data.ptr:#x}"
    assert content(array) == right(dtype), "the bits are not the CPU's any more"
    return Passed("the same memory" + how)


def handed(hand_over: Callable[[Any], int], array: Any, dtype: str) -> tuple[int, str]:
    """Return where an array lies for whom it was handed to, and how, unless it was as it is."""
    try:
        return hand_over(array), ""
    except NotRunError:
        raise
    except ModuleNotFoundError as error:
        raise NotRunError(f"{error.name} is not installed") from None
    except Exception as error:
        if dtype in PLAIN:
            raise
        # Not every library takes the narrow dtypes by DLPack; integers of their size it does.
        integers = np.dtype(f"u{array.dtype.itemsize}")
        said = f"{type(error).__name__}: {error}"
        return hand_over(array.view(integers)), f", as {integers}; as it is refused: {said}"


def to_torch(array: Any) -> int:
    """Hand an array to PyTorch, and return where it lies there."""
    import torch

    _need_cuda(array, "PyTorch", torch.cuda.is_available)
    return int(torch.from_dlpack(array).data_ptr())


def to_jax(array: Any) -> int:
    """Hand an array to JAX, and return where it lies there."""
    import jax.dlpack

    _need_cuda(array, "JAX", lambda: jax.default_backend() != "cpu")
    return int(jax.dlpack.from_dlpack(array).unsafe_buffer_pointer())


def _need_cuda(array: Any, library: str, has_cuda: Callable[[], bool]) -> None:
    """Give up where an array is on a GPU and the library was built without."""
    if array.__dlpack_device__()[0] == CUDA and not has_cuda():
        raise NotRunError(f"this {library} has no CUDA")
