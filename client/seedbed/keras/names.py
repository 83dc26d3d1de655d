"""The weights of a built model by their paths, and what each layer names to fill its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from seedbed.spec.errors import bad_value
from seedbed.spec.tensors import as_name


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight of a model."""

    path: str
    """Its name in the model, such as ``encoder/dense/kernel``."""
    variable: Any
    """The variable that holds it."""
    layer: Any
    """The layer that made it."""

    @property
    def name(self) -> str:
        """Its name in its layer, such as ``kernel``."""
        return self.path.rpartition("/")[2]

    @property
    def is_data(self) -> bool:
        """Whether its layer computes or measures it, so that no initial value is replaced."""
        return (type(self.layer).__name__, self.name) in _DATA

    @property
    def initializer(self) -> Any:
        """What its layer names to fill it, or None."""
        for attribute in self._attributes():
            found = getattr(self.layer, attribute, None)
            if found is not None:
                return found
        return _NAMED_NOWHERE.get((type(self.layer).__name__, self.name))

    def _attributes(self) -> Iterator[str]:
        yield f"{self.name}_initializer"
        if self.name.endswith("_kernel"):  # recurrent_kernel has the recurrent_initializer
            yield self.name.removesuffix("_kernel") + "_initializer"
        if self.name == "kernel":  # of a depthwise convolution
            yield "depthwise_initializer"


# What Keras's layers write into the code that builds them, instead of into an attribute.
_NAMED_NOWHERE = {
    ("AdditiveAttention", "scale"): keras.initializers.GlorotUniform(seed=0),
    ("Attention", "concat_score_weight"): keras.initializers.Ones(),
    ("Attention", "scale"): keras.initializers.Ones(),
    ("RMSNormalization", "scale"): keras.initializers.Ones(),
    ("SpectralNormalization", "vector_u"): keras.initializers.TruncatedNormal(stddev=0.02, seed=0),
}
# What adapt() measured, and windows of a transform.
_DATA = {
    ("Normalization", "count"),
    ("Normalization", "mean"),
    ("Normalization", "variance"),
    ("STFTSpectrogram", "imag_kernel"),
    ("STFTSpectrogram", "real_kernel"),
}


def weights_of(model: Any, prefix: str = "") -> list[Weight]:
    """Return the weights of a built model of Keras 3 or tf_keras, in its order.

    Seeds of dropout and the like, and the state of metrics and optimizers, are no weights.

    Args:
        model: the model, or a layer.
        prefix: put before each path.

    Raises:
        InvalidTypeError: if the prefix is no string.
        InvalidValueError: if the model is not built, or two weights have one path.
    """
    prefix = as_name(prefix, field="prefix")
    if not getattr(model, "built", False):
        raise bad_value("model", "built: call it once, or use model.build(input_shape)", model)
    # Nothing public lists the layers inside layers.
    layers = {
        id(variable): layer
        for layer in model._flatten_layers()  # noqa: SLF001
        for variable in _own_weights(layer)
    }
    weights = [
        Weight(prefix + _path_of(variable), variable, layers.get(id(variable)))
        for variable in model.weights
    ]
    seen: set[str] = set()
    for weight in weights:
        if weight.path in seen:
            raise bad_value(
                "model", "one whose weights have different paths: name its layers", weight.path
            )
        seen.add(weight.path)
    return weights


def _own_weights(layer: Any) -> list[Any]:
    inner = {
        id(each)
        for child in layer._flatten_layers(include_self=False)  # noqa: SLF001
        for each in child.weights
    }
    return [variable for variable in layer.weights if id(variable) not in inner]


def _path_of(variable: Any) -> str:
    # tf_keras's variables are TensorFlow's, whose names end in an output's number.
    path: str = getattr(variable, "path", None) or variable.name.partition(":")[0]
    return path
