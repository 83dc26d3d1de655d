"""Gains of PyTorch, and bounds of variance scaling, give the variances of their formulas."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from seedbed.spec.dtypes import Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import (
    InitializerSpec,
    KaimingNormalSpec,
    KaimingUniformSpec,
    VarianceScalingSpec,
    XavierNormalSpec,
    XavierUniformSpec,
)
from seedbed.spec.tensors import TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from tests.samples import sample
from tests.statistical.checks import (
    Distribution,
    check_distribution_function,
    check_moments,
    check_tails,
    normal,
    uniform,
)

# Linear and convolution as PyTorch lays them out: fans 600 and 400; 5 * 64 = 320 and 5 * 500 =
# 2500.
DENSE, CONVOLUTION = (400, 600), (500, 64, 5)
PYTORCH = FanAxes(in_axis=(1,), out_axis=(0,))
DTYPES = [Dtype.FLOAT32, Dtype.FLOAT64]


@dataclass(frozen=True)
class Case:
    """A tensor and the distribution that its numbers must have."""

    name: str
    initializer: InitializerSpec
    shape: tuple[int, ...]
    distribution: Distribution


def flat(stddev: float) -> Distribution:
    """Return the uniform distribution about 0 of a standard deviation."""
    return uniform(-math.sqrt(3.0) * stddev, math.sqrt(3.0) * stddev)


def cut(stddev: float, lower: float, upper: float) -> Distribution:
    """Return the truncated normal with this standard deviation after the cut, by scipy."""
    return normal(0.0, stddev / float(stats.truncnorm.std(lower, upper)), lower, upper)


def bounded(lower: float, upper: float) -> Case:
    """Return a variance scaling with bounds."""
    spec = VarianceScalingSpec(3.0, "fan_out", "truncated_normal", lower, upper)
    return Case(f"bounds({lower:g}, {upper:g})", spec, DENSE, cut(math.sqrt(3 / 400), lower, upper))


GEO_AVG = 1 / math.sqrt(600 * 400)

CASES = [
    Case("xavier_uniform", XavierUniformSpec(), DENSE, flat(math.sqrt(2 / 1000))),
    Case(
        "xavier_uniform 5/3",
        XavierUniformSpec(5 / 3),
        CONVOLUTION,
        flat(5 / 3 * math.sqrt(2 / 2820)),
    ),
    Case("xavier_normal", XavierNormalSpec(), CONVOLUTION, normal(0.0, math.sqrt(2 / 2820))),
    Case("xavier_normal 0.1", XavierNormalSpec(0.1), DENSE, normal(0.0, 0.1 * math.sqrt(2 / 1000))),
    Case("kaiming_uniform", KaimingUniformSpec(), DENSE, flat(math.sqrt(2 / 600))),
    Case(
        "kaiming_uniform tanh",
        KaimingUniformSpec(0.0, "fan_out", "tanh"),
        DENSE,
        flat(5 / 3 / math.sqrt(400)),
    ),
    Case(
        "kaiming_uniform sqrt(5)",
        KaimingUniformSpec(math.sqrt(5)),
        CONVOLUTION,
        flat(math.sqrt(1 / 3 / 320)),
    ),
    Case("kaiming_normal", KaimingNormalSpec(), CONVOLUTION, normal(0.0, math.sqrt(2 / 320))),
    Case(
        "kaiming_normal relu",
        KaimingNormalSpec(1.0, "fan_out", "relu"),
        DENSE,
        normal(0.0, math.sqrt(2 / 400)),
    ),
    Case(
        "kaiming_normal selu",
        KaimingNormalSpec(0.0, "fan_in", "selu"),
        DENSE,
        normal(0.0, 0.75 / math.sqrt(600)),
    ),
    Case(
        "kaiming_normal linear",
        KaimingNormalSpec(0.0, "fan_in", "linear"),
        DENSE,
        normal(0.0, 1 / math.sqrt(600)),
    ),
    Case(
        "fan_geo_avg",
        VarianceScalingSpec(1.0, "fan_geo_avg", "uniform"),
        DENSE,
        flat(math.sqrt(GEO_AVG)),
    ),
    Case(
        "fan_geo_avg cut",
        VarianceScalingSpec(2.0, "fan_geo_avg"),
        DENSE,
        cut(math.sqrt(2 * GEO_AVG), -2.0, 2.0),
    ),
    bounded(-1.0, 1.0),
    bounded(-3.0, 3.0),
    bounded(-1.0, 3.0),
    bounded(0.5, 1.5),
    bounded(-math.inf, 0.25),
    bounded(3.0, math.inf),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.value)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_numbers_follow_their_distribution(cpu: CpuBackend, case: Case, dtype: Dtype) -> None:
    values = sample(
        cpu, TensorSpec(case.name, case.shape, dtype, case.initializer, seed=7, fan_axes=PYTORCH)
    )
    check_moments(values, case.distribution)
    check_distribution_function(values, case.distribution)
    check_tails(values, case.distribution)


@pytest.mark.parametrize(
    "case", [case for case in CASES if "bounds" in case.name], ids=lambda case: case.name
)
def test_bounds_do_not_change_the_variance(cpu: CpuBackend, case: Case) -> None:
    spec = TensorSpec(
        case.name, case.shape, Dtype.FLOAT64, case.initializer, seed=8, fan_axes=PYTORCH
    )
    # 240,000 numbers: a relative standard error of sqrt((kurtosis - 1) / n), below 0.006 for all of
    # these.
    assert np.var(sample(cpu, spec)) == pytest.approx(3 / 400, rel=0.03)
