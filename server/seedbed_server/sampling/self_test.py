"""The self-test: golden vectors of every kernel, sampled on this machine and compared."""

import json
import threading
from collections.abc import Collection
from importlib import resources
from typing import Any

import numpy as np

from seedbed.spec.digests import digest_bytes
from seedbed.spec.errors import SeedbedError
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import INITIALIZERS
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import CpuBackend, kernel_names
from seedbed_server.sampling.sampler import TensorSource, plan


class SelfTestError(SeedbedError):
    """This machine does not give the bits of the contract; nothing may be sampled on it."""


def run_self_test(backend: Backend) -> int:
    """Sample every golden vector that is marked for it, and return how many there are.

    Raises:
        SelfTestError: naming the first kernel that gives other bits.
    """
    vectors = _marked_vectors()
    for vector in vectors:
        check_vector(vector, backend)
    return len(vectors)


class SelfTest:
    """The self-test of a processor whose kernels are tried one by one, when they are first needed.

    Args:
        backend: the processor.
    """

    def __init__(self, backend: CpuBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._passed: set[str] = set()

    def check(self, kernels: Collection[str]) -> None:
        """Sample the golden vectors that these kernels are enough for; the first time only.

        Raises:
            SelfTestError: naming a kernel that gives other bits, each time.
        """
        if self._passed.issuperset(kernels):
            return
        with self._lock:
            for vector in _marked_vectors():
                request = request_of(vector)
                tried = set(kernel_names(plan(request).rule, request.spec.dtype))
                if tried.issubset(kernels) and not tried.issubset(self._passed):
                    check_vector(vector, self._backend)
            self._passed.update(kernels)


def differing_vectors(backend: Backend) -> dict[str, list[str]]:
    """Sample all golden vectors, and return for every kernel those that differ."""
    wrong: dict[str, list[str]] = {}
    for vector in golden_vectors():
        differing = wrong.setdefault(kernel_of(vector), [])
        if not is_right(vector, backend):
            differing.append(vector["id"])
    return wrong


def kernel_of(vector: dict[str, Any]) -> str:
    """Return the kernel that a golden vector tries, such as ``normal_bfloat16``."""
    request = request_of(vector)
    return f"{type(plan(request).rule).__name__.lower()}_{request.spec.dtype.value}"


def golden_vectors() -> list[dict[str, Any]]:
    """Return the entries of the golden file of `seedbed-1`."""
    text = (
        resources.files("seedbed_server")
        .joinpath("golden", "seedbed-1.json")
        .read_text(encoding="utf-8")
    )
    vectors: list[dict[str, Any]] = json.loads(text)["tensors"]
    return vectors


def _marked_vectors() -> list[dict[str, Any]]:
    return [vector for vector in golden_vectors() if vector.get("self_test")]


def request_of(vector: dict[str, Any]) -> TensorRequest:
    """Return the request that a golden vector stands for."""
    axes, part = vector.get("fan_axes"), vector.get("slice")
    parameters = {name: _number(value) for name, value in vector.get("parameters", {}).items()}
    spec = TensorSpec(
        name=vector["name"],
        shape=tuple(vector["shape"]),
        dtype=vector["dtype"],
        initializer=INITIALIZERS[vector["initializer"]](**parameters),
        seed=int(vector["seed"]),
        draw=int(vector["draw"]),
        fan_axes=FanAxes(**axes) if axes else None,
    )
    return TensorRequest(spec, TensorSlice(**part) if part else None)


def sample_vector(vector: dict[str, Any], backend: Backend) -> bytes:
    """Return the bytes that this machine gives for a golden vector."""
    request = request_of(vector)
    out = np.empty(request.size_bytes, np.uint8)
    TensorSource(plan(request), backend).fill(0, out)
    return out.tobytes()


def is_right(vector: dict[str, Any], backend: Backend) -> bool:
    """Return whether this machine gives the vector's bytes."""
    digest = digest_bytes(sample_vector(vector, backend))
    return (digest.value.hex(), digest.size_bytes) == (vector["xxh3_128"], vector["size_bytes"])


def check_vector(vector: dict[str, Any], backend: Backend) -> None:
    """Raise unless this machine gives the vector's bytes."""
    if not is_right(vector, backend):
        what = f"{backend.device}: kernel {kernel_of(vector)} gives other bits than the contract"
        raise SelfTestError(f"{what} (vector {vector['id']}); nothing may be sampled on it")


def _number(value: float | str) -> float | str:
    """Return a parameter; JSON has no infinity, and no integers that every reader takes exactly."""
    if not isinstance(value, str):
        return value
    if value in {"inf", "-inf"}:
        return float(value)
    return int(value) if value.lstrip("-").isdigit() else value
