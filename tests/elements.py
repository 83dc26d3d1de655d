"""The element functions by themselves: values of chosen words, without the generator."""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed_server.backends.cpu import normal_params, uniform_params
from seedbed_server.backends.rules import Normal, Uniform
from seedbed_server.kernels.normal import normal_float32, normal_float64
from seedbed_server.kernels.uniform import uniform_float32, uniform_float64


@njit
def _uniforms32(words: Any, p: Any, out: Any) -> None:
    for i in range(words.size):
        out[i] = uniform_float32(words[i], p[0], p[1], p[2])


@njit
def _uniforms64(words: Any, p: Any, out: Any) -> None:
    for i in range(words.size):
        out[i] = uniform_float64(words[i], p[0], p[1], p[2])


@njit
def _normals32(words: Any, split: Any, p: Any, out: Any) -> None:
    for i in range(words.size):
        out[i] = normal_float32(words[i], split[0], p[0], p[1], p[2], p[4], p[5], p[6], p[7])


@njit
def _normals64(words: Any, split: Any, p: Any, out: Any) -> None:
    for i in range(words.size):
        out[i] = normal_float64(words[i], split[0], p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7])


def values_of_words(rule: Uniform | Normal, dtype: Dtype, words: NDArray[Any]) -> NDArray[Any]:
    """Return the value of each word: uint64 words for float64, uint32 words for the others."""
    computing = Dtype.FLOAT64 if dtype is Dtype.FLOAT64 else Dtype.FLOAT32
    out = np.empty(words.size, computing.numpy)
    if isinstance(rule, Uniform):
        uniforms = _uniforms64 if dtype is Dtype.FLOAT64 else _uniforms32
        uniforms(words, uniform_params(rule, dtype), out)
    else:
        normals = _normals64 if dtype is Dtype.FLOAT64 else _normals32
        normals(words, *normal_params(rule, dtype), out)
    return out.astype(dtype.numpy)
