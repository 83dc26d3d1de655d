"""Under JAX's transformations an initializer samples when the program runs, and gives the same bits."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import seedbed as sb
from seedbed.jax import initializers as ours
from seedbed.jax import seed_from_key
from tests.frameworks.recording import RecordingClient

KEY = jax.random.key(5)
SHAPE = (12, 8)
INITIALIZERS = {
    "normal": ours.normal(),
    "uniform": ours.uniform(),
    "truncated_normal": ours.truncated_normal(),
    "glorot_uniform": ours.glorot_uniform(),
    "orthogonal": ours.orthogonal(),
    "orthogonal over columns": ours.orthogonal(column_axis=0),
    "zeros": ours.zeros,
    "ones": ours.ones,
    "constant": ours.constant(0.1),
}


@pytest.mark.parametrize("name", INITIALIZERS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_jit_gives_the_same_bits(name: str, dtype: str) -> None:
    init = INITIALIZERS[name]
    expected = np.asarray(init(KEY, SHAPE, dtype))
    traced = jax.jit(lambda key: init(key, SHAPE, dtype))(KEY)
    assert traced.dtype == dtype
    np.testing.assert_array_equal(np.asarray(traced), expected)


@pytest.mark.parametrize("key", [KEY, jax.random.PRNGKey(5), jax.random.key(5, impl="rbg")], ids=["key", "raw", "rbg"])
def test_any_key_may_be_traced_or_closed_over(key: Any) -> None:
    init = ours.normal()
    expected = sb.RandomNormal(stddev=0.01, seed=seed_from_key(key))(SHAPE)
    np.testing.assert_array_equal(jax.jit(lambda key: init(key, SHAPE))(key), expected)
    np.testing.assert_array_equal(jax.jit(lambda: init(key, SHAPE))(), expected)


def test_a_traced_shape_or_dtype_that_is_wrong_is_found_while_tracing() -> None:
    with pytest.raises(sb.InvalidValueError, match="dtype"):
        jax.jit(lambda key: ours.normal()(key, SHAPE, "int32"))(KEY)


@pytest.mark.parametrize("key", [KEY, jax.random.PRNGKey(5)], ids=["key", "raw"])
def test_eval_shape_samples_nothing(key: Any, recorder: RecordingClient) -> None:
    init = ours.lecun_normal(client=recorder)
    for form in (
        jax.eval_shape(lambda key: init(key, SHAPE, jnp.bfloat16), key),
        jax.eval_shape(lambda: init(key, SHAPE, jnp.bfloat16)),
    ):
        assert (form.shape, form.dtype) == (SHAPE, jnp.bfloat16)
    jax.jit(lambda key: init(key, SHAPE)).lower(key).compile()
    assert recorder.parts == []


def test_a_compiled_program_samples_each_time_it_runs(recorder: RecordingClient) -> None:
    init = jax.jit(lambda key: ours.normal(client=recorder)(key, SHAPE))
    first, second = init(jax.random.key(1)), init(jax.random.key(2))
    assert (np.asarray(first) != np.asarray(second)).all()
    assert [spec.seed for spec, _ in recorder.parts] == [1, 2]


def test_vmap_over_keys_gives_each_its_own() -> None:
    keys = jax.random.split(KEY, 3)
    expected = np.stack([np.asarray(ours.normal()(key, SHAPE)) for key in keys])
    mapped = jax.vmap(lambda key: ours.normal()(key, SHAPE))
    np.testing.assert_array_equal(mapped(keys), expected)
    np.testing.assert_array_equal(jax.jit(mapped)(keys), expected)


def test_scan_over_keys_gives_each_its_own() -> None:
    keys = jax.random.split(KEY, 3)
    _, scanned = jax.lax.scan(lambda carry, key: (carry, ours.normal()(key, SHAPE)), None, keys)
    np.testing.assert_array_equal(scanned, np.stack([np.asarray(ours.normal()(key, SHAPE)) for key in keys]))


def test_the_default_client_is_that_of_the_run(recorder: RecordingClient) -> None:
    init = jax.jit(lambda key: ours.normal()(key, SHAPE))
    expected = np.asarray(init(KEY))
    sb.set_default_client(recorder)
    try:
        np.testing.assert_array_equal(init(KEY), expected)
        assert len(recorder.parts) == 1
    finally:
        sb.set_default_client(None)
