"""All weights of a built model, each filled by its path, whatever the backend."""

from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from seedbed.client import Client
from seedbed.defaults import check_client, client_or_default
from seedbed.keras.names import Weight, weights_of
from seedbed.keras.rules import WeightFilling, WeightRules, contents_of, manifest_of_weights
from seedbed.manifest import Manifest


def initialize(
    model: Any,
    *,
    seed: SupportsIndex,
    rules: WeightRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
    client: Client | None = None,
    local: bool = False,
    progress: bool = False,
    timeout_seconds: float | None = None,
) -> Manifest:
    """Fill every weight of a built model, each by its path, in one call of ``sample_all``.

    The content of a weight depends on the seed, its path, its initializer, shape and dtype, and on
    nothing else: not on the backend, nor on the order in which layers were made. By default each
    layer's own initializer fills its weights; seeds that initializers carry do not matter here.
    Give layers names: Keras numbers those without one by how many there were before.

    Moving statistics of batch normalization are weights, and start again. What
    ``Normalization.adapt`` measured and the kernels of ``STFTSpectrogram`` stay as they are; seeds
    of dropout, metrics and optimizers are no weights.

    Args:
        model: a model or layer of Keras 3, or of tf_keras, that is built.
        seed: of every weight; -2**63 to 2**64 - 1.
        rules: patterns on paths and what fills the weights that match, as in a
            :class:`seedbed.Manifest`: the first match counts, before the layer's own initializer.
            None leaves a weight as it is.
        prefix: put before each path, for a part of a model that is initialized by itself.
        partial: the model is a part of a model: a rule that matches nothing is for another part,
            and no error. A prefix says the same.
        draw: the n-th use of one seed.
        client: who samples; by default that of :func:`seedbed.get_default_client`.
        local: sample in this process, and compare with the server's digests.
        progress: show a progress bar on standard error.
        timeout_seconds: for the whole fetch; None is no limit.

    Returns:
        The tensors that were asked for, as :func:`manifest_of` gives them. What a weight holds is
        the tensor of its path, but for the biases of an LSTM with ``unit_forget_bias``, whose
        forget gates are then set to 1.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if the model is not built, or naming the weights for which nothing says
            what fills them, the rules that match no weight, or the weight whose initializer has no
            counterpart here: a rule helps.
        TransportError: if a server's answer does not come; no weight has changed then.
    """
    check_client(client)
    weights = weights_of(model, prefix)
    contents = contents_of(weights, rules, partial=partial or bool(prefix))
    manifest = manifest_of_weights(weights, contents, seed=seed, draw=draw)
    arrays = client_or_default(client).sample_all(
        manifest, local=local, progress=progress, timeout_seconds=timeout_seconds
    )
    for weight in weights:
        content = contents[weight.path]
        if content is not None:
            weight.variable.assign(_finished(weight, content, arrays[weight.path]))
    return manifest


def manifest_of(
    model: Any,
    *,
    seed: SupportsIndex,
    rules: WeightRules | None = None,
    prefix: str = "",
    partial: bool = False,
    draw: int = 0,
) -> Manifest:
    """Return the weights of a built model and what :func:`initialize` fills them with.

    Nothing is fetched or changed. ``client.digest_all(manifest_of(...))`` is what :func:`digests`
    will say of the filled model (but for the forget gates of an LSTM), and
    ``manifest_of(...).save("model.yaml")`` is a file for ``seedbed fetch``.

    Args:
        model: as in :func:`initialize`, like all other arguments.
        seed: likewise.
        rules: likewise.
        prefix: likewise.
        partial: likewise.
        draw: likewise.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a value is not allowed, or nothing says what fills a weight,
            or a rule matches none.
    """
    weights = weights_of(model, prefix)
    return manifest_of_weights(
        weights, contents_of(weights, rules, partial=partial or bool(prefix)), seed=seed, draw=draw
    )


def _finished(weight: Weight, content: WeightFilling, array: NDArray[Any]) -> NDArray[Any]:
    """Return what a weight is to hold: an LSTM opens its forget gates, unless a rule says more."""
    is_lstm_bias = weight.name == "bias" and getattr(weight.layer, "unit_forget_bias", False)
    if not (is_lstm_bias and content.is_own):
        return array
    input_gate, _, rest = np.split(array, [array.size // 4, array.size // 2])
    return np.concatenate([input_gate, np.ones_like(input_gate), rest])
