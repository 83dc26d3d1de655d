"""Models of keras_hub and Keras's applications have the distributions that their code gives.

On PyTorch, which compiles nothing for each shape.
"""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import keras
import keras_hub
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import seedbed as sb
import seedbed.keras as sk
from tests.frameworks.keras.cases import values

# Of a T5 that is built without a tokenizer's padding mask.
pytestmark = pytest.mark.filterwarnings("ignore:Layer '.*_attention' .* was passed an input with a")

TEXT = {"vocabulary_size": 200, "num_layers": 2, "hidden_dim": 64, "intermediate_dim": 128}
HEADS = {**TEXT, "num_heads": 4}
PLACES = {**HEADS, "max_sequence_length": 64}
GROUPS = {**TEXT, "num_query_heads": 4, "num_key_value_heads": 2}
IMAGE = (32, 32, 3)
hub = keras_hub.models
MODELS: dict[str, Callable[[], Any]] = {
    "BERT": lambda: hub.BertBackbone(**PLACES),
    "BLOOM": lambda: hub.BloomBackbone(**HEADS),
    "DistilBERT": lambda: hub.DistilBertBackbone(**PLACES),
    "Falcon": lambda: hub.FalconBackbone(**TEXT, num_attention_heads=4),
    "Gemma": lambda: hub.GemmaBackbone(**GROUPS, head_dim=16),
    "Gemma 3": lambda: hub.Gemma3Backbone(**GROUPS, head_dim=16, image_size=16),
    "GPT-2": lambda: hub.GPT2Backbone(**PLACES),
    "GPT-NeoX": lambda: hub.GPTNeoXBackbone(**PLACES),
    "Llama": lambda: hub.LlamaBackbone(**GROUPS),
    "Mistral": lambda: hub.MistralBackbone(**GROUPS),
    "Mixtral": lambda: hub.MixtralBackbone(**GROUPS, num_experts=4, top_k=2),
    "OPT": lambda: hub.OPTBackbone(**PLACES),
    "RoBERTa": lambda: hub.RobertaBackbone(**PLACES),
    "T5": lambda: hub.T5Backbone(**HEADS),
    "Whisper": lambda: hub.WhisperBackbone(
        **HEADS, max_encoder_sequence_length=64, max_decoder_sequence_length=32
    ),
    "ViT": lambda: hub.ViTBackbone(
        image_shape=IMAGE, patch_size=(8, 8), num_layers=2, num_heads=4, hidden_dim=64, mlp_dim=128
    ),
    "ResNet": lambda: hub.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 128],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    ),
    "MobileNetV2": lambda: keras.applications.MobileNetV2(IMAGE, 0.35, weights=None, classes=10),
    "EfficientNetB0": lambda: keras.applications.EfficientNetB0(
        weights=None, input_shape=IMAGE, classes=10
    ),
    "ResNet50": lambda: keras.applications.ResNet50(weights=None, input_shape=IMAGE, classes=10),
}


KERAS_ALONE = {
    *("BLOOM", "Falcon", "GPT-NeoX", "ResNet"),
    *("MobileNetV2", "EfficientNetB0", "ResNet50"),
}
"""Models whose weights are all made by Keras's own layers, so that ``initialize`` knows them."""


@pytest.mark.parametrize("name", MODELS)
def test_every_weight_has_the_distribution_that_its_own_code_gives(name: str) -> None:
    keras.utils.clear_session()
    keras.utils.set_random_seed(7)
    theirs = MODELS[name]()
    keras.utils.clear_session()
    with sk.initializing(seed=42) as recorded:
        ours = MODELS[name]()
    found_digests = sk.digests(ours)
    # What adapt() is to measure is nobody's to fill.
    measured = {path for path in found_digests if path.startswith("normalization/")}
    stated = sb.get_default_client().digest_all(recorded.manifest)
    assert stated == {path: found_digests[path] for path in found_digests.keys() - measured}
    pools: dict[str, list[tuple[NDArray[Any], NDArray[Any]]]] = defaultdict(list)
    for path, expected, found in zip(found_digests, theirs.weights, ours.weights, strict=True):
        pair = values(expected).astype("float64"), values(found).astype("float64")
        if np.ptp(pair[0]) == 0:
            assert np.array_equal(*pair), path
        else:
            check_moments(path, *pair)
            kind = kind_of(recorded.manifest[path])
            pools[kind].append((pair[0].ravel() / pair[0].std(), pair[1].ravel() / pair[1].std()))
    assert pools, "some of it is random"
    for kind, pairs in pools.items():
        check_shape(kind, *(np.concatenate(each)[:200_000] for each in zip(*pairs, strict=True)))
    said = refusal(ours)
    assert said == "" if name in KERAS_ALONE else "seedbed.keras.initializing" in said
    assert sk.digests(ours) == found_digests, "initialize agrees, or changes nothing"


def kind_of(spec: sb.TensorSpec) -> str:
    """Return the family of a tensor's distribution."""
    return str(sb.get_default_client().describe(spec).distribution)


def check_moments(path: str, expected: NDArray[Any], found: NDArray[Any]) -> None:
    """Compare means and standard deviations, within six standard errors of their difference."""
    error = 6 * np.sqrt(2 / expected.size)
    spread = expected.std()
    assert abs(found.mean() - expected.mean()) < error * spread, path
    # The variance of a normal sample's standard deviation is sigma**2 / 2n; the others' is less.
    assert abs(found.std() / spread - 1) < error, path


def check_shape(kind: str, expected: NDArray[Any], found: NDArray[Any]) -> None:
    """Compare the distributions of all weights of a kind, each in units of its deviation."""
    assert stats.ks_2samp(expected, found).pvalue > 1e-4, kind
    difference = stats.kurtosis(found) - stats.kurtosis(expected)
    assert abs(difference) < 6 * np.sqrt(2 * 24 / found.size), kind


def refusal(model: Any) -> str:
    """Return what ``initialize`` says against a model; empty if it fills it."""
    try:
        sk.initialize(model, seed=42)
    except sb.InvalidValueError as error:
        return str(error)
    return ""


def test_gemmas_normalizations_begin_with_zeros() -> None:
    with sk.initializing(seed=42) as recorded:
        MODELS["Gemma"]()
    scales = [path for path in recorded.manifest if path.endswith("/scale")]
    assert len(scales) == 5
    assert {recorded.manifest[path].initializer for path in scales} == {sb.Zeros().spec}


def test_t5s_two_weights_of_one_path_differ() -> None:
    with sk.initializing(seed=42) as recorded:
        model = MODELS["T5"]()
    names = [
        path for path in recorded.manifest if path.endswith("/embeddings") and "self_att" in path
    ]
    assert len(names) == 2
    assert len({sk.digests(model)[name] for name in names}) == 2
