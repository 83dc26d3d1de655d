"""seedbed for Keras 3: its initializers, and all weights of a model at once, on any backend.

In a program::

    import keras
    import seedbed.keras

    layer = keras.layers.Dense(3, kernel_initializer=seedbed.keras.GlorotUniform(seed=1))
    with seedbed.keras.initializing(seed=42):  # every weight, as its layer's own code says
        model = build()
    seedbed.keras.initialize(model, seed=42)  # every weight, by its path

The classes have Keras's names and arguments, and are subclasses of Keras's own. An integer seed
repeats, as in Keras: every call gives draw 0. What a layer gets from them is the same bits on each
backend.
"""

from seedbed.frameworks import require

require(
    "keras", title="Keras 3", extra="keras", also="one of its backends: tensorflow, jax or torch"
)

# Only now is it known that Keras is there.
from seedbed.keras.conversion import convert  # noqa: E402
from seedbed.keras.digests import digest, digests  # noqa: E402
from seedbed.keras.identifiers import deserialize, get, serialize  # noqa: E402
from seedbed.keras.initializers import (  # noqa: E402
    STFT,
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    IdentityInitializer,
    Initializer,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    OrthogonalInitializer,
    RandomNormal,
    RandomUniform,
    STFTInitializer,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    constant,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    identity,
    lecun_normal,
    lecun_uniform,
    ones,
    orthogonal,
    random_normal,
    random_uniform,
    stft,
    truncated_normal,
    variance_scaling,
    zeros,
)
from seedbed.keras.initializing import initializing  # noqa: E402
from seedbed.keras.model import initialize, manifest_of  # noqa: E402
from seedbed.keras.report import report  # noqa: E402

__all__ = [
    "STFT",
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "constant",
    "convert",
    "deserialize",
    "digest",
    "digests",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "initialize",
    "initializing",
    "lecun_normal",
    "lecun_uniform",
    "manifest_of",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "report",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]
