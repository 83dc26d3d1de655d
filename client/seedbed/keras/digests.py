"""The digests of a model's weights: the same on any backend."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from seedbed.keras.names import weights_of
from seedbed.spec.digests import Digest, Digests, digest_array, digest_of
from seedbed.spec.dtypes import as_dtype


def digests(model: Any, *, prefix: str = "") -> dict[str, Digest]:
    """Return the digest of each weight's bytes, by path.

    They are those that a server states for the same tensors; see
    :func:`seedbed.keras.manifest_of`.

    Args:
        model: a built model or layer.
        prefix: put before each path.
    """
    return Digests(
        {
            path: digest_array(array_of(path, variable))
            for path, variable in named_variables(model, prefix).items()
        }
    )


def digest(model: Any, *, prefix: str = "") -> Digest:
    """Return one digest for all weights of a model, as :func:`seedbed.digest_of` makes it.

    The arguments are those of :func:`digests`.
    """
    return digest_of(digests(model, prefix=prefix))


def named_variables(model: Any, prefix: str) -> dict[str, Any]:
    """Return the variables of a model by path."""
    return {weight.path: weight.variable for weight in weights_of(model, prefix)}


def array_of(path: str, variable: Any) -> NDArray[Any]:
    """Return a variable as an array of the host."""
    # tf_keras's variables are TensorFlow's.
    values = (
        keras.ops.convert_to_numpy(variable.value)
        if isinstance(variable, keras.Variable)
        else variable.numpy()
    )
    # PyTorch's bfloat16 comes as float32.
    return np.asarray(values, as_dtype(variable.dtype, field=f"{path}.dtype").numpy)
