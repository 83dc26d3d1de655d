"""Fixtures that several test modules share."""

from collections.abc import Iterator

import hypothesis
import pytest

from seedbed_server.backends.cpu import CpuBackend

# The same examples on every machine, and no deadline: the first one may compile kernels.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def cpu() -> Iterator[CpuBackend]:
    """A processor backend with two threads; compiled once."""
    backend = CpuBackend(threads=2)
    yield backend
    backend.close()
