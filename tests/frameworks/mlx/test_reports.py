"""The report of a module of MLX."""

import mlx.core as mx
import numpy as np
import pytest
from mlx import nn

import seedbed as sb
from seedbed import mlx as ours


def test_a_report_is_of_the_parameters_that_the_digest_is_of() -> None:
    rules = {"*.weight": "he_normal", "*.bias": "zeros"}
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 64))
    ours.initialize(model, seed=1, rules=rules)
    model.layers[1].weight = model.layers[1].weight.astype(mx.bfloat16)
    report = ours.report(model)
    assert report.model.facts["digest"] == str(ours.digest(model))
    assert {figures.dtype for figures in report.model.tensors} == {"float32", "bfloat16"}
    assert report.findings == ()
    model.layers[0].weight[3, 4] = mx.nan
    (finding,) = ours.report(model).findings
    assert finding.name == "layers.0.weight"


def test_a_manifest_or_another_module_is_shown_beside_it() -> None:
    layer = nn.Linear(8, 8)
    rules = {"*": "he_normal"}
    layer.bias = mx.zeros((8, 8))
    ours.initialize(layer, seed=1, rules=rules)
    manifest = ours.manifest_of(layer, seed=1, rules=rules)
    assert isinstance(manifest, sb.Manifest)
    for against in (manifest, layer):
        other = ours.report(layer, against=against).other
        assert other is not None
        assert other.facts["digest"] == str(ours.digest(layer))


def test_arrays_are_shown_beside_it_and_the_core_names_this_function() -> None:
    layer = nn.Linear(8, 8)
    own = {"weight": np.array(layer.weight), "bias": np.array(layer.bias)}
    other = ours.report(layer, against=own).other
    assert other is not None
    assert other.facts["digest"] == str(ours.digest(layer))
    with pytest.raises(sb.InvalidTypeError, match=r"; seedbed\.mlx\.report draws a live model"):
        sb.report(layer)
