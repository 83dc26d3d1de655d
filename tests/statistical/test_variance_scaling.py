"""The variance-scaling family has variance scale / fan, and the limits that follow from it."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.spec.dtypes import Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    GlorotNormalSpec,
    GlorotUniformSpec,
    HeNormalSpec,
    HeUniformSpec,
    InitializerSpec,
    LecunNormalSpec,
    LecunUniformSpec,
    VarianceScalingSpec,
)
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.backends.rules import Normal, Uniform
from seedbed_server.sampling.derivation import element_rule
from tests.elements import values_of_words
from tests.samples import sample
from tests.statistical.checks import (
    ALPHA,
    Distribution,
    check_distribution_function,
    check_moments,
    check_tails,
    normal,
    uniform,
)

DENSE, CONVOLUTION = (400, 600), (3, 5, 96, 128)
DTYPES = [Dtype.FLOAT32, Dtype.FLOAT64]
# sqrt of the variance of a standard normal number between -2 and 2: 1 - 4 * pdf(2) / (cdf(2) -
# cdf(-2)).
STDDEV_WITHIN_2 = math.sqrt(
    1 - 4 * math.exp(-2.0) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2.0))
)


@dataclass(frozen=True)
class Case:
    """A tensor, its variance by hand, and the shape of its distribution."""

    initializer: InitializerSpec
    shape: tuple[int, ...]
    variance: float
    kind: str
    fan_axes: FanAxes | None = None

    @property
    def limit(self) -> float:
        """The largest magnitude."""
        stddev = math.sqrt(self.variance)
        return (
            stddev
            * {"uniform": math.sqrt(3.0), "truncated": 2 / STDDEV_WITHIN_2, "normal": math.inf}[
                self.kind
            ]
        )

    @property
    def distribution(self) -> Distribution:
        """What the numbers follow."""
        stddev = math.sqrt(self.variance)
        if self.kind == "uniform":
            return uniform(-self.limit, self.limit)
        return (
            normal(0.0, stddev / STDDEV_WITHIN_2, -2.0, 2.0)
            if self.kind == "truncated"
            else normal(0.0, stddev)
        )

    def spec(self, dtype: Dtype) -> TensorSpec:
        """Return the tensor in a dtype."""
        return TensorSpec(
            "scaled", self.shape, dtype, self.initializer, seed=7, fan_axes=self.fan_axes
        )


# Keras: (400, 600) has fans 400 and 600; (3, 5, 96, 128) has 15 * 96 = 1440 and 15 * 128 = 1920.
CASES = [
    Case(GlorotUniformSpec(), DENSE, 1 / 500, "uniform"),
    Case(GlorotNormalSpec(), DENSE, 1 / 500, "truncated"),
    Case(HeUniformSpec(), DENSE, 2 / 400, "uniform"),
    Case(HeNormalSpec(), DENSE, 2 / 400, "truncated"),
    Case(LecunUniformSpec(), DENSE, 1 / 400, "uniform"),
    Case(LecunNormalSpec(), DENSE, 1 / 400, "truncated"),
    Case(GlorotUniformSpec(), CONVOLUTION, 1 / 1680, "uniform"),
    Case(HeNormalSpec(), CONVOLUTION, 2 / 1440, "truncated"),
    Case(VarianceScalingSpec(3.0, "fan_out", "uniform"), CONVOLUTION, 3 / 1920, "uniform"),
    Case(VarianceScalingSpec(0.5, "fan_out", "truncated_normal"), DENSE, 0.5 / 600, "truncated"),
    Case(
        VarianceScalingSpec(2.5, "fan_avg", "untruncated_normal"), CONVOLUTION, 2.5 / 1680, "normal"
    ),
    Case(
        VarianceScalingSpec(1.0, "fan_in", "untruncated_normal"), (200_000,), 1 / 200_000, "normal"
    ),
    Case(HeNormalSpec(), DENSE, 2 / 600, "truncated", FanAxes(in_axis=(1,), out_axis=(0,))),
    Case(HeUniformSpec(), (8, 150, 200), 2 / 150, "uniform", FanAxes(batch_axis=(0,))),
]


def extremes(spec: TensorSpec) -> NDArray[Any]:
    """Return what the smallest and the largest word become."""
    word: Any = np.uint64 if spec.dtype is Dtype.FLOAT64 else np.uint32
    words = np.array([0, np.iinfo(word).max], word)
    rule = element_rule(spec)
    assert isinstance(rule, (Uniform, Normal))
    return values_of_words(rule, spec.dtype, words)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.initializer.name()}-{case.kind}-{len(case.shape)}d"
)
def test_the_variance_is_scale_over_fan(cpu: CpuBackend, case: Case, dtype: Dtype) -> None:
    values = sample(cpu, case.spec(dtype))
    check_moments(values, case.distribution)
    check_distribution_function(values, case.distribution)
    check_tails(values, case.distribution)


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.kind != "normal"],
    ids=lambda case: f"{case.initializer.name()}-{len(case.shape)}d",
)
def test_the_limit_is_reached_and_not_exceeded(cpu: CpuBackend, case: Case, dtype: Dtype) -> None:
    values = sample(cpu, case.spec(dtype)).astype(np.float64)
    lowest, highest = extremes(case.spec(dtype)).astype(np.float64)
    unit = float(np.spacing(dtype.rounded(case.limit)))
    assert lowest == pytest.approx(-case.limit, abs=unit)
    # The last uniform step below the limit is worth up to 2 units, rounding it and its ends 1 each.
    assert highest == pytest.approx(case.limit, abs=4 * unit)
    assert lowest <= values.min()
    assert values.max() <= highest
    # The probability that none of n numbers comes as close as the quantile of ln(1/ALPHA) / n is
    # ALPHA.
    near = -math.log(ALPHA) / values.size
    assert values.min() < case.distribution.exact.ppf(near)
    assert values.max() > case.distribution.exact.isf(near)


def test_a_uniform_number_never_reaches_its_upper_end(cpu: CpuBackend) -> None:
    for dtype in DTYPES:
        spec = TensorSpec("scaled", DENSE, dtype, GlorotUniformSpec(), seed=7)
        rule = element_rule(spec)
        assert isinstance(rule, Uniform)
        lowest, highest = extremes(spec)
        assert lowest == dtype.rounded(rule.minval)
        assert highest < dtype.rounded(rule.maxval)
