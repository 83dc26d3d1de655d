"""Tensors with structure have the reference's bits; wrong shapes and parameters are named."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import seedbed as sb
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.fans import FanAxes
from seedbed.spec.info import Limits
from seedbed.spec.initializers import WINDOWS, InitializerSpec
from seedbed.spec.slices import TensorSlice
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.cpu import CpuBackend
from seedbed_server.kernels.keys import Key, derive_second_key
from seedbed_server.sampling.lookups import sparse
from seedbed_server.sampling.sampler import TensorSource, plan
from seedbed_server.service.validation import check_sizes
from tests.reference.document import DOCUMENT
from tests.reference.oracle import Tensor, element_bytes, slice_indices
from tests.samples import sample

TORCH = FanAxes(in_axis=1, out_axis=0)
EXPERTS = FanAxes((), (), 0)
LAST = FanAxes((), (), -1)

# Initializer, shape, axes, a slice.
TENSORS: list[tuple[sb.Initializer, tuple[int, ...], FanAxes | None, TensorSlice]] = [
    (sb.Identity(-0.5), (3, 4, 5), EXPERTS, TensorSlice((1, 0, 1), (2, 3, 3))),
    (
        sb.Identity(2.0),
        (4, 3, 2, 5),
        FanAxes((), (), (1, 2)),
        TensorSlice((1, 0, 0, 0), (3, 2, 2, 4)),
    ),
    (sb.Dirac(), (3, 4, 6), None, TensorSlice((1, 0, 2), (2, 4, 3))),
    (sb.Dirac(3), (6, 4, 3, 2), TORCH, TensorSlice((2, 0, 1, 0), (4, 3, 2, 2))),
    (sb.Dirac(2), (2, 2, 3, 1, 8), None, TensorSlice((0, 1, 0, 0, 3), (2, 1, 3, 1, 5))),
    (sb.Dirac(2), (3, 2, 3, 4), FanAxes(-2, -1, 1), TensorSlice((0, 1, 1, 0), (3, 1, 2, 4))),
    (sb.Orthogonal(1.5, seed=3), (3, 7, 4), EXPERTS, TensorSlice((1, 2, 1), (2, 4, 2))),
    (sb.Orthogonal(seed=3), (3, 4, 7), EXPERTS, TensorSlice((0, 1, 1), (3, 2, 5))),
    (sb.Orthogonal(seed=3), (4, 5, 3), LAST, TensorSlice((1, 0, 1), (3, 4, 2))),
    (
        sb.Orthogonal(seed=3),
        (2, 3, 2, 5),
        FanAxes((), (), (0, 2)),
        TensorSlice((0, 1, 1, 0), (2, 2, 1, 4)),
    ),
    (sb.Orthogonal(seed=3, blocks=3), (6, 15), None, TensorSlice((1, 3), (4, 9))),
    (sb.Orthogonal(seed=3, blocks=3, block_axis=0), (15, 6), None, TensorSlice((3, 1), (9, 4))),
    (
        sb.Orthogonal(seed=3, blocks=2, block_axis=1),
        (2, 6, 3),
        None,
        TensorSlice((0, 2, 0), (2, 3, 3)),
    ),
    (sb.Orthogonal(seed=3, blocks=2), (2, 5, 8), EXPERTS, TensorSlice((1, 0, 3), (1, 5, 4))),
    (sb.DeltaOrthogonal(2.0, seed=3), (3, 4, 5), None, TensorSlice((0, 1, 1), (3, 2, 4))),
    (sb.DeltaOrthogonal(seed=3), (2, 4, 3, 3), None, TensorSlice((0, 0, 1, 0), (1, 3, 2, 3))),
    (
        sb.DeltaOrthogonal(seed=3),
        (5, 2, 3, 1, 2),
        TORCH,
        TensorSlice((1, 0, 0, 0, 0), (3, 2, 2, 1, 2)),
    ),
    (
        sb.DeltaOrthogonal(seed=3),
        (3, 2, 4, 5),
        FanAxes(-2, -1, 1),
        TensorSlice((1, 0, 0, 1), (1, 2, 4, 3)),
    ),
    (sb.Sparse(0.3, seed=3), (23, 11), None, TensorSlice((3, 2), (15, 6))),
    (sb.Sparse(0.65, 2.0, axis=1, seed=3), (23, 11), None, TensorSlice((3, 2), (15, 6))),
    (sb.Sparse(0.0, seed=3), (5, 7), None, TensorSlice((1, 2), (3, 4))),
    (sb.Sparse(1.0, seed=3), (5, 7), None, TensorSlice((1, 2), (3, 4))),
    (sb.STFT(), (9, 1, 7), None, TensorSlice((2, 0, 1), (5, 1, 4))),
    (sb.STFT("imag", None), (9, 1, 7), None, TensorSlice((2, 0, 1), (5, 1, 4))),
    (
        sb.STFT("imag", "flattop", "spectrum", True),
        (9, 1, 7),
        None,
        TensorSlice((2, 0, 1), (5, 1, 4)),
    ),
]
each_tensor = pytest.mark.parametrize(
    ("initializer", "shape", "axes", "part"),
    TENSORS,
    ids=[f"{i!r} {s} {a or ''}" for i, s, a, _ in TENSORS],
)


def bits(array: NDArray[Any]) -> bytes:
    """Return the bytes, so that comparing distinguishes zeros."""
    return array.tobytes()


def reference(spec: TensorSpec, indices: Any) -> bytes:
    """Return what the reference gives for some elements."""
    parameters = {
        name: getattr(spec.initializer, name)
        for name in type(spec.initializer).__dataclass_fields__
    }
    axes = None
    if spec.fan_axes is not None:
        axes = {
            name: getattr(spec.fan_axes, name) for name in ("in_axis", "out_axis", "batch_axis")
        }
    kind, dtype = spec.initializer.field_name(), spec.dtype.value
    return element_bytes(
        Tensor(kind, dtype, spec.shape, parameters, spec.seed, spec.draw, spec.name, axes), indices
    )


@each_tensor
@pytest.mark.parametrize("dtype", FLOATING, ids=lambda dtype: dtype.value)
def test_every_bit_of_a_tensor_and_of_a_slice_is_that_of_the_reference(
    cpu: CpuBackend,
    initializer: sb.Initializer,
    shape: tuple[int, ...],
    axes: FanAxes | None,
    part: TensorSlice,
    dtype: Dtype,
) -> None:
    spec = TensorSpec("layer/kernel", shape, dtype, initializer, fan_axes=axes)
    assert bits(sample(cpu, spec)) == reference(spec, range(math.prod(shape)))
    assert bits(sample(cpu, spec, part)) == reference(
        spec, slice_indices(shape, part.starts, part.lengths)
    )


@each_tensor
def test_pieces_in_any_order_equal_the_whole(
    cpu: CpuBackend,
    initializer: sb.Initializer,
    shape: tuple[int, ...],
    axes: FanAxes | None,
    part: TensorSlice,
) -> None:
    del part
    spec = TensorSpec("pieces", shape, "float32", initializer, fan_axes=axes)
    source = TensorSource(plan(TensorRequest(spec)), cpu)
    filled = np.full(spec.shape, np.nan, np.float32).reshape(-1)
    for first, end in reversed(list(itertools.pairwise([*range(0, filled.size, 7), filled.size]))):
        source.fill(first, filled[first:end].view(np.uint8))
    assert bits(filled) == bits(sample(cpu, spec))


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("length", [1, 3, 4, 9, 10])
@pytest.mark.parametrize("periodic", [False, True])
def test_every_window_is_that_of_the_reference(
    cpu: CpuBackend, window: Any, length: int, periodic: bool
) -> None:
    for scaling in ("density", "spectrum", None):
        made = sb.STFT("real", window, scaling, periodic)
        spec = TensorSpec("", (length, 1, 3), "float64", made)
        assert bits(sample(cpu, spec)) == reference(spec, range(3 * length))


def test_one_block_has_the_bits_that_a_plain_orthogonal_tensor_always_had(cpu: CpuBackend) -> None:
    plain = sample(cpu, TensorSpec("w", (6, 4), "float64", sb.Orthogonal(seed=1)))
    for axes in (FanAxes(), FanAxes(0, 1)):
        named = TensorSpec("w", (6, 4), "float64", sb.Orthogonal(seed=1), fan_axes=axes)
        assert bits(sample(cpu, named)) == bits(plain)
    stacked = sample(
        cpu, TensorSpec("w", (1, 6, 4), "float64", sb.Orthogonal(seed=1, batch_axis=0))
    )
    assert bits(stacked) == bits(plain)
    first = sample(cpu, TensorSpec("w", (3, 6, 4), "float64", sb.Orthogonal(seed=1, batch_axis=0)))[
        0
    ]
    assert bits(first) == bits(plain), "the first of a stack has the same words"


def test_the_second_key_is_that_of_the_documents_example() -> None:
    expected = Key(0x24328E82, 0xCFC15C17, 0xDFCF3768, 0xCDE0D7CB)
    assert derive_second_key(1, 0, "dense/kernel") == expected
    assert (
        f"second key         = {', '.join(f'0x{word:08X}' for word in expected.as_array())}"
        in DOCUMENT.read_text()
    )


def test_zeros_of_a_sparse_tensor_are_in_the_same_places_in_every_dtype(cpu: CpuBackend) -> None:
    made = [
        sample(cpu, TensorSpec("w", (40, 30), d, sb.Sparse(0.4, 1.0, seed=2)))
        for d in ("float32", "float64")
    ]
    assert np.array_equal(made[0] == 0, made[1] == 0)


def test_what_a_sparse_tensor_keeps_is_the_random_normal_tensor(cpu: CpuBackend) -> None:
    plain = sample(cpu, TensorSpec("w", (40, 30), "float32", sb.RandomNormal(0.0, 0.5, seed=2)))
    made = sample(cpu, TensorSpec("w", (40, 30), "float32", sb.Sparse(0.4, 0.5, seed=2)))
    assert np.array_equal(made[made != 0], plain[made != 0])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("shape", [(300, 37), (37, 300), (1, 900), (900, 1)], ids=str)
def test_bands_and_tiles_of_a_sparse_tensor_do_not_show(
    cpu: CpuBackend, monkeypatch: pytest.MonkeyPatch, axis: int, shape: tuple[int, int]
) -> None:
    spec = TensorSpec("w", shape, "float32", sb.Sparse(0.4, axis=axis, seed=2))
    whole = sample(cpu, spec)
    assert ((whole == 0).sum(axis) == math.ceil(0.4 * shape[axis])).all()
    for name, value in {
        "BAND_ELEMENTS": 600,
        "TILE_ELEMENTS": 101,
        "WIDEST_TILE": 20,
        "MAX_KEPT_LINES": 8,
    }.items():
        monkeypatch.setattr(sparse, name, value)
    assert bits(sample(cpu, spec)) == bits(whole)


def test_the_memory_of_a_sparse_tensor_is_bounded(cpu: CpuBackend) -> None:
    for shape, axis in (((2**20, 2**14), 0), ((2**20, 2**14), 1), ((1, 2**34), 0), ((2**34, 1), 1)):
        spec = TensorSpec("w", shape, "float32", sb.Sparse(0.5, axis=axis, seed=1))
        assert plan(TensorRequest(spec)).cost.working_bytes < 300 * 2**20
    assert (
        plan(
            TensorRequest(TensorSpec("w", (9, 9), "float32", sb.Sparse(0.0, seed=1)))
        ).cost.working_bytes
        == 0
    )


def test_the_cost_of_a_slice_is_that_of_its_lines() -> None:
    spec = TensorSpec("w", (100, 50), "float32", sb.Sparse(0.5, seed=1))
    assert plan(TensorRequest(spec, TensorSlice((3, 7), (2, 4)))).cost.sampled_elements == 4 * 100
    by_row = TensorSpec("w", (100, 50), "float32", sb.Sparse(0.5, axis=1, seed=1))
    assert plan(TensorRequest(by_row, TensorSlice((3, 7), (2, 4)))).cost.sampled_elements == 2 * 50


BAD: list[tuple[Any, tuple[int, ...], FanAxes | None, str, str]] = [
    (
        sb.Identity(),
        (2, 3, 4),
        None,
        "shape",
        "a matrix's for Identity: two axes besides those of the batch",
    ),
    (sb.Identity(), (2, 3), EXPERTS, "shape", "a matrix's for Identity"),
    (sb.Identity(batch_axis=0), (3,), None, "shape", "a matrix's for Identity"),
    (sb.Identity(batch_axis=3), (2, 3, 4), None, "batch_axis", "from -3 to 2"),
    (
        sb.Orthogonal(seed=1),
        (3, 4),
        EXPERTS,
        "shape",
        "of two axes or more for Orthogonal besides those of the batch",
    ),
    (
        sb.Orthogonal(seed=1, blocks=3),
        (4, 8),
        None,
        "blocks",
        "a divisor of 8, the length of axis -1",
    ),
    (sb.Orthogonal(seed=1, blocks=2, block_axis=2), (4, 8), None, "block_axis", "from -2 to 1"),
    (
        sb.Orthogonal(seed=1, blocks=2, block_axis=0),
        (2, 4, 8),
        EXPERTS,
        "block_axis",
        "an axis that is not the batch's",
    ),
    (
        sb.DeltaOrthogonal(seed=1),
        (4, 5),
        None,
        "shape",
        "a convolution kernel's for DeltaOrthogonal: 3 to 5 axes",
    ),
    (
        sb.DeltaOrthogonal(seed=1),
        (1, 1, 1, 1, 4, 5),
        None,
        "shape",
        "a convolution kernel's for DeltaOrthogonal",
    ),
    (sb.DeltaOrthogonal(seed=1), (3, 5, 4), None, "shape", "of at most as many inputs as outputs"),
    (sb.DeltaOrthogonal(seed=1), (4, 5, 3), TORCH, "shape", "of at most as many inputs as outputs"),
    (sb.Dirac(), (4, 5), None, "shape", "a convolution kernel's for Dirac: 3 to 5 axes"),
    (sb.Dirac(), (3, 4, 5), FanAxes(-2, -1, 0), "shape", "a convolution kernel's for Dirac"),
    (sb.Dirac(), (3, 4, 5), FanAxes((0, 1), 2), "in_axis", "one axis for Dirac"),
    (sb.Dirac(), (3, 4, 5), FanAxes(0, ()), "out_axis", "one axis for Dirac"),
    (sb.Dirac(2), (3, 4, 5), None, "groups", "a divisor of 5, the number of outputs"),
    (sb.Dirac(in_axis=5), (3, 4, 5), None, "in_axis", "from -3 to 2"),
    (sb.Sparse(0.5, seed=1), (3, 4, 5), None, "shape", "a matrix's for Sparse: two axes"),
    (sb.Sparse(0.5, seed=1), (3,), None, "shape", "a matrix's for Sparse: two axes"),
    (
        sb.Sparse(0.5, seed=1),
        (2**32 + 1, 1),
        None,
        "shape",
        "of at most 4294967296 elements along axis 0",
    ),
    (sb.STFT(), (4, 5), None, "shape", r"\[frame length, 1, transform's length / 2 \+ 1\]"),
    (sb.STFT(), (4, 2, 5), None, "shape", r"\[frame length, 1, transform's length / 2 \+ 1\]"),
    (sb.STFT(), (4, 1, 1), None, "shape", "the last at least 2"),
    (sb.STFT(), (2**16 + 1, 1, 5), None, "shape", "of axes of at most 65536"),
    (
        sb.STFT(),
        (2, 1, 5),
        None,
        "shape",
        "of another frame length for a hann window, which has only zeros",
    ),
]


@pytest.mark.parametrize(
    ("initializer", "shape", "axes", "field", "allowed"), BAD, ids=lambda value: str(value)[:60]
)
def test_a_shape_that_does_not_fit_is_a_value_error(
    initializer: Any, shape: tuple[int, ...], axes: FanAxes | None, field: str, allowed: str
) -> None:
    with pytest.raises(ValueError, match=rf"`{field}(\[\d\])?` must be (.*)?{allowed}") as caught:
        TensorSpec("w", shape, "float32", initializer, fan_axes=axes)
    assert isinstance(caught.value, sb.InvalidValueError)
    assert caught.value.field.partition("[")[0] == field


@pytest.mark.parametrize(
    ("make", "error", "field"),
    [
        (lambda: sb.Orthogonal(seed=1, blocks=0), ValueError, "blocks"),
        (lambda: sb.Orthogonal(seed=1, blocks=2**63), ValueError, "blocks"),
        (lambda: sb.Orthogonal(seed=1, blocks=1.0), TypeError, "blocks"),  # type: ignore[arg-type]
        (lambda: sb.Orthogonal(seed=1, block_axis=None), TypeError, "block_axis"),  # type: ignore[arg-type]
        (lambda: sb.Orthogonal(seed=1, block_axis=2**63), ValueError, "block_axis"),
        (lambda: sb.Orthogonal(seed=1, batch_axis="0"), TypeError, "batch_axis"),  # type: ignore[arg-type]
        (lambda: sb.Dirac(0), ValueError, "groups"),
        (lambda: sb.Dirac(True), TypeError, "groups"),
        (lambda: sb.Dirac(in_axis=(1, 2)), TypeError, "in_axis"),  # type: ignore[arg-type]
        (lambda: sb.Sparse(1.1), ValueError, "sparsity"),
        (lambda: sb.Sparse(-0.1), ValueError, "sparsity"),
        (lambda: sb.Sparse(0.5, -1.0), ValueError, "stddev"),
        (lambda: sb.Sparse(0.5, axis=2), ValueError, "axis"),
        (lambda: sb.Sparse(0.5, axis=0.0), TypeError, "axis"),  # type: ignore[arg-type]
        (lambda: sb.STFT("both"), ValueError, "side"),  # type: ignore[arg-type]
        (lambda: sb.STFT(window="kaiser"), ValueError, "window"),  # type: ignore[arg-type]
        (lambda: sb.STFT(window=[1.0, 1.0]), TypeError, "window"),  # type: ignore[arg-type]
        (lambda: sb.STFT(scaling="power"), ValueError, "scaling"),  # type: ignore[arg-type]
        (lambda: sb.STFT(periodic=1), TypeError, "periodic"),  # type: ignore[arg-type]
    ],
)
def test_a_bad_parameter_is_refused_when_the_initializer_is_made(
    make: Any, error: type[Exception], field: str
) -> None:
    with pytest.raises(error, match=f"`{field}` must be") as caught:
        make()
    assert isinstance(caught.value, sb.InvalidArgumentError)
    assert caught.value.field == field


def test_an_unknown_window_is_answered_with_all_that_there_are() -> None:
    with pytest.raises(ValueError, match=", ".join(WINDOWS)):
        sb.STFT(window="kaiser")  # type: ignore[arg-type]  # that it fails is the test


def test_windows_are_known_by_scipys_other_names() -> None:
    for name, meant in {
        "hanning": "hann",
        "RECT": "boxcar",
        "bkh": "blackmanharris",
        "sinc": "lanczos",
    }.items():
        # Not among the canonical ones.
        assert sb.STFT(window=name) == sb.STFT(window=meant)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("initializer", "fits", "too_large"),
    [
        (sb.Orthogonal(seed=1), (2**13, 2**13), (2**13, 2**13 + 1)),
        (sb.Orthogonal(seed=1, batch_axis=0), (50, 2**13, 2**13), (2, 2**13, 2**13 + 1)),
        (sb.Orthogonal(seed=1, batch_axis=-1), (2**10, 2**10, 2**6), (2**10, 2**10, 2**6 + 1)),
        (sb.Orthogonal(seed=1, blocks=2), (2**12, 2**14), (2**12 + 1, 2**14)),
        (sb.Orthogonal(seed=1, blocks=2, block_axis=0), (2**14, 2**13), (2**14 + 2, 2**13)),
        (sb.DeltaOrthogonal(seed=1), (99, 99, 2**13, 2**13), (1, 2**13, 2**13 + 1)),
        (sb.Sparse(0.5, seed=1), (2**26, 9), (2**26 + 1, 1)),
        (sb.Sparse(0.5, axis=1, seed=1), (9, 2**26), (1, 2**26 + 1)),
    ],
    ids=repr,
)
def test_what_must_be_computed_together_has_a_limit(
    initializer: sb.Initializer, fits: tuple[int, ...], too_large: tuple[int, ...]
) -> None:
    limits = Limits(max_tensor_bytes=2**50, max_request_bytes=2**50)
    check_sizes([TensorRequest(TensorSpec("w", fits, "float32", initializer))], limits)
    with pytest.raises(
        ValueError,
        match=r"`tensors\[0\].spec.shape` must be of at most 67108864 elements.*max_orthog",
    ):
        check_sizes([TensorRequest(TensorSpec("w", too_large, "float32", initializer))], limits)


def test_a_plain_spec_says_as_much_as_the_class() -> None:
    def rules(initializer: InitializerSpec | sb.Initializer, axes: FanAxes | None = None) -> object:
        return plan(
            TensorRequest(TensorSpec("", (6, 4, 8), "float32", initializer, seed=1, fan_axes=axes))
        ).rule

    assert rules(sb.Orthogonal(seed=1, batch_axis=0)) == rules(sb.Orthogonal(seed=1).spec, EXPERTS)
    assert rules(sb.Dirac(2, in_axis=1, out_axis=0)) == rules(sb.Dirac(2).spec, TORCH)
    assert rules(sb.Identity(batch_axis=[1])) == rules(sb.Identity().spec, FanAxes((), (), 1))
