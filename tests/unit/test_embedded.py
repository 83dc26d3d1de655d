"""The engine in the client's own process."""

import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.tensors import TensorRequest
from seedbed_server import embedded
from seedbed_server.backends.base import Backend
from seedbed_server.backends.cpu import CpuBackend, kernel_names
from seedbed_server.backends.cpu_kernels import CpuKernels
from seedbed_server.sampling import self_test
from seedbed_server.sampling.sampler import plan
from seedbed_server.sampling.self_test import SelfTest, SelfTestError

FORKED = """
import os, sys
import seedbed as sb
orthogonal = sb.Orthogonal(seed=1)
uniform = sb.GlorotUniform(seed=1)

def digests():
    arrays = orthogonal((96, 80)), uniform((1 << 20,), draw=0)
    return [sb.digest_bytes(array.tobytes()) for array in arrays]

before = digests()
child = os.fork()
after = digests()
if child == 0:
    os._exit(0 if after == before else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) or int(after != before))
"""


def test_a_forked_child_samples_the_same_bits_as_its_parent() -> None:
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=120, check=False).returncode == 0


def test_a_spawned_child_samples_the_same_bits() -> None:
    here = digest_of_a_tensor()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(digest_of_a_tensor) == here


def digest_of_a_tensor() -> str:
    """Return the digest of a tensor as the embedded engine samples it."""
    with sb.connect("embedded:") as client:
        return str(client.digest(sb.TensorSpec("w", (1000, 33), "bfloat16", sb.HeNormal(seed=3))))


def test_several_threads_sample_at_the_same_time() -> None:
    spec = sb.TensorSpec("w", (700_000,), "float32", sb.RandomNormal(seed=5))
    results: list[bytes] = []
    with sb.connect("embedded:") as client:
        threads = [
            threading.Thread(target=lambda: results.append(client.sample(spec).tobytes()))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 8
    assert len(set(results)) == 1


def test_an_array_that_is_not_aligned_is_filled_all_the_same() -> None:
    memory = np.zeros(4 * 1001 + 1, np.uint8)
    out = memory[1:].view(np.float32)
    spec = sb.TensorSpec("w", out.shape, "float32", sb.GlorotUniform(seed=1))
    with sb.connect("embedded:") as client:
        client.sample(spec, out=out)
        assert out.tobytes() == client.sample(spec).tobytes()


class BrokenKernels(CpuKernels):
    """The kernels of this machine; that of float32 uniforms gets a bit of its last value wrong."""

    def __getitem__(self, name: str) -> Callable[..., Any]:
        kernel = super().__getitem__(name)
        if name != "uniform_float32":
            return kernel

        def broken(*arguments: Any) -> None:
            kernel(*arguments)
            arguments[-1].view(np.uint32)[-1] ^= 1

        return broken


@pytest.fixture
def broken_engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    backend = CpuBackend(kernels=BrokenKernels())
    monkeypatch.setattr(embedded, "_backend", lambda: backend)
    embedded._self_test.cache_clear()
    yield
    embedded._self_test.cache_clear()


@pytest.mark.usefixtures("broken_engine")
def test_a_kernel_that_gives_other_bits_samples_nothing() -> None:
    with sb.connect("embedded:") as client:
        for _ in range(2):
            for call in (client.sample, client.digest):
                with pytest.raises(SelfTestError, match="kernel uniform_float32 gives other bits"):
                    call(sb.TensorSpec("w", (3, 4), "float32", sb.GlorotUniform(seed=1)))
        assert client.sample(sb.TensorSpec("w", (3, 4), "float64", sb.GlorotUniform(seed=1))).any()


NEEDY = [
    sb.RandomUniform(seed=1),
    sb.RandomNormal(seed=1),
    sb.Orthogonal(seed=1),
    sb.Sparse(sparsity=0.5, seed=1),
]


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("initializer", NEEDY, ids=lambda each: type(each).__name__)
def test_all_kernels_that_a_tensor_needs_are_tried_before_it_is_sampled(
    monkeypatch: pytest.MonkeyPatch, initializer: sb.Initializer, dtype: Dtype
) -> None:
    tried: set[str] = set()

    def try_vector(vector: dict[str, Any], backend: Backend) -> None:
        request = self_test.request_of(vector)
        tried.update(kernel_names(plan(request).rule, request.spec.dtype))

    monkeypatch.setattr(self_test, "check_vector", try_vector)
    rule = plan(TensorRequest(sb.TensorSpec("w", (9, 7), dtype, initializer))).rule
    SelfTest(CpuBackend()).check(kernel_names(rule, dtype))
    assert tried == set(kernel_names(rule, dtype))


def test_each_kernel_is_tried_once_and_those_that_are_not_needed_never(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = []
    monkeypatch.setattr(
        self_test, "check_vector", lambda vector, _: tried.append(self_test.kernel_of(vector))
    )
    test = SelfTest(CpuBackend())
    test.check(("uniform_float64",))
    assert set(tried) == {"uniform_float64"}
    tried.clear()
    test.check(("uniform_float64",))
    assert not tried
    test.check(("normal_narrow", "plain_words", "are_at_most"))
    assert {name.split("_")[0] for name in tried} == {"normal", "sparse"}
    assert "normal_float32" not in tried
    assert {"sparse_bfloat16", "normal_float8_e5m2"} <= set(tried)
