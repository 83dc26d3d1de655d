"""An initializer's own code, run with seedbed's numbers in place of Keras's random ones."""

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeAlias

import keras
import numpy as np
from keras.src.backend import random as keras_random  # what keras.random and initializers call
from numpy.typing import NDArray

from seedbed import initializers as plain
from seedbed.keras.initializers.base import SpecInitializer, backend_tensor, standard_dtype
from seedbed.rules import Filling
from seedbed.spec.errors import bad_value
from seedbed.spec.initializers import (
    InitializerSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    TruncatedNormalSpec,
)
from seedbed.spec.shapes import as_ints

Sample: TypeAlias = Callable[[int, Filling, Any, str], NDArray[Any]]
"""Returns the n-th tensor that the code asks for: what fills it, its shape and dtype."""
_MakeTensor: TypeAlias = Callable[[NDArray[Any], str], Any]


def run(initializer: Any, shape: Any, dtype: Any, sample: Sample) -> tuple[Any, bool]:
    """Return what an initializer's code gives, and whether that is just its first random tensor.

    It is run twice: what differs came from a source of chance that nobody can answer for.

    Raises:
        InvalidValueError: if both runs differ.
        InvalidArgumentError: if the code asks for random numbers that seedbed does not have.
    """
    made: list[Any] = []

    def answer(filling: Filling, shape: Any, dtype: str, tensor: _MakeTensor) -> Any:
        made.append(tensor(sample(len(made), filling, shape, dtype), dtype))
        return made[-1]

    with _answered(answer), warnings.catch_warnings():
        # Here it gives other values each time.
        warnings.filterwarnings("ignore", ".* is unseeded and being called", UserWarning)
        value = initializer(shape, dtype=dtype)
        is_first = [each is value for each in made] == [True]
        made.clear()
        again = initializer(shape, dtype=dtype)
    if _bytes_of(value) != _bytes_of(again):
        raise bad_value(
            "initializer",
            "one whose random numbers come from keras.random or Keras's initializers, or replaced "
            "by a rule",
            initializer,
        )
    return value, is_first


@contextmanager
def replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Give a module or a class another attribute until the block ends."""
    own = vars(owner).get(name)
    try:
        setattr(owner, name, value)
        yield
    finally:
        if own is None:  # what it inherits shows again
            delattr(owner, name)
        else:
            setattr(owner, name, own)


_Answer: TypeAlias = Callable[[Filling, Any, str, _MakeTensor], Any]


@contextmanager
def _answered(answer: _Answer) -> Iterator[None]:
    """Ask ``answer`` for the random numbers of Keras 3, tf_keras and seedbed, whatever their seed.

    Of Keras's these are the normals and uniforms, which its initializers are made of.
    """
    with ExitStack() as stack:
        for cls, tensor in ((plain.Initializer, _array), (SpecInitializer, backend_tensor)):
            function = _call(cls.__call__, answer, tensor)
            stack.enter_context(replaced(cls, "__call__", function))
        for name, kind in (
            ("normal", RandomNormalSpec),
            ("truncated_normal", TruncatedNormalSpec),
            ("uniform", RandomUniformSpec),
        ):
            function = _draw(kind, getattr(keras_random, name), answer, backend_tensor, skipped=0)
            stack.enter_context(replaced(keras_random, name, function))
        tf_keras = sys.modules.get("tf_keras.src.backend")
        if tf_keras is not None:
            generator, constant = tf_keras.RandomGenerator, sys.modules["tensorflow"].constant
            for name, kind in (
                ("random_normal", RandomNormalSpec),
                ("truncated_normal", TruncatedNormalSpec),
                ("random_uniform", RandomUniformSpec),
            ):
                function = _draw(kind, getattr(generator, name), answer, constant, skipped=1)
                stack.enter_context(replaced(generator, name, function))
        yield


def _array(array: NDArray[Any], _: str) -> NDArray[Any]:
    return array


def _call(original: Callable[..., Any], answer: _Answer, tensor: _MakeTensor) -> Callable[..., Any]:
    """Return a function that stands for the ``__call__`` of seedbed's initializers."""
    here = threading.get_ident()

    def __call__(  # noqa: N807
        initializer: Any, shape: Any, dtype: Any = None, **options: Any
    ) -> Any:
        if threading.get_ident() != here or options or not initializer.spec.random:
            return original(initializer, shape, dtype, **options)
        filling = Filling(initializer.spec, initializer.fan_axes_of(len(as_ints("shape", shape))))
        if dtype is None and isinstance(initializer, plain.Initializer):
            dtype = plain.DEFAULT_DTYPE
        return answer(filling, shape, standard_dtype(dtype), tensor)

    return __call__


def _draw(
    kind: Callable[[Any, Any], InitializerSpec],
    original: Callable[..., Any],
    answer: _Answer,
    tensor: _MakeTensor,
    *,
    skipped: int,
) -> Callable[..., Any]:
    """Return a function that stands for one of Keras's, which other threads still get.

    Args:
        kind: the initializer of its numbers.
        original: Keras's function.
        answer: gives the tensor.
        tensor: makes it of an array.
        skipped: how many arguments come before the shape: a method's ``self``.
    """
    here = threading.get_ident()
    is_uniform = kind is RandomUniformSpec
    names = ("shape", "minval", "maxval") if is_uniform else ("shape", "mean", "stddev")

    def draw(*args: Any, **kwargs: Any) -> Any:
        if threading.get_ident() != here:
            return original(*args, **kwargs)
        # What comes after the dtype is the seed, or tf_keras's nonce.
        given = dict(zip((*names, "dtype"), args[skipped:], strict=False)) | kwargs
        first = given.get(names[1], 0.0)
        second = given.get(names[2])
        parameters = _number(first), _number(1.0 if second is None else second)
        dtype = standard_dtype(given.get("dtype"))
        return answer(Filling(kind(*parameters)), given["shape"], dtype, tensor)

    return draw


def _number(value: Any) -> Any:
    """Return a scalar tensor's number; what is none is left to the initializer's own check."""
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError):
        return value


def _bytes_of(value: Any) -> bytes:
    is_tf_keras = hasattr(value, "numpy") and not keras.ops.is_tensor(value)
    array = value.numpy() if is_tf_keras else keras.ops.convert_to_numpy(value)
    return np.ascontiguousarray(array).tobytes()
