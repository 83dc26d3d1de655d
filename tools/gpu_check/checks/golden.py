"""The golden file, sampled on the device: copied to the host, and left there."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from seedbed.spec.digests import digest_bytes
from seedbed_server.local_device import LocalGpu
from seedbed_server.sampling.self_test import (
    differing_vectors,
    golden_vectors,
    kernel_of,
    request_of,
    sample_vector,
)
from tools.gpu_check.device_arrays import content
from tools.gpu_check.result import Checks, Passed
from tools.gpu_check.rig import Rig
from tools.gpu_check.steps import KERNELS

Vector = dict[str, Any]


def checks(rig: Rig) -> Checks:
    """Return a check for each kernel, and one for the file."""
    backend = rig.backend(rig.device())
    by_kernel: dict[str, list[Vector]] = {kernel: [] for kernel in KERNELS}
    for vector in golden_vectors():
        by_kernel.setdefault(kernel_of(vector), []).append(vector)

    def kernel(name: str) -> Passed:
        gpu = LocalGpu(backend)
        wrong = [v["id"] for v in by_kernel[name] if not _is_right(v, sample_vector(v, backend))]
        wrong += [
            f"{v['id']} (left on the device)"
            for v in by_kernel[name]
            if not _is_right(v, content(gpu.sample(request_of(v))))
        ]
        return _none_wrong(wrong, f"{len(by_kernel[name])} vectors, to the host and on the device")

    def whole_file() -> Passed:
        differing = differing_vectors(backend)
        count = sum(map(len, by_kernel.values()))
        return _none_wrong((id_ for ids in differing.values() for id_ in ids), f"{count} vectors")

    return {name: partial(kernel, name) for name in KERNELS} | {"whole file": whole_file}


def _is_right(vector: Vector, sampled: bytes) -> bool:
    return digest_bytes(sampled).value.hex() == str(vector["xxh3_128"])


def _none_wrong(wrong: Iterable[str], what: str) -> Passed:
    wrong = list(wrong)
    assert not wrong, f"{len(wrong)} of {what} differ: {', '.join(wrong[:5])}"
    return Passed(what)
