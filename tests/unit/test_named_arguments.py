"""A call of a class with wrong arguments names the class, the argument and what is near."""

import copy
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import pytest

import seedbed as sb
from seedbed.compat import v1


class Mine(sb.GlorotUniform):
    """A class of a user's, with the constructor of ours."""


class Open(sb.Constant):
    """A class of a user's that takes what it likes."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)


CALLS: dict[str, tuple[Callable[[], object], str, str]] = {
    "an unknown name": (
        lambda: sb.GlorotUniform(sed=1),  # type: ignore[call-arg]
        "sed",
        "`sed` must be an argument of GlorotUniform(seed). Received: sed=1; did you mean 'seed'?",
    ),
    "an unknown name that is near to nothing": (
        lambda: sb.GlorotUniform(color="red"),  # type: ignore[call-arg]
        "color",
        '`color` must be an argument of GlorotUniform(seed). Received: color="red"',
    ),
    "an argument that is missing": (
        lambda: sb.Sparse(stddev=0.1),  # type: ignore[call-arg]
        "sparsity",
        (
            "`sparsity` must be given to Sparse(sparsity, stddev, axis, seed). Received: only "
            "stddev=0.1"
        ),
    ),
    "an argument given twice": (
        lambda: sb.GlorotUniform(1, seed=2),  # type: ignore[misc]
        "seed",
        "`seed` must be given to GlorotUniform(seed) once. Received: seed=2, and one by its place",
    ),
    "too many by place": (
        lambda: sb.Zeros(1, 2),  # type: ignore[call-arg]
        "arguments",
        "`arguments` must be at most 0 by place for Zeros(). Received: [1, 2]",
    ),
    "an unknown name of a spec's": (
        lambda: sb.TensorSpec("w", (2,), type="float32", initializer="zeros"),  # type: ignore[call-arg]
        "type",
        (
            "`type` must be an argument of TensorSpec(name, shape, dtype, initializer, seed, draw, "
            "fan_axes). Received: type=\"float32\"; did you mean 'dtype'?"
        ),
    ),
    "a spec that lacks two": (
        lambda: sb.TensorSpec("w", (2,)),  # type: ignore[call-arg]
        "dtype",
        (
            "`dtype` must be given to TensorSpec(name, shape, dtype, initializer, seed, draw, "
            'fan_axes). Received: only name="w", shape=[2]'
        ),
    ),
    "a slice": (
        lambda: sb.TensorSlice(start=(0,), lengths=(1,)),  # type: ignore[call-arg]
        "start",
        (
            "`start` must be an argument of TensorSlice(starts, lengths). Received: start=[0]; did "
            "you mean 'starts'?"
        ),
    ),
    "a class of TensorFlow 1": (
        lambda: v1.ones_initializer(dytpe="float32"),  # type: ignore[call-arg]
        "dytpe",
        (
            '`dytpe` must be an argument of Ones(dtype). Received: dytpe="float32"; did you mean '
            "'dtype'?"
        ),
    ),
    "a class of a user's": (
        lambda: Mine(sed=1),  # type: ignore[call-arg]
        "sed",
        "`sed` must be an argument of Mine(seed). Received: sed=1; did you mean 'seed'?",
    ),
}


@pytest.mark.parametrize(("call", "field", "message"), CALLS.values(), ids=CALLS.keys())
def test_a_wrong_call_is_said_of_the_class(
    call: Callable[[], object], field: str, message: str
) -> None:
    with pytest.raises(sb.InvalidTypeError) as caught:
        call()
    assert (str(caught.value), caught.value.field) == (message, field)
    assert isinstance(caught.value, TypeError)


def test_a_constructor_that_takes_anything_keeps_pythons_error() -> None:
    with pytest.raises(TypeError, match="'vlaue'") as caught:
        Open(vlaue=1)
    assert not isinstance(caught.value, sb.SeedbedError)


def test_tools_see_the_constructors_signature() -> None:
    constructor = list(inspect.signature(sb.VarianceScaling.__init__).parameters.values())
    assert list(inspect.signature(sb.VarianceScaling).parameters.values()) == constructor[1:]


def test_instances_are_copied_and_pickled_as_before() -> None:
    for value in (sb.GlorotUniform(seed=1), sb.TensorSlice((0,), (1,)), sb.shard(0, 2)):
        assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
