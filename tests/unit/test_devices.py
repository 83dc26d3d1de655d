"""Choosing a device: what names there are, and one clear line where there is no GPU."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.device_names import DeviceName, parse_device
from seedbed_server import devices
from seedbed_server.backends.cuda import CudaDevice
from seedbed_server.sampling.self_test import (
    SelfTestError,
    differing_vectors,
    golden_vectors,
    kernel_of,
    run_self_test,
)
from tests.broken_backend import BrokenBackend

SPEC = sb.TensorSpec("w", (3,), "float32", sb.Zeros())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("cpu", DeviceName("cpu")),
        ("gpu", DeviceName("gpu", 0)),
        ("gpu:0", DeviceName("gpu", 0)),
        ("gpu:12", DeviceName("gpu", 12)),
    ],
)
def test_a_device_has_a_kind_and_a_number(text: str, name: DeviceName) -> None:
    assert parse_device("device", text) == name
    assert parse_device("device", str(name)) == name


@pytest.mark.parametrize(
    "text", ["", "GPU", "gpu:", "gpu:-1", "gpu:1.0", "cuda", "cpu:0", "gpu:99999", "gpu\n"]
)
def test_another_name_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(
        sb.InvalidValueError, match=r"`device` must be 'cpu', 'gpu' or 'gpu:N'\. Received"
    ):
        parse_device("device", text)


@pytest.mark.parametrize("value", [0, None, b"gpu", ["gpu"]])
def test_a_name_that_is_no_string_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="`device` must be a string"):
        parse_device("device", value)


def test_the_cpu_gives_numpy_arrays() -> None:
    with sb.connect("embedded:") as client:
        assert isinstance(client.sample(SPEC, device="cpu"), np.ndarray)


@pytest.fixture
def no_cupy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python without CuPy, also where it is installed."""
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)


@pytest.mark.usefixtures("no_cupy")
def test_asking_for_a_gpu_without_cupy_gives_one_line_that_names_the_extra() -> None:
    with sb.connect("embedded:") as client:
        for call in (
            lambda: client.sample(SPEC, device="gpu"),
            lambda: client.sample_all(sb.Manifest([SPEC]), device="gpu:1"),
        ):
            with pytest.raises(
                sb.NoDeviceError, match=r"^a GPU needs cupy: pip install 'seedbed\[gpu\]'[^\n]*$"
            ):
                call()


@pytest.mark.usefixtures("no_cupy")
def test_a_server_samples_on_the_cpu_where_no_gpu_works() -> None:
    backend, vectors = devices.open_backend("auto", 1)
    try:
        assert backend.name == "cpu"
        assert vectors > 0
    finally:
        backend.close()


@pytest.mark.usefixtures("no_cupy")
@pytest.mark.parametrize("device", ["gpu", "gpu:3"])
def test_a_server_that_shall_use_a_gpu_does_not_use_the_cpu(device: str) -> None:
    with pytest.raises(sb.NoDeviceError):
        devices.open_backend(device, 1)


def test_a_gpu_that_gives_other_bits_is_passed_over_and_named_when_asked_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(index: int, host: Any) -> BrokenBackend:
        return BrokenBackend(host, kernel="normal_bfloat16")

    monkeypatch.setattr(devices, "_gpu", broken)
    with pytest.raises(SelfTestError, match="kernel normal_bfloat16 gives other bits"):
        devices.open_backend("gpu", 1)
    backend, _ = devices.open_backend("auto", 1)
    backend.close()
    assert backend.name == "cpu"
    assert "sampling on the CPU" in caplog.text
    assert "normal_bfloat16" in caplog.text


def test_the_self_test_tries_every_kernel(cpu: Any) -> None:
    tried = {kernel_of(vector) for vector in golden_vectors() if vector.get("self_test")}
    assert tried >= {f"{rule}_{dtype}" for rule in ("uniform", "normal") for dtype in DTYPES}
    assert run_self_test(cpu) == sum(bool(vector.get("self_test")) for vector in golden_vectors())


DTYPES = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")


def test_the_full_self_test_names_each_kernel_that_is_wrong(cpu: Any) -> None:
    differing = differing_vectors(BrokenBackend(cpu, kernel="uniform_float16"))
    assert [kernel for kernel, vectors in differing.items() if vectors] == ["uniform_float16"]
    assert set(differing) == {kernel_of(vector) for vector in golden_vectors()}


def test_nothing_but_the_cuda_files_names_their_libraries() -> None:
    folder = Path(devices.__file__).parent

    def naming(*words: str) -> set[str]:
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*.py")
            if any(word in path.read_text() for word in words)
        }

    assert naming("import cupy") == {"backends/cuda.py"}
    assert naming("from numba import cuda", "numba.cuda") == {"backends/cuda_kernels.py"}
    assert CudaDevice.__module__.endswith("backends.cuda")
