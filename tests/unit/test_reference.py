"""The service has the bits of an independent, exact implementation of docs/numerics.md."""

import math
import random
import struct
from collections.abc import Sequence

import numpy as np
import pytest

from seedbed.spec.dtypes import Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.initializers import INITIALIZERS
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels.bounds import interval, truncated_stddev
from seedbed_server.sampling.sampler import TensorSource, plan
from tests.reference import floats, normal
from tests.reference.oracle import Tensor, element_bytes, slice_indices

FLOATS = ("float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2")
every_float = pytest.mark.parametrize("dtype", FLOATS)
INF = math.inf
SHAPES = {"delta_orthogonal": (3, 2, 4, 5), "dirac": (3, 4, 5), "stft": (9, 1, 13)}
"""Those that do not fill a matrix."""


def sampled(backend: CpuBackend, tensor: Tensor, part: TensorSlice | None = None) -> bytes:
    """Return what the service makes of the same tensor."""
    spec = TensorSpec(
        name=tensor.name,
        shape=tensor.shape,
        dtype=Dtype(tensor.dtype),
        initializer=INITIALIZERS[tensor.initializer](**tensor.parameters),
        seed=tensor.seed,
        draw=tensor.draw,
        fan_axes=FanAxes(**{k: tuple(v) for k, v in tensor.fan_axes.items()})
        if tensor.fan_axes
        else None,
    )
    request = TensorRequest(spec, part)
    out = np.empty(request.size_bytes, np.uint8)
    TensorSource(plan(request), backend).fill(0, out)
    return out.tobytes()


def assert_equal(backend: CpuBackend, tensor: Tensor, part: TensorSlice | None = None) -> None:
    """Compare all bytes of a tensor, or of a slice of it."""
    if part is None:
        indices: Sequence[int] = range(math.prod(tensor.shape))
    else:
        indices = slice_indices(tensor.shape, part.starts, part.lengths)
    assert sampled(backend, tensor, part) == element_bytes(tensor, indices)


@every_float
@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_every_initializer_agrees(cpu: CpuBackend, initializer: str, dtype: str) -> None:
    shape, parameters = (
        SHAPES.get(initializer, (9, 13)),
        {"sparsity": 0.4} if initializer == "sparse" else {},
    )
    assert_equal(cpu, Tensor(initializer, dtype, shape, parameters, seed=20, name="layer/kernel"))


@every_float
@pytest.mark.parametrize("initializer", ["random_uniform", "random_normal", "truncated_normal"])
@pytest.mark.parametrize(
    "identity",
    [
        (-1, 0, "w"),
        (-(2**63), 1, "w"),
        (2**64 - 1, 0, "w"),
        (2**63, 2**64 - 1, "重み/ü/🌱"),
        (7, 2**32, "\0"),
        (7, 3, "é" * 512),
    ],
    ids=["minus one", "smallest", "largest", "unicode", "zero byte", "longest name"],
)
def test_odd_seeds_draws_and_names_agree(
    cpu: CpuBackend, initializer: str, dtype: str, identity: tuple[int, int, str]
) -> None:
    seed, draw, name = identity
    assert_equal(cpu, Tensor(initializer, dtype, (11,), seed=seed, draw=draw, name=name))


@every_float
@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-2.0, 2.0),
        (-INF, INF),
        (0.0, INF),
        (-INF, 0.0),
        (-1.0, 3.0),
        (-4.5, 0.3),
        (0.5, 0.75),
        (4.0, INF),
        (-INF, -4.0),
        (3.9, 4.1),
        (-0.01, 0.02),
        (0.1, 0.1 + 1e-13),
        (1.0, math.nextafter(1.0, 2.0)),
        (-8.5, 13.0),
        (-13.0, INF),
        (-1e-40, 2e-30),
    ],
)
def test_truncated_bounds_of_all_kinds_agree(
    cpu: CpuBackend, dtype: str, lower: float, upper: float
) -> None:
    parameters = {"mean": -0.75, "stddev": 1.5, "lower": lower, "upper": upper}
    assert_equal(cpu, Tensor("truncated_normal", dtype, (40,), parameters, seed=31, name="t"))


@every_float
@pytest.mark.parametrize(
    ("initializer", "parameters"),
    [
        ("random_uniform", {"minval": 0.0, "maxval": 1.0}),
        ("random_uniform", {"minval": -400.0, "maxval": 1e-3}),
        ("random_uniform", {"minval": 0.25, "maxval": 0.25}),
        ("random_uniform", {"minval": 1.0, "maxval": 1.00000012}),
        ("random_uniform", {"minval": -1e-7, "maxval": 0.0}),
        ("random_uniform", {"minval": -0.0, "maxval": 0.0}),
        ("random_normal", {"mean": 400.0, "stddev": 1e-3}),
        ("random_normal", {"mean": -0.0, "stddev": 0.0}),
        ("random_normal", {"mean": 0.0, "stddev": 1e-7}),
        ("random_normal", {"mean": 0.0, "stddev": 3e-39}),
        ("constant", {"value": 0.1}),
        ("constant", {"value": -0.0}),
        ("constant", {"value": 3.1e-8}),
        ("constant", {"value": 1.01171875}),
        ("constant", {"value": 460}),
        ("variance_scaling", {"scale": 1e-30, "mode": "fan_out", "distribution": "uniform"}),
    ],
)
def test_extreme_parameters_agree(
    cpu: CpuBackend, dtype: str, initializer: str, parameters: dict[str, float | str]
) -> None:
    assert_equal(cpu, Tensor(initializer, dtype, (5, 9), parameters, seed=5))


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2"])
@pytest.mark.parametrize("stddev", [200.0, 4e4, 3e37], ids=repr)
def test_8_bit_numbers_that_saturate_agree(cpu: CpuBackend, dtype: str, stddev: float) -> None:
    assert_equal(cpu, Tensor("random_normal", dtype, (60,), {"stddev": stddev}, seed=5))


@every_float
@pytest.mark.parametrize(
    ("initializer", "parameters"),
    [
        ("random_uniform", {"minval": -3e4, "maxval": 1e-3}),
        ("random_normal", {"mean": 1000.0, "stddev": 1e-3}),
        ("constant", {"value": 55_000}),
    ],
)
def test_numbers_beyond_the_range_of_float8_e4m3fn_agree(
    cpu: CpuBackend, dtype: str, initializer: str, parameters: dict[str, float | str]
) -> None:
    tensor = Tensor(initializer, dtype, (5, 9), parameters, seed=5)
    if dtype == "float8_e4m3fn":
        with pytest.raises(
            ValueError, match=r"must be (representable in|small enough for) float8_e4m3fn"
        ):
            sampled(cpu, tensor)
    else:
        assert_equal(cpu, tensor)


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        ("float64", 2**53 + 1),
        ("float32", 2**60 + 2**36 + 1),
        ("bfloat16", 2**60 + 2**52 + 1),
        ("int64", -(2**63)),
        ("uint64", 2**64 - 1),
        ("int8", -128),
        ("bool", True),
    ],
)
def test_integer_constants_agree(cpu: CpuBackend, dtype: str, value: int) -> None:
    assert_equal(cpu, Tensor("constant", dtype, (3,), {"value": value}))


@pytest.mark.parametrize("dtype", [dtype.value for dtype in Dtype])
@pytest.mark.parametrize("initializer", ["zeros", "ones", "constant", "identity"])
def test_constants_agree_in_every_dtype(cpu: CpuBackend, initializer: str, dtype: str) -> None:
    assert_equal(cpu, Tensor(initializer, dtype, (4, 7)))


@pytest.mark.parametrize("mode", ["fan_in", "fan_out", "fan_avg", "fan_geo_avg"])
@pytest.mark.parametrize("distribution", ["uniform", "truncated_normal", "untruncated_normal"])
@pytest.mark.parametrize(
    "shape", [(), (6,), (5, 3), (2, 3, 5, 7)], ids=["scalar", "vector", "matrix", "convolution"]
)
def test_variance_scaling_agrees(
    cpu: CpuBackend, shape: tuple[int, ...], mode: str, distribution: str
) -> None:
    parameters: dict[str, float | str] = {"scale": 0.3, "mode": mode, "distribution": distribution}
    for dtype in ("float32", "float64"):
        tensor = Tensor("variance_scaling", dtype, shape, parameters, seed=12)
        assert sampled(cpu, tensor)[:40] == element_bytes(tensor, range(math.prod(shape)))[:40]


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-1.0, 3.0),
        (-3.0, 3.0),
        (-2.0, INF),
        (-INF, INF),
        (-20.0, 1e300),
        (4.0, INF),
        (-4.5, -4.0),
        (0.1, 0.1 + 1e-13),
        (-1e-30, 3e-32),
    ],
)
def test_variance_scaling_with_bounds_agrees(cpu: CpuBackend, lower: float, upper: float) -> None:
    parameters: dict[str, float | str] = {"scale": 1e-9, "lower": lower, "upper": upper}
    for dtype in ("bfloat16", "float32", "float64"):
        assert_equal(cpu, Tensor("variance_scaling", dtype, (4, 5), parameters, seed=12))


@every_float
@pytest.mark.parametrize("gain", [0.0, -0.0, 0.3, 5 / 3], ids=repr)
@pytest.mark.parametrize("initializer", ["xavier_uniform", "xavier_normal"])
def test_xavier_agrees(cpu: CpuBackend, initializer: str, gain: float, dtype: str) -> None:
    for shape in ((), (6,), (5, 3), (2, 3, 5, 2)):
        assert_equal(cpu, Tensor(initializer, dtype, shape, {"gain": gain}, seed=12))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("a", "nonlinearity"),
    [
        (0.0, "leaky_relu"),
        (0.01, "leaky_relu"),
        (-3.5, "leaky_relu"),
        (1e100, "leaky_relu"),
        (7.0, "relu"),
        (7.0, "linear"),
        (0.0, "sigmoid"),
        (0.0, "tanh"),
        (0.0, "selu"),
    ],
)
@pytest.mark.parametrize("initializer", ["kaiming_uniform", "kaiming_normal"])
def test_kaiming_agrees(
    cpu: CpuBackend, initializer: str, a: float, nonlinearity: str, dtype: str
) -> None:
    for mode, shape in (("fan_in", ()), ("fan_out", (5, 3)), ("fan_in", (2, 3, 5, 2))):
        parameters: dict[str, float | str] = {"a": a, "mode": mode, "nonlinearity": nonlinearity}
        assert_equal(cpu, Tensor(initializer, dtype, shape, parameters, seed=12))


@pytest.mark.parametrize(
    "fan_axes",
    [
        {"in_axis": [1], "out_axis": [0], "batch_axis": []},
        {"in_axis": [-2], "out_axis": [-1], "batch_axis": [0]},
        {"in_axis": [0], "out_axis": [1, 2], "batch_axis": []},
        {"in_axis": [], "out_axis": [2], "batch_axis": []},
    ],
    ids=["pytorch", "experts", "heads", "no inputs"],
)
@pytest.mark.parametrize(
    "initializer",
    ["glorot_uniform", "he_normal", "lecun_normal", "xavier_normal", "kaiming_uniform"],
)
def test_named_fan_axes_agree(
    cpu: CpuBackend, initializer: str, fan_axes: dict[str, list[int]]
) -> None:
    assert_equal(cpu, Tensor(initializer, "float32", (3, 4, 2), seed=3, fan_axes=fan_axes))


@every_float
@pytest.mark.parametrize(
    "initializer", ["glorot_uniform", "he_normal", "random_normal", "identity"]
)
def test_slices_of_huge_tensors_agree(cpu: CpuBackend, initializer: str, dtype: str) -> None:
    numbers = random.Random(f"{initializer} {dtype}")
    for rows in (2**36, 2**48, 2**57):
        columns = numbers.randrange(3, 8)
        start = (
            numbers.randrange(2**34, rows - 9)
            if initializer != "identity"
            else numbers.randrange(columns)
        )
        part = TensorSlice((start, 1), (numbers.randrange(1, 9), columns - 1))
        assert_equal(cpu, Tensor(initializer, dtype, (rows, columns), seed=rows, name="huge"), part)


@every_float
def test_random_elements_of_random_tensors_agree(cpu: CpuBackend, dtype: str) -> None:
    numbers = random.Random(dtype)
    for initializer in ("random_uniform", "random_normal", "truncated_normal", "glorot_uniform"):
        tensor = Tensor(
            initializer, dtype, (2**59,), seed=numbers.getrandbits(64), draw=numbers.getrandbits(64)
        )
        for _ in range(60):
            start = numbers.getrandbits(numbers.randrange(1, 59))
            assert_equal(cpu, tensor, TensorSlice((start,), (1,)))


@every_float
@pytest.mark.parametrize(
    ("shape", "gain"),
    [
        ((1, 1), 1.0),
        ((6, 6), 1.0),
        ((9, 5), -1.4),
        ((5, 9), 0.3),
        ((2, 2, 3, 5), 2.0),
        ((1, 4), 1.0),
        ((4, 1), 0.0),
    ],
)
def test_orthogonal_matrices_agree(
    cpu: CpuBackend, dtype: str, shape: tuple[int, ...], gain: float
) -> None:
    assert_equal(cpu, Tensor("orthogonal", dtype, shape, {"gain": gain}, seed=8, name="q"))


@every_float
def test_an_orthogonal_matrix_of_two_panels_agrees(cpu: CpuBackend, dtype: str) -> None:
    # The same seed and name as in the golden file: the reference takes seconds, and keeps it.
    assert_equal(cpu, Tensor("orthogonal", dtype, (70, 66), seed=1, name="dense/kernel"))


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-2.0, 2.0),
        (-INF, INF),
        (-1.0, 3.0),
        (4.0, INF),
        (-INF, -4.0),
        (0.1, 0.2),
        (-13.9, 2.0),
        (-1e-12, 3e-12),
    ],
)
def test_intervals_agree(lower: float, upper: float, bits: int) -> None:
    ours, theirs = interval(lower, upper, bits), normal.interval(lower, upper, bits)
    assert [getattr(ours, name) for name in theirs.__slots__] == [
        getattr(theirs, name) for name in theirs.__slots__
    ]


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-15.0, INF),
        (-16.0, 3.0),
        (-20.0, INF),
        (-1e300, 1e300),
        (0.0, 5e-324),
        (-1e-70, 1e-70),
        (-5e-324, 5e-324),
    ],
)
def test_bounds_very_far_out_or_very_close_agree(
    cpu: CpuBackend, lower: float, upper: float
) -> None:
    for dtype in FLOATS:
        parameters = {"mean": 0.0, "stddev": 1.0, "lower": lower, "upper": upper}
        assert_equal(cpu, Tensor("truncated_normal", dtype, (5,), parameters))


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        (-2.0, 2.0),
        (-INF, INF),
        (-1.0, 3.0),
        (3.9, INF),
        (4.0, math.nextafter(4.0, 5.0)),
        (-13.9, 2.0),
        (0.0, 1e-300),
    ],
)
def test_what_truncation_leaves_of_a_standard_deviation_agrees(lower: float, upper: float) -> None:
    assert truncated_stddev(lower, upper) == normal.truncated_stddev(lower, upper)
    assert truncated_stddev(-upper, -lower) == truncated_stddev(lower, upper)


def test_the_reference_rounds_as_the_machine_does() -> None:
    numbers = random.Random(1)
    for _ in range(300):
        a, b = (struct.unpack("<d", numbers.randbytes(8))[0] for _ in range(2))
        if not (math.isfinite(a * b) and math.isfinite(a) and b and math.isfinite(a / b)):
            continue
        assert floats.multiply(a, b, floats.FLOAT64) == a * b
        assert floats.divide(a, b, floats.FLOAT64) == a / b
        assert floats.add(a, b, floats.FLOAT64) == a + b
        assert floats.square_root(abs(a), floats.FLOAT64) == math.sqrt(abs(a))
        for form, code in ((floats.FLOAT32, "<f"), (floats.FLOAT16, "<e")):
            narrow = floats.round_to(
                a * 2.0 ** -(math.frexp(a)[1] + numbers.randrange(-14, 26)), form
            )
            assert (
                struct.unpack(code, floats.encode(narrow, form).to_bytes(form.bits // 8, "little"))[
                    0
                ]
                == narrow
            )
