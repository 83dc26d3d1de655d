"""Fixtures that several test modules share."""

import signal
from collections.abc import Iterator

import hypothesis
import pytest

from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.cpu_kernels import CpuKernels

# The same examples on every machine, and no deadline: the first one may compile kernels.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
hypothesis.settings.load_profile("ci")

# What a shell starts in the background ignores the first, what nohup starts the second, and so
# would all that is started here: programs inherit what is ignored, and no handler.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


@pytest.fixture(scope="session")
def cpu() -> Iterator[CpuBackend]:
    """A processor with two threads, its kernels ready: a stream that waits has heartbeats."""
    kernels = CpuKernels()
    kernels.load()
    backend = CpuBackend(2, kernels)
    yield backend
    backend.close()
