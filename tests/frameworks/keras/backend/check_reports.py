"""The report of a model's weights."""

import numpy as np
import pytest

import seedbed as sb
import seedbed.keras as sk
from tests.frameworks.keras.models import backbone_model, large_model


def test_a_report_is_of_the_weights_that_the_digest_is_of() -> None:
    with sk.initializing(seed=42) as recorded:
        model = backbone_model()
    report = sk.report(model, against=recorded.manifest)
    assert report.model.facts["digest"] == str(sk.digest(model))
    assert report.findings == ()
    assert report.other is not None


def test_a_fault_is_found() -> None:
    with sk.initializing(seed=42):
        model = large_model()
    weight = max(model.weights, key=lambda each: np.prod(each.shape))
    values = np.array(weight.numpy() if hasattr(weight, "numpy") else weight.value)
    values.reshape(-1)[3] = np.inf
    weight.assign(values)
    assert weight.path in {finding.name for finding in sk.report(model).findings}
    other = sk.report(backbone_model(), against=model).other
    assert other is not None
    assert other.title == type(model).__name__


def test_arrays_are_shown_beside_it_and_the_core_names_this_function() -> None:
    model = backbone_model()
    own = {weight.path: np.asarray(weight.numpy()) for weight in model.weights}
    other = sk.report(model, against=own).other
    assert other is not None
    assert other.facts["digest"] == str(sk.digest(model))
    with pytest.raises(sb.InvalidTypeError, match=r"; seedbed\.keras\.report draws a live model"):
        sb.report(model)
