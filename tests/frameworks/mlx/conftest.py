"""Fixtures of the tests with MLX."""

import os

import pytest

os.environ.pop("SEEDBED_TARGET", None)

from tests.frameworks.recording import RecordingClient


@pytest.fixture
def recorder() -> RecordingClient:
    """The embedded engine, and all that it was asked for."""
    return RecordingClient()
