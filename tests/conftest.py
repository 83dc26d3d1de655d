"""Fixtures that several test modules share."""

from collections.abc import Iterator

import hypothesis
import pytest

from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cpu_kernels import CpuKernels

# The same examples on every machine, and no deadline: the first one may compile kernels.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def cpu() -> Iterator[CpuBackend]:
    """A processor with two threads, its kernels ready: a stream that waits has heartbeats."""
    kernels = CpuKernels()
    kernels.load()
    backend = CpuBackend(2, kernels)
    yield backend
    backend.close()
