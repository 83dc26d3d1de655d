"""Fixtures of the tests with Keras 3."""

import pytest

import seedbed


def pytest_configure(config: pytest.Config) -> None:
    """Allow numpy 2's warning about tensors without copy=False, TensorFlow's and PyTorch's."""
    config.addinivalue_line(
        "filterwarnings",
        "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning",
    )


@pytest.fixture(autouse=True)
def embedded_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the embedded engine the default, whatever the environment says."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    seedbed.set_default_client(None)
