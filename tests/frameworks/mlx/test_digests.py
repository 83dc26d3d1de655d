"""A model's digest in MLX is the one that a server states for the same tensors."""

from typing import Any

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn
from mlx.utils import tree_flatten, tree_unflatten

import seedbed as sb
from seedbed import mlx as ours

DTYPES = ["float16", "bfloat16", "float32"]


def filled(dtype: str) -> tuple[nn.Module, sb.Manifest]:
    """Return a model that is filled by name, and the manifest of the same tensors."""
    model = nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3), nn.LayerNorm(3))
    specs, arrays = [], []
    for name, parameter in tree_flatten(model.parameters()):
        specs.append(
            sb.TensorSpec(name, parameter.shape, dtype, sb.RandomNormal(stddev=0.5, seed=9))
        )
        arrays.append(
            (name, ours.normal(std=0.5, dtype=getattr(mx, dtype), seed=9, name=name)(parameter))
        )
    model.update(tree_unflatten(arrays))
    return model, sb.Manifest(specs)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_model_has_the_digests_of_its_manifest(dtype: str) -> None:
    model, manifest = filled(dtype)
    stated = sb.connect("embedded:").digest_all(manifest)
    assert ours.digests(model) == stated
    assert len(stated) == 6
    assert "layers.0.weight" in stated
    assert ours.digest(model) == sb.digest_of(stated)


def test_a_tree_of_parameters_is_as_good_as_the_module() -> None:
    model, _ = filled("float32")
    assert ours.digests(model.parameters()) == ours.digests(model)
    changed = model.parameters()
    changed["layers"][0]["bias"] = changed["layers"][0]["bias"] + 1
    assert ours.digest(changed) != ours.digest(model)


def test_what_is_no_parameter_of_a_module_does_not_count() -> None:
    model, _ = filled("float32")
    before = ours.digests(model)
    model._cache = mx.zeros(3)
    assert ours.digests(model) == before
    model.freeze()
    assert ours.digests(model) == before


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (mx.array(2.5), np.float32(2.5)),
        (mx.zeros((0, 3)), np.zeros((0, 3), np.float32)),
        (mx.array([True, False, True]), np.array([True, False, True])),
        (mx.arange(6, dtype=mx.int64).reshape(2, 3).T, np.arange(6).reshape(2, 3).T),
        (
            mx.arange(24, dtype=mx.float32).reshape(4, 6)[1:, ::2],
            np.arange(24, dtype=np.float32).reshape(4, 6)[1:, ::2],
        ),
        (mx.array([1.5, 2.0]).astype(mx.float64, stream=mx.cpu), np.array([1.5, 2.0])),
    ],
    ids=["a scalar", "empty", "bool", "transposed", "cut out", "float64"],
)
def test_the_bytes_are_those_of_numpy(array: Any, values: Any) -> None:
    assert ours.digests({"a": [array]}) == {"a.0": sb.digest_bytes(values.tobytes())}


def test_one_array_has_no_name() -> None:
    assert ours.digests(mx.zeros(3)) == {"": sb.digest_bytes(bytes(12))}


@pytest.mark.parametrize("leaf", [None, 3, "array", np.zeros(2)], ids=repr)
def test_a_leaf_that_is_no_array_is_named(leaf: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`tree\['a\.1'\]` must be an array of MLX"):
        ours.digest({"a": [mx.zeros(2), leaf]})


def test_two_arrays_of_one_name_are_a_value_error() -> None:
    with pytest.raises(sb.InvalidValueError, match=r'different names\. Received: "a\.b"'):
        ours.digest({"a.b": mx.zeros(2), "a": {"b": mx.ones(2)}})


@pytest.mark.parametrize("transform", [mx.compile, mx.vmap])
def test_what_is_traced_has_no_digest(transform: Any) -> None:
    def call(array: mx.array) -> mx.array:
        ours.digest({"a": array})
        return array

    with pytest.raises(
        sb.InvalidValueError, match=r'`tree` must be arrays that are not traced, .* Received: "a"'
    ):
        transform(call)(mx.zeros((2, 2)))
