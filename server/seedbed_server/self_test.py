"""Whether this machine gives the right bits: golden vectors of every kernel, sampled and compared at start-up."""

import json
from importlib import resources
from typing import Any

import numpy as np

from seedbed.wire.digests import digest_bytes
from seedbed.wire.errors import SeedbedError
from seedbed.wire.fans import FanAxes
from seedbed.wire.initializers import INITIALIZERS
from seedbed.wire.slices import TensorSlice
from seedbed.wire.specs import TensorRequest, TensorSpec
from seedbed_server.backends.base import Backend
from seedbed_server.sampler import TensorSource, plan


class SelfTestError(SeedbedError):
    """This machine does not give the bits of the contract; it must not serve."""


def run_self_test(backend: Backend) -> int:
    """Sample every golden vector that is marked for it, and return how many there are.

    Raises:
        SelfTestError: naming the first vector that differs.
    """
    vectors = [vector for vector in golden_vectors() if vector.get("self_test")]
    for vector in vectors:
        check_vector(vector, backend)
    return len(vectors)


def golden_vectors() -> list[dict[str, Any]]:
    """Return the entries of the golden file of `seedbed-1`."""
    text = resources.files("seedbed_server").joinpath("golden", "seedbed-1.json").read_text()
    vectors: list[dict[str, Any]] = json.loads(text)["tensors"]
    return vectors
