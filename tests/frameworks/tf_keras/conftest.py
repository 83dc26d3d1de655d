"""Fixtures of the tests with tf_keras and TensorFlow 1's interface."""

import os

import pytest

import seedbed

# Before TensorFlow is imported: tf.keras and tf.compat.v1.keras are tf_keras.
os.environ["TF_USE_LEGACY_KERAS"] = "1"


@pytest.fixture(autouse=True)
def embedded_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the embedded engine the default, whatever the environment says."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    seedbed.set_default_client(None)
