"""Fixtures of the contracts: what the SDK promises is checked on the engine in this process."""

import pytest

import seedbed


@pytest.fixture(autouse=True)
def embedded_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the embedded engine the default, whatever the environment says."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    seedbed.set_default_client(None)
