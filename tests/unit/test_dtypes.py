"""Every spelling of a dtype is understood, and its limits and roundings are those of IEEE 754."""

import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.dtypes import FLOATING, LARGEST, Dtype, as_dtype


class Printed:
    """A dtype object that is known by how it prints, as torch's and MLX's are."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


class Named:
    """A dtype object with a name, as TensorFlow's are."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"tf.{self.name}"


every_dtype = pytest.mark.parametrize("dtype", Dtype, ids=lambda dtype: dtype.value)


@every_dtype
def test_a_dtype_is_known_by_every_librarys_object(dtype: Dtype) -> None:
    name = dtype.value
    spellings = [
        dtype,
        name,
        dtype.numpy,
        dtype.numpy.type,
        np.zeros(1, dtype.numpy).dtype,
        Named(name),
        Printed(f"torch.{name}"),
        type(name, (), {}),  # jax.numpy.float32 and its like are classes
    ]
    assert [as_dtype(spelling) for spelling in spellings] == [dtype] * len(spellings)


@every_dtype
def test_a_dtype_of_mlx_is_known(dtype: Dtype) -> None:
    # It has no name, only a representation: "mlx.core.float32".
    assert as_dtype(Printed(f"mlx.core.{dtype.value}")) is dtype


@pytest.mark.parametrize(
    ("spelling", "dtype"),
    [
        ("bool_", Dtype.BOOL),
        ("torch.float16", Dtype.FLOAT16),
        ("torch.bfloat16", Dtype.BFLOAT16),
        ("jnp.float32", Dtype.FLOAT32),
        (float, Dtype.FLOAT64),
        (int, Dtype.INT64),
        (bool, Dtype.BOOL),
        (np.float64, Dtype.FLOAT64),
        (np.bool_, Dtype.BOOL),
        (np.longlong, Dtype.INT64),
        (np.dtype(np.longlong), Dtype.INT64),
        (np.dtype("<f4"), Dtype.FLOAT32),
        (np.dtype(">i1"), Dtype.INT8),
        (ml_dtypes.bfloat16, Dtype.BFLOAT16),
        (np.dtype(ml_dtypes.bfloat16), Dtype.BFLOAT16),
        (Printed("torch.float16"), Dtype.FLOAT16),
        (Printed("torch.bool"), Dtype.BOOL),
        (Printed("torch.float8_e4m3fn"), Dtype.FLOAT8_E4M3FN),
        (ml_dtypes.float8_e5m2, Dtype.FLOAT8_E5M2),
        (np.dtype(ml_dtypes.float8_e5m2), Dtype.FLOAT8_E5M2),
    ],
    ids=str,
)
def test_other_spellings(spelling: object, dtype: Dtype) -> None:
    assert as_dtype(spelling) is dtype


@pytest.mark.parametrize(
    "value",
    [
        "",
        "float8",
        "Float32",
        "f4",
        "complex64",
        "float128",
        complex,
        str,
        np.complex128,
        np.dtype("complex64"),
        np.dtype(">f4"),
        np.dtype([("a", "f4")]),
        ml_dtypes.float8_e4m3,
        ml_dtypes.float8_e5m2fnuz,
        Printed("torch.float8_e4m3fnuz"),
        Printed("torch.complex64"),
        Named("string"),
    ],
    ids=str,
)
def test_a_dtype_that_we_do_not_have_is_a_value_error(value: object) -> None:
    with pytest.raises(
        ValueError, match=r"`dtype` must be one of float16, .*, bool\. Received: "
    ) as caught:
        as_dtype(value)
    assert isinstance(caught.value, sb.InvalidValueError)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bf16", "bfloat16"),
        ("BFloat16", "bfloat16"),
        ("fp16", "float16"),
        ("half", "float16"),
        ("torch.half", "float16"),
        ("f4", "float32"),
        ("fp32", "float32"),
        ("float", "float32"),
        ("Float32", "float32"),
        ("double", "float64"),
        ("float128", "float64"),
        ("e4m3", "float8_e4m3fn"),
        ("fp8", "float8_e4m3fn"),
        ("float8_e5m2fnuz", "float8_e5m2"),
        ("boolean", "bool"),
        ("long", "int64"),
    ],
)
def test_another_name_of_a_dtype_is_refused_with_ours(name: str, meant: str) -> None:
    with pytest.raises(sb.InvalidValueError, match=rf"; did you mean '{meant}'\?$"):
        as_dtype(name)


@pytest.mark.parametrize("name", ["", "complex64", "string", "quantized"])
def test_a_dtype_that_is_near_to_none_gets_no_suggestion(name: str) -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        as_dtype(name)
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [None, 4, 4.0, True, b"float32", [], ("float32",), Named(4), Printed("float32")],
    ids=repr,
)
def test_what_is_no_dtype_is_a_type_error(value: object) -> None:
    with pytest.raises(TypeError, match="`kind` must be one of float16") as caught:
        as_dtype(value, field="kind")
    assert isinstance(caught.value, sb.InvalidTypeError)
    assert caught.value.field == "kind"


@every_dtype
def test_size_and_kind_are_numpys(dtype: Dtype) -> None:
    array = np.zeros(1, dtype.numpy)
    assert dtype.itemsize == array.itemsize
    assert dtype.numpy.name == dtype.value
    assert dtype.is_floating == (dtype in FLOATING) == ("float" in dtype.value)


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
def test_the_largest_value_is_that_of_the_type(dtype: Dtype) -> None:
    finfo: Any = ml_dtypes.finfo
    largest = float(finfo(dtype.numpy).max)
    assert dtype.largest == LARGEST[dtype] == largest
    assert float(dtype.rounded(largest)) == largest


# The first number that overflows: half a unit above the largest, where ties go to the even
# neighbour, infinity. That neighbour of float8_e4m3fn's 448 is a NaN with an odd significand: the
# tie, 464, still belongs to 448.
@pytest.mark.parametrize(
    ("dtype", "first_too_large"),
    [
        (Dtype.FLOAT16, 65520.0),
        (Dtype.BFLOAT16, (2 - 2.0**-8) * 2.0**127),
        (Dtype.FLOAT32, (2 - 2.0**-24) * 2.0**127),
        (Dtype.FLOAT64, math.inf),
        (Dtype.FLOAT8_E4M3FN, float(np.nextafter(np.float32(464), np.float32(500)))),
        (Dtype.FLOAT8_E5M2, 61440.0),
    ],
    ids=lambda value: getattr(value, "value", ""),
)
def test_a_number_overflows_from_half_a_unit_above_the_largest(
    dtype: Dtype, first_too_large: float
) -> None:
    # One float32 below for the narrower types, which are rounded by way of float32.
    step: Any = np.float64 if dtype in (Dtype.FLOAT32, Dtype.FLOAT64) else np.float32
    below = float(np.nextafter(step(first_too_large), step(0)))
    for sign in (1, -1):
        assert float(dtype.rounded(sign * below)) == sign * dtype.largest
        assert dtype.holds(sign * below)
        overflown = float(dtype.rounded(sign * first_too_large))
        assert (
            math.isnan(overflown) if dtype is Dtype.FLOAT8_E4M3FN else overflown == sign * math.inf
        )
        assert not dtype.holds(sign * first_too_large)


@pytest.mark.parametrize(
    ("dtype", "value", "rounded"),
    [
        (Dtype.FLOAT16, 1 + 2.0**-11, 1.0),
        (Dtype.FLOAT16, 1 + 3 * 2.0**-11, 1 + 2.0**-9),
        # To nearest at once this would be 1 + 2**-10; float32 loses the last bit first, and the tie
        # goes to even.
        (Dtype.FLOAT16, 1 + 2.0**-11 + 2.0**-30, 1.0),
        (Dtype.FLOAT16, 2.0**-24, 2.0**-24),
        (Dtype.FLOAT16, 2.0**-25, 0.0),
        (Dtype.FLOAT16, 1.5 * 2.0**-25, 2.0**-24),
        (Dtype.BFLOAT16, 1 + 2.0**-8, 1.0),
        (Dtype.BFLOAT16, 1 + 3 * 2.0**-8, 1 + 2.0**-6),
        (Dtype.BFLOAT16, 1 + 2.0**-8 + 2.0**-30, 1.0),
        (Dtype.BFLOAT16, 2.0**-133, 2.0**-133),
        (Dtype.FLOAT8_E4M3FN, 1 + 2.0**-4, 1.0),
        (Dtype.FLOAT8_E4M3FN, 1 + 3 * 2.0**-4, 1.25),
        (Dtype.FLOAT8_E4M3FN, 1 + 2.0**-4 + 2.0**-30, 1.0),
        (Dtype.FLOAT8_E4M3FN, 2.0**-9, 2.0**-9),
        (Dtype.FLOAT8_E4M3FN, 2.0**-10, 0.0),
        (Dtype.FLOAT8_E4M3FN, 1.5 * 2.0**-10, 2.0**-9),
        (Dtype.FLOAT8_E5M2, 1 + 2.0**-3, 1.0),
        (Dtype.FLOAT8_E5M2, 1 + 3 * 2.0**-3, 1.5),
        (Dtype.FLOAT8_E5M2, 1 + 2.0**-3 + 2.0**-30, 1.0),
        (Dtype.FLOAT8_E5M2, 2.0**-16, 2.0**-16),
        (Dtype.FLOAT8_E5M2, 2.0**-17, 0.0),
        (Dtype.FLOAT8_E5M2, 1.5 * 2.0**-17, 2.0**-16),
        (Dtype.FLOAT32, 1 + 2.0**-24, 1.0),
        (Dtype.FLOAT32, 1 + 3 * 2.0**-24, 1 + 2.0**-22),
        (Dtype.FLOAT32, 2.0**-149, 2.0**-149),
        (Dtype.FLOAT64, 2.7, 2.7),
        (Dtype.FLOAT64, 5e-324, 5e-324),
    ],
    ids=lambda value: getattr(value, "value", repr(value)),
)
def test_rounding_is_to_nearest_even_and_narrow_types_go_by_way_of_float32(
    dtype: Dtype, value: float, rounded: float
) -> None:
    assert float(dtype.rounded(value)) == rounded
    assert float(dtype.rounded(-value)) == -rounded
    assert dtype.rounded(value).dtype == dtype.numpy


@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
def test_the_sign_of_a_zero_is_kept(dtype: Dtype) -> None:
    assert math.copysign(1, float(dtype.rounded(-0.0))) == -1


@pytest.mark.parametrize(
    "dtype", [d for d in Dtype if d not in FLOATING and d is not Dtype.BOOL], ids=lambda d: d.value
)
def test_an_integer_type_holds_whole_numbers_in_its_range(dtype: Dtype) -> None:
    limits: Any = np.iinfo(dtype.value)
    low, high = int(limits.min), int(limits.max)
    assert all(dtype.holds(value) for value in (low, 0, 1, 1.0, 100.0, high))
    assert not any(
        dtype.holds(value) for value in (low - 1, high + 1, 0.5, 2.7, math.inf, -math.inf, math.nan)
    )


def test_bool_holds_zero_and_one() -> None:
    assert all(Dtype.BOOL.holds(value) for value in (0, 1, 0.0, 1.0, -0.0))
    assert not any(Dtype.BOOL.holds(value) for value in (2, -1, 0.5, math.nan))
