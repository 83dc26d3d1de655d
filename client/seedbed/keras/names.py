"""The weights of a built model by their paths, and what each layer names to fill its own."""

from collections import Counter
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
        return is_data(self.layer, self.name)

    @property
    def initializer(self) -> Any:
        """What its layer names to fill it, or None; other code than Keras's may name anything."""
        made_by = _keras_class_of(self.layer)
        if made_by is None:
            return None
        for attribute in self._attributes():
            found = getattr(self.layer, attribute, None)
            if found is not None:
                return found
        return _NAMED_NOWHERE.get((made_by, self.name))

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


def is_data(layer: Any, name: str) -> bool:
    """Whether a layer computes or measures its weight of a name."""
    return (_keras_class_of(layer), name) in _DATA


def numbered(path: str, number: int) -> str:
    """Return the name of the n-th weight of a path, which Keras does not keep unique.

    Example:
        >>> numbered("attention/embeddings", 1), numbered("attention/embeddings", 2)
        ('attention/embeddings', 'attention#2/embeddings')
    """
    if number == 1:
        return path
    layer, slash, name = path.rpartition("/")
    return f"{layer}#{number}/{name}" if slash else f"{name}#{number}"


def path_of(variable: Any) -> str:
    """Return the path of a variable of Keras 3 or tf_keras."""
    # tf_keras's variables are TensorFlow's, whose names end in an output's number.
    path: str = getattr(variable, "path", None) or variable.name.partition(":")[0]
    return path


def _keras_class_of(layer: Any) -> str | None:
    """Return the class of Keras or tf_keras whose code makes a layer's weights, None if it isn't.

    Other packages have layers of the same names.
    """
    for cls in type(layer).__mro__:
        if "build" in vars(cls):
            is_keras = cls.__module__.startswith(("keras.src.layers.", "tf_keras.src.layers."))
            return cls.__name__ if is_keras and cls is not keras.layers.Layer else None
    return None


def weights_of(model: Any, prefix: str = "") -> list[Weight]:
    """Return the weights of a built model of Keras 3 or tf_keras, in its order.

    Seeds of dropout and the like, and the state of metrics and optimizers, are no weights. Weights
    of one path are numbered in the model's order.

    Args:
        model: the model, or a layer.
        prefix: put before each path.

    Raises:
        InvalidTypeError: if the prefix is no string.
        InvalidValueError: if the model is not built.
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
    counts: Counter[str] = Counter()
    weights = []
    for variable in model.weights:
        path = path_of(variable)
        counts[path] += 1
        name = prefix + numbered(path, counts[path])
        weights.append(Weight(name, variable, layers.get(id(variable))))
    return weights


def _own_weights(layer: Any) -> list[Any]:
    inner = {
        id(each)
        for child in layer._flatten_layers(include_self=False)  # noqa: SLF001
        for each in child.weights
    }
    return [variable for variable in layer.weights if id(variable) not in inner]
