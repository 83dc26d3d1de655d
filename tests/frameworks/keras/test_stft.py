"""STFT has Keras 3's values to float32's precision, and is exact where Keras rounds."""

from typing import Any

import keras
import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.initializers import WINDOWS

# Keras computes angles of up to pi times the frame's length in float32: half a unit in the last
# place of the largest.
LARGEST_ERROR = 2.0**-24


def theirs(shape: tuple[int, ...], *arguments: Any) -> np.ndarray[Any, Any]:
    """Return the kernel that Keras makes."""
    return np.asarray(keras.ops.convert_to_numpy(keras.initializers.STFT(*arguments)(shape)))


@pytest.mark.parametrize("window", [*WINDOWS, None])
@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("length", [1, 3, 8, 31])
def test_the_values_are_keras(window: Any, periodic: bool, length: int) -> None:
    shape = (length, 1, 17)
    tolerance = 4 * LARGEST_ERROR * 2 * np.pi * length
    for side in ("real", "imag"):
        for scaling in ("density", "spectrum", None):
            arguments: Any = (side, window, scaling, periodic)
            ours = sb.STFT(*arguments)(shape)
            assert np.abs(ours - theirs(shape, *arguments)).max() < tolerance, arguments


def test_a_kernel_of_the_usual_size_is_keras() -> None:
    shape = (256, 1, 129)
    ours = sb.STFT("imag", "hann", "density", True)(shape)
    assert (
        np.abs(ours - theirs(shape, "imag", "hann", "density", True)).max()
        < 4 * LARGEST_ERROR * 2 * np.pi * 256
    )


def test_the_configuration_is_keras() -> None:
    cases: list[dict[str, Any]] = [
        {},
        {"side": "imag", "window": None, "scaling": None, "periodic": True},
    ]
    for arguments in cases:
        ours, keras_own = sb.STFT(**arguments), keras.initializers.STFT(**arguments)
        assert ours.get_config() == keras_own.get_config()
        assert sb.deserialize(keras.initializers.serialize(keras_own)) == ours


def test_errors_have_the_type_that_keras_raises() -> None:
    for arguments in ({"side": "both"}, {"window": "no such"}, {"scaling": "power"}):
        for module in (sb, keras.initializers):
            with pytest.raises(ValueError, match=r"."):
                module.STFT(**arguments)
