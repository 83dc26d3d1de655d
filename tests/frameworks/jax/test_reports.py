"""The report of a tree's leaves."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx
from jax.sharding import NamedSharding, PartitionSpec

import seedbed as sb
from seedbed.jax import digest, digests, initialize, manifest_of, report
from tests.frameworks.jax.meshes import mesh_of

RULES = {"*kernel": "he_normal", "*bias": "zeros"}


def tree(dtype: Any = jnp.float32) -> dict[str, Any]:
    return {
        "dense": {
            "kernel": jax.ShapeDtypeStruct((64, 32), dtype),
            "bias": jax.ShapeDtypeStruct((32,), dtype),
        }
    }


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.bfloat16])
def test_a_report_is_of_the_leaves_that_the_digest_is_of(dtype: Any) -> None:
    params = initialize(tree(dtype), seed=1, rules=RULES)
    shown = report(params, against=manifest_of(tree(dtype), seed=1, rules=RULES))
    assert shown.findings == ()
    assert shown.other is not None
    assert shown.model.facts["digest"] == shown.other.facts["digest"] == str(digest(params))
    params["dense"]["kernel"] = params["dense"]["kernel"].at[1, 2].set(jnp.nan)
    (finding,) = report(params).findings
    assert finding.name == "dense/kernel"


def test_another_tree_is_shown_beside_it() -> None:
    one, two = (initialize(tree(), seed=seed, rules=RULES) for seed in (1, 2))
    other = report(one, against=two).other
    assert other is not None
    assert other.facts["digest"] == str(digest(two))


def test_shards_are_put_together() -> None:
    sharding = NamedSharding(mesh_of((2, 2)), PartitionSpec("x", "y"))
    whole = jnp.asarray(sb.HeNormal(seed=1)((64, 32)))
    (figures,) = report({"w": jax.device_put(whole, sharding)}).model.tensors
    assert figures.digest == str(digests({"w": whole})["w"])


def test_a_traced_leaf_is_refused_by_name() -> None:
    with pytest.raises(sb.InvalidValueError, match=r'not traced.*"w"'):
        jax.jit(lambda w: report({"w": w}).findings)(jnp.ones(3))


def test_the_shape_of_a_leaf_is_refused_by_name() -> None:
    for call in (report, digest):
        with pytest.raises(
            sb.InvalidTypeError, match=r"`tree\['dense/.*'\]` must be an array, not"
        ):
            call(tree())


def test_complex_numbers_are_refused_by_name() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"\['w'\]` must be .*real.*complex64"):
        report({"w": jnp.ones(3, jnp.complex64)})


def test_arrays_are_shown_beside_it() -> None:
    params = {"w": jnp.ones((4, 4))}
    other = report(params, prefix="model/", against={"model/w": np.ones((4, 4), np.float32)}).other
    assert other is not None
    assert other.facts["digest"] == str(digest(params, prefix="model/"))


@pytest.mark.parametrize("model", [nnx.Linear(2, 2, rngs=nnx.Rngs(0)), linen.Dense(2)])
def test_the_core_names_what_draws_a_model(model: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"; seedbed\.jax\.report draws a live model"):
        sb.report(model)
