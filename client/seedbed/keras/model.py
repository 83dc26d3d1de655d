"""How all weights of a built model are filled at once, each by its path."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import get_default_client
from seedbed.keras.conversion import plain_of
from seedbed.keras.fans import fan_axes_of
from seedbed.keras.weights import Weight, weights_of
from seedbed.manifest import InitializerLike, Manifest, parse_initializer
from seedbed.rules import Rules, first_match, pairs_of
from seedbed.spec.errors import InvalidArgumentError, bad_type, bad_value
from seedbed.spec.initializers import InitializerSpec
from seedbed.spec.seeds import as_seed
from seedbed.spec.tensors import TensorSpec


def initialize(
    model: Any,
    *,
    seed: SupportsIndex,
    rules: Rules[InitializerLike | None] | None = None,
    client: Client | None = None,
) -> Manifest:
    """Fill every weight of a built model, each by its path, in one call of ``sample_all``.

    The content of a weight depends on the seed, its path, its initializer, shape and dtype, and on
    nothing else: not on the backend, nor on the order in which layers were made. By default each
    layer's own initializer fills its weights;
    seeds that initializers carry do not matter here. Give layers names: Keras numbers those without
    one by how many there were before.

    Moving statistics of batch normalization are weights, and start again. What
    ``Normalization.adapt`` measured and the kernels of ``STFTSpectrogram`` stay as they are; seeds
    of dropout, metrics and optimizers are no weights.

    Args:
        model: a model or layer of Keras 3, or of tf_keras, that is built.
        seed: of every weight; -2**63 to 2**64 - 1.
        rules: patterns on paths and what fills the weights that match, as in a
            :class:`seedbed.Manifest`: the first match counts, before the layer's own initializer.
            None leaves a weight as it is.
        client: who samples; by default that of :func:`seedbed.set_default_client`.

    Returns:
        The tensors that were asked for. What a weight holds is the tensor of its path, but for the
        biases of an LSTM with ``unit_forget_bias``, whose forget gates are then set to 1.

    Raises:
        InvalidValueError: if the model is not built, or no initializer of seedbed stands for a
            weight's: the path is named, and a rule for it helps.
        TransportError: if a server's answer does not come; no weight has changed then.
    """
    if client is not None and not isinstance(client, Client):
        raise bad_type("client", "a Client or None", client)
    bits = as_seed(seed)
    pairs = pairs_of("rules", [] if rules is None else rules)
    fillings = [_filling_of(weight, pairs, bits) for weight in weights_of(model)]
    manifest = Manifest(filling.spec for filling in fillings if filling is not None)
    arrays = (client or get_default_client()).sample_all(manifest)
    for filling in fillings:
        if filling is not None:
            filling.weight.variable.assign(filling.finished(arrays[filling.spec.name]))
    return manifest


@dataclass(frozen=True, slots=True)
class _Filling:
    """What goes into a weight."""

    weight: Weight
    spec: TensorSpec
    opens_forget_gates: bool
    """Whether the middle of an LSTM's biases is 1, whatever fills the others."""

    def finished(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return what the weight is to hold."""
        if not self.opens_forget_gates:
            return array
        input_gate, _, rest = np.split(array, [array.size // 4, array.size // 2])
        return np.concatenate([input_gate, np.ones_like(input_gate), rest])


def _filling_of(weight: Weight, pairs: list[tuple[str, Any]], seed: int) -> _Filling | None:
    rule = first_match(pairs, weight.path)
    if weight.is_data if rule is None else rule[1] is None:
        return None
    try:
        spec = _spec_of(weight, weight.initializer if rule is None else rule[1], seed)
    except InvalidArgumentError as error:
        raise error.within(weight.path) from None
    is_lstm_bias = weight.name == "bias" and getattr(weight.layer, "unit_forget_bias", False)
    return _Filling(weight, spec, opens_forget_gates=is_lstm_bias and rule is None)


def _spec_of(weight: Weight, own: Any, seed: int) -> TensorSpec:
    shape, dtype = weight.variable.shape, weight.variable.dtype
    if own is None:
        what = f"given by a rule for this weight, as {type(weight.layer).__name__} names none"
        raise bad_value("initializer", what, None)
    if isinstance(own, (str, Mapping, InitializerSpec)):
        return TensorSpec(weight.path, shape, dtype, parse_initializer(own)[0], seed=seed)
    initializer = plain_of(own)
    axes = fan_axes_of(initializer, own, weight.layer, len(shape))
    return TensorSpec(weight.path, shape, dtype, initializer.spec, seed=seed, fan_axes=axes)
