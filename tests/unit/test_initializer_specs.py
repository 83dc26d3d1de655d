"""Initializers check their parameters when made, and the dtype when they fill a tensor."""

import dataclasses
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.gains import NONLINEARITIES
from seedbed.spec.initializers import (
    DISTRIBUTIONS,
    INITIALIZERS,
    MODES,
    ConstantSpec,
    FixedScalingSpec,
    IdentitySpec,
    InitializerSpec,
    KaimingNormalSpec,
    KaimingUniformSpec,
    OrthogonalSpec,
    RandomNormalSpec,
    RandomUniformSpec,
    SparseSpec,
    TruncatedNormalSpec,
    VarianceScalingSpec,
    XavierNormalSpec,
    XavierUniformSpec,
    find_initializer,
    parameters,
)
from seedbed_server.kernels.bounds import truncated_stddev
from tests.specs import example

NUMBERS = [
    (spec, field.name)
    for spec in INITIALIZERS.values()
    for field in parameters(spec)
    if field.type is float and spec is not ConstantSpec
]
every_number = pytest.mark.parametrize(
    ("spec", "name"), NUMBERS, ids=[f"{s.field_name()}.{n}" for s, n in NUMBERS]
)
FARTHEST = math.nextafter(4.0, math.inf)


@pytest.mark.parametrize("spec", INITIALIZERS.values(), ids=INITIALIZERS)
def test_a_spec_is_a_frozen_value(spec: type[InitializerSpec]) -> None:
    made = example(spec)
    assert made == example(spec)
    assert hash(made) == hash(example(spec))
    assert not hasattr(made, "__dict__")
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        made.anything = 1  # type: ignore[attr-defined]  # that it fails is the test


@pytest.mark.parametrize("spec", INITIALIZERS.values(), ids=INITIALIZERS)
def test_every_parameter_has_a_description(spec: type[InitializerSpec]) -> None:
    assert all(field.metadata["description"].endswith(".") for field in parameters(spec))


def test_the_catalogue_is_sorted_by_field_name() -> None:
    assert list(INITIALIZERS) == sorted(INITIALIZERS)
    assert [spec.field_name() for spec in INITIALIZERS.values()] == list(INITIALIZERS)


def test_no_name_means_two_initializers() -> None:
    names = [
        n for spec in INITIALIZERS.values() for n in (spec.name(), spec.field_name(), *spec.aliases)
    ]
    assert len(set(names)) == len(names)
    for spec in INITIALIZERS.values():
        assert {
            find_initializer(name) for name in (spec.name(), spec.field_name(), *spec.aliases)
        } == {spec}
    assert find_initializer("no such") is None


@every_number
@pytest.mark.parametrize(
    "value", [3, 3.0, np.float32(3), np.int64(3), np.array(3.0), Fraction(3), Decimal(3)], ids=repr
)
def test_a_parameter_is_any_real_number(spec: Any, name: str, value: Any) -> None:
    arguments = {"maxval": 5.0, "minval": 0.0, "upper": 5.0, "lower": 0.0}
    others = {n: v for n, v in arguments.items() if n in {f.name for f in parameters(spec)}}
    if (spec, name) == (SparseSpec, "sparsity"):
        value = value // 3
    made = getattr(dataclasses.replace(example(spec), **{**others, name: value}), name)
    assert made == value == float(made)
    assert type(made) is float


@every_number
@pytest.mark.parametrize("value", ["3", b"3", None, True, np.True_, 1j, [3.0]], ids=repr)
def test_a_parameter_that_is_no_number_is_a_type_error(spec: Any, name: str, value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=f"`{name}` must be a real number") as caught:
        dataclasses.replace(example(spec), **{name: value})
    assert caught.value.field == name


@every_number
@pytest.mark.parametrize("value", [math.nan, 10**400], ids=["nan", "10**400"])
def test_a_parameter_that_is_no_finite_number_is_a_value_error(
    spec: Any, name: str, value: Any
) -> None:
    with pytest.raises(sb.InvalidValueError, match=f"`{name}` must be a") as caught:
        dataclasses.replace(example(spec), **{name: value})
    assert caught.value.field == name


@every_number
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_only_bounds_may_be_infinite(spec: Any, name: str, value: float) -> None:
    if (name, value) in {("lower", -math.inf), ("upper", math.inf)}:
        assert getattr(dataclasses.replace(example(spec), **{name: value}), name) == value
        return
    with pytest.raises(sb.InvalidValueError, match=f"`{name}` must be"):
        dataclasses.replace(example(spec), **{name: value})


@pytest.mark.parametrize(
    ("spec", "arguments", "field"),
    [
        (RandomNormalSpec, {"stddev": -1e-300}, "stddev"),
        (TruncatedNormalSpec, {"stddev": -1.0}, "stddev"),
        (TruncatedNormalSpec, {"lower": 2.0}, "upper"),
        (TruncatedNormalSpec, {"lower": 3.0, "upper": 2.5}, "upper"),
        (TruncatedNormalSpec, {"lower": FARTHEST, "upper": 9.0}, "lower"),
        (TruncatedNormalSpec, {"lower": -9.0, "upper": -FARTHEST}, "upper"),
        (RandomUniformSpec, {"minval": 1.0, "maxval": 0.5}, "maxval"),
        (RandomUniformSpec, {"minval": 1.0}, "maxval"),
        (RandomUniformSpec, {"minval": -1e308, "maxval": 1e308}, "maxval"),
        (VarianceScalingSpec, {"scale": 0.0}, "scale"),
        (VarianceScalingSpec, {"scale": -2.0}, "scale"),
        (VarianceScalingSpec, {"scale": 1e308}, "scale"),
        (VarianceScalingSpec, {"mode": "fan_all"}, "mode"),
        (VarianceScalingSpec, {"mode": ""}, "mode"),
        (VarianceScalingSpec, {"distribution": "cauchy"}, "distribution"),
        (VarianceScalingSpec, {"lower": 2.0}, "upper"),
        (VarianceScalingSpec, {"lower": FARTHEST, "upper": 9.0}, "lower"),
        (VarianceScalingSpec, {"lower": -9.0, "upper": -FARTHEST}, "upper"),
        (VarianceScalingSpec, {"distribution": "uniform", "lower": -1.0}, "lower"),
        (VarianceScalingSpec, {"distribution": "uniform", "upper": 1.0}, "upper"),
        (VarianceScalingSpec, {"distribution": "untruncated_normal", "lower": -math.inf}, "lower"),
        (VarianceScalingSpec, {"distribution": "untruncated_normal", "upper": math.inf}, "upper"),
        (XavierUniformSpec, {"gain": -1e-300}, "gain"),
        (XavierNormalSpec, {"gain": -1.0}, "gain"),
        (KaimingUniformSpec, {"a": -1e155}, "a"),
        (KaimingNormalSpec, {"a": 1e155}, "a"),
        (KaimingUniformSpec, {"mode": "fan_avg"}, "mode"),
        (KaimingNormalSpec, {"mode": ""}, "mode"),
        (KaimingUniformSpec, {"nonlinearity": "gelu"}, "nonlinearity"),
        (KaimingNormalSpec, {"nonlinearity": "conv4d"}, "nonlinearity"),
        (ConstantSpec, {"value": 2**64}, "value"),
        (ConstantSpec, {"value": -(2**63) - 1}, "value"),
        (ConstantSpec, {"value": math.inf}, "value"),
        (ConstantSpec, {"value": math.nan}, "value"),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_rule_between_parameters_names_the_one_that_breaks_it(
    spec: Any, arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(sb.InvalidValueError, match=f"`{field}` must be") as caught:
        spec(**arguments)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "spec",
    [
        lambda: RandomNormalSpec(stddev=0.0),
        lambda: RandomUniformSpec(0.5, 0.5),
        lambda: RandomUniformSpec(-8e307, 8e307),
        lambda: TruncatedNormalSpec(lower=4.0, upper=4.5),
        lambda: TruncatedNormalSpec(lower=-4.5, upper=-4.0),
        lambda: TruncatedNormalSpec(lower=-math.inf, upper=math.inf),
        lambda: VarianceScalingSpec(scale=5e-324),
        lambda: VarianceScalingSpec(scale=5.9e307),
        lambda: VarianceScalingSpec(lower=4.0, upper=4.5),
        lambda: VarianceScalingSpec(lower=-math.inf, upper=math.inf),
        lambda: VarianceScalingSpec(lower=0.0, upper=5e-324),
        lambda: VarianceScalingSpec(distribution="uniform", lower=-2, upper=2),
        lambda: XavierNormalSpec(gain=0.0),
        lambda: KaimingNormalSpec(a=1.3e154),
        lambda: KaimingNormalSpec(a=-1.3e154),
        lambda: ConstantSpec(2**64 - 1),
        lambda: ConstantSpec(-(2**63)),
    ],
)
def test_the_edges_are_allowed(spec: Any) -> None:
    assert spec() == spec()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "spelling", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"]
)
def test_a_mode_is_taken_in_any_case(mode: str, spelling: Any) -> None:
    assert VarianceScalingSpec(mode=spelling(mode)).mode == mode


@pytest.mark.parametrize(
    ("given", "meant"),
    [*((name, name) for name in DISTRIBUTIONS), ("normal", "truncated_normal")],
    ids=str,
)
@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower", "upper"])
def test_a_distribution_is_taken_in_any_case_and_normal_means_truncated(
    given: str, meant: str, spelling: Any
) -> None:
    # tf_keras lowers it first, then turns "normal" into "truncated_normal".
    assert VarianceScalingSpec(distribution=spelling(given)).distribution == meant


CHOICES = [
    (spec, f.name)
    for spec in INITIALIZERS.values()
    for f in parameters(spec)
    if f.metadata["choices"]
]
every_choice = pytest.mark.parametrize(
    ("spec", "name"), CHOICES, ids=[f"{s.field_name()}.{n}" for s, n in CHOICES]
)


@every_choice
@pytest.mark.parametrize("value", [1, None, b"uniform", ["uniform"]], ids=repr)
def test_a_choice_that_is_no_text_is_a_type_error(spec: Any, name: str, value: Any) -> None:
    if (
        value is None
        and "none" in next(f for f in parameters(spec) if f.name == name).metadata["choices"]
    ):
        assert getattr(spec(**{name: None}), name) is None
        return
    with pytest.raises(sb.InvalidTypeError, match=f"`{name}` must be one of"):
        spec(**{name: value})


@pytest.mark.parametrize("spec", [KaimingUniformSpec, KaimingNormalSpec])
@pytest.mark.parametrize("spelling", [str.lower, str.upper], ids=["lower", "upper"])
def test_a_nonlinearity_is_taken_in_any_case_and_a_convolution_is_linear(
    spec: Any, spelling: Any
) -> None:
    for name in NONLINEARITIES:
        assert spec(nonlinearity=spelling(name)).nonlinearity == name
    for kind in ("conv", "conv_transpose"):
        for rank in (1, 2, 3):
            assert spec(nonlinearity=spelling(f"{kind}{rank}d")).nonlinearity == "linear"


def test_a_fan_mode_of_kaiming_is_taken_in_any_case() -> None:
    # As PyTorch lowers it.
    assert KaimingUniformSpec(mode="FAN_OUT").mode == "fan_out"  # type: ignore[arg-type]


def test_truncation_leaves_more_than_the_part_that_overflow_is_checked_with() -> None:
    bounds = [-math.inf, -14.0, -6.0, *(n / 4 for n in range(-16, 17)), 6.0, 14.0, math.inf]
    narrow = [(n / 2, n / 2 + 2.0**-k) for n in range(-8, 9) for k in (1, 2, 5, 20)]
    allowed = [
        (low, high) for low in bounds for high in bounds if low < high and low <= 4 and high >= -4
    ]
    for low, high in [*allowed, *((low, high) for low, high in narrow if high >= -4)]:
        assert truncated_stddev(low, high) > min(high - low, 1.0) / 8


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (0, 0),
        (True, 1),
        (np.True_, 1),
        (np.int64(7), 7),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.array(7), 7),
        (2**53 + 1, 2**53 + 1),
        (2.5, 2.5),
        (np.float32(0.1), float(np.float32(0.1))),
        (np.array(2.5), 2.5),
        (np.array(2.5, np.float32), 2.5),
        (Fraction(1, 2), 0.5),
    ],
    ids=repr,
)
def test_a_constant_keeps_integers_exact_and_takes_any_real_number(value: Any, kept: float) -> None:
    made = ConstantSpec(value).value
    assert made == kept
    assert type(made) is type(kept)


@pytest.mark.parametrize("value", ["1", None, 1j, [1], np.array([1, 2])], ids=repr)
def test_a_constant_that_is_no_number_is_a_type_error(value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`value` must be"):
        ConstantSpec(value)


F16, BF16, F32, F64, E4M3FN, E5M2 = FLOATING


@pytest.mark.parametrize(
    ("spec", "field", "allowed", "refused"),
    [
        (ConstantSpec(65504.0), "value", (F16, BF16, F32, F64), ()),
        (
            ConstantSpec(65520),
            "value",
            (BF16, F32, F64, Dtype.UINT16, Dtype.INT32),
            (F16, Dtype.INT16, Dtype.BOOL),
        ),
        (ConstantSpec(3.4e38), "value", (F32, F64), (F16, BF16, Dtype.INT64)),
        (ConstantSpec(1e39), "value", (F64,), (F16, BF16, F32, Dtype.UINT64)),
        (ConstantSpec(2.0), "value", (F16, Dtype.INT8, Dtype.UINT64), (Dtype.BOOL,)),
        (
            ConstantSpec(-1),
            "value",
            (F16, Dtype.INT8, Dtype.INT64),
            (Dtype.UINT8, Dtype.UINT64, Dtype.BOOL),
        ),
        (ConstantSpec(2**64 - 1), "value", (Dtype.UINT64, F32), (Dtype.INT64,)),
        (ConstantSpec(2**53 + 1), "value", (Dtype.INT64, F64), (Dtype.INT32,)),
        (IdentitySpec(0.5), "gain", (F16, F64), (Dtype.INT8, Dtype.BOOL)),
        (IdentitySpec(300.0), "gain", (F16, Dtype.INT16), (Dtype.UINT8, Dtype.INT8, Dtype.BOOL)),
        (OrthogonalSpec(-3e4), "gain", (F16, F32), ()),
        (OrthogonalSpec(-5e4), "gain", (BF16, F32), (F16,)),
        (OrthogonalSpec(1e308), "gain", (), (F64,)),
        (RandomUniformSpec(-6e4, 6e4), "maxval", (F16, BF16), ()),
        (RandomUniformSpec(-7e4, 0.0), "minval", (BF16, F32), (F16,)),
        (RandomUniformSpec(-3e38, 3e38), "maxval", (F64,), (F32, BF16)),
        (RandomNormalSpec(7e4, 0.0), "mean", (BF16, F32), (F16,)),
        (RandomNormalSpec(0.0, 6e3), "stddev", (BF16, F32), (F16,)),
        (RandomNormalSpec(0.0, 1e38), "stddev", (F64,), (F16, BF16, F32)),
        (RandomNormalSpec(0.0, 1e308), "stddev", (), (F64,)),
        (TruncatedNormalSpec(0.0, 6e3), "stddev", (BF16, F32), (F16,)),
        (VarianceScalingSpec(1e8), "scale", (BF16, F32), (F16,)),
        (VarianceScalingSpec(1e300), "scale", (F64,), (F16, BF16, F32)),
    ],
    ids=lambda value: repr(value) if isinstance(value, InitializerSpec) else "",
)
def test_a_dtype_must_be_able_to_hold_what_comes_out(
    spec: InitializerSpec, field: str, allowed: tuple[Dtype, ...], refused: tuple[Dtype, ...]
) -> None:
    for dtype in allowed:
        spec.check((2, 2), dtype)
    for dtype in refused:
        with pytest.raises(sb.InvalidValueError, match=f"`{field}` must be") as caught:
            spec.check((2, 2), dtype)
        assert (caught.value.field, caught.value.reason) == (field, "NOT_REPRESENTABLE")


@pytest.mark.parametrize(
    "spec", [s for s in INITIALIZERS.values() if s.random], ids=lambda spec: spec.field_name()
)
def test_random_numbers_come_in_floating_dtypes_only(spec: type[InitializerSpec]) -> None:
    assert spec.dtypes == FLOATING
    for dtype in Dtype:
        if dtype in FLOATING:
            example(spec).check((2, 2), dtype)
            continue
        with pytest.raises(
            sb.InvalidValueError, match=f"`dtype` must be a floating dtype for {spec.name()}"
        ):
            example(spec).check((2, 2), dtype)


def test_the_fixed_scalings_are_variance_scalings() -> None:
    fixed = {s.name(): s.scaling for s in INITIALIZERS.values() if issubclass(s, FixedScalingSpec)}
    assert fixed == {
        "GlorotNormal": VarianceScalingSpec(1.0, "fan_avg", "truncated_normal"),
        "GlorotUniform": VarianceScalingSpec(1.0, "fan_avg", "uniform"),
        "HeNormal": VarianceScalingSpec(2.0, "fan_in", "truncated_normal"),
        "HeUniform": VarianceScalingSpec(2.0, "fan_in", "uniform"),
        "LecunNormal": VarianceScalingSpec(1.0, "fan_in", "truncated_normal"),
        "LecunUniform": VarianceScalingSpec(1.0, "fan_in", "uniform"),
    }
