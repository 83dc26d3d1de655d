"""Fixtures of the tests with Keras 3."""

import pytest

import seedbed


@pytest.fixture(autouse=True)
def embedded_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the embedded engine the default, whatever the environment says."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    seedbed.set_default_client(None)
