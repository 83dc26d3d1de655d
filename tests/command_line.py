"""What the tests of single commands share: a manifest, and how to read what a command left."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import safetensors
from numpy.typing import NDArray

import seedbed as sb
from tests.free_addresses import free_address

PROGRAM = str(Path(sys.executable).with_name("seedbed"))
SAMPLE = ("sample", "GlorotUniform", "--shape", "64,32", "--seed", "7")

MANIFEST = """\
seedbed_manifest: 1
numerics: seedbed-1
seed: 11
dtype: float32
rules:
  - match: "*.bias"
    initializer: zeros
  - match: "*"
    initializer: {class_name: RandomNormal, config: {stddev: 0.02}}
tensors:
  embedding: {shape: [10, 6], dtype: bfloat16}
  dense.kernel: {shape: [6, 4], initializer: glorot_uniform, seed: 3}
  dense.bias: [4]
  scale: {shape: [], initializer: ones}
  empty: [0, 3]
"""
NAMES = ["embedding", "dense.kernel", "dense.bias", "scale", "empty"]


def read_safetensors(path: str) -> dict[str, NDArray[Any]]:
    """Return the tensors of a file as the safetensors package reads them."""
    with safetensors.safe_open(path, framework="np") as file:
        # It is no mapping.
        return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def printed_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Return the one JSON object that standard output must be."""
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return document


def embedded_sample(spec: sb.TensorSpec, **arguments: Any) -> NDArray[Any]:
    """Return the tensor as the SDK gives it."""
    with sb.connect("embedded:") as client:
        array: NDArray[Any] = client.sample(spec, **arguments)
    return array


def dead_address() -> str:
    """Return an address where nobody listens, and that nobody is given meanwhile."""
    return free_address()


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line that standard error must be."""
    error = capsys.readouterr().err
    assert error.startswith("seedbed: error: ") and error.count("\n") == 1, error
    return error
