"""Pictures of samples show what is in them, whatever the initializer, dtype and shape."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from matplotlib.text import Text
from numpy.typing import NDArray

import seedbed as sb
from seedbed.reports.distributions import exact_distribution
from seedbed.reports.orthonormality import gram_error
from seedbed.reports.pictures.bars import probability, value_text
from seedbed.reports.pictures.figure import figure_of
from seedbed.reports.pictures.lettering import LINE_LETTERS
from seedbed.reports.pictures.matrix import shrunk
from seedbed.spec.dtypes import FLOATING, Dtype
from seedbed.spec.info import TensorDescription
from seedbed.spec.slices import as_slice


@dataclass
class Drawn:
    """A picture, and what it is of."""

    array: NDArray[Any]
    description: TensorDescription
    figure: Figure

    @property
    def axes(self) -> Axes:
        return self.figure.axes[0]

    @property
    def kind(self) -> str:
        """What the picture is, by its artists."""
        kinds = {
            "bars": self.axes.containers,
            "marks": [each for each in self.axes.collections if isinstance(each, LineCollection)],
            "histogram": [each for each in self.axes.patches if isinstance(each, StepPatch)],
            "matrix": self.axes.images,
        }
        (kind,) = [kind for kind, artists in kinds.items() if artists] or ["nothing"]
        return kind

    @property
    def texts(self) -> str:
        legend = self.axes.get_legend()
        lines = [text.get_text() for text in legend.get_texts()] if legend else []
        return "\n".join([self.figure.get_supxlabel(), self.axes.get_title(loc="left"), *lines])


@pytest.fixture(scope="module")
def client() -> Iterator[sb.Client]:
    with sb.connect("embedded:") as client:
        yield client


def drawn(client: sb.Client, spec: sb.TensorSpec, part: sb.Shard | None = None) -> Drawn:
    description = client.describe(spec, slice=part)
    array = client.sample(spec, slice=part)
    figure = figure_of(array, spec, description, as_slice(part, spec.shape))
    figure.draw_without_rendering()  # a warning would be an error
    return Drawn(array, description, figure)


def shown(drawing: Drawn) -> NDArray[Any]:
    """Return the cells of a heat map."""
    return np.asarray(drawing.axes.images[0].get_array())


def heights(drawing: Drawn) -> list[float]:
    """Return the heights of bars."""
    return [bar.get_height() for bar in drawing.axes.patches if isinstance(bar, Rectangle)]


def spec_of(initializer: Any, *shape: int, dtype: str = "float32", name: str = "w") -> Any:
    return sb.TensorSpec(name, shape, dtype, initializer, seed=1)


KINDS: dict[str, tuple[Any, str]] = {
    "zeros": (spec_of(sb.Zeros(), 4096), "bars"),
    "a scalar constant": (spec_of(sb.Constant(2.5)), "bars"),
    "an integer beyond float64": (spec_of(sb.Constant(2**62 + 1), 5, dtype="int64"), "bars"),
    "true": (spec_of(sb.Ones(), 3, 3, dtype="bool"), "bars"),
    "a normal without spread": (spec_of(sb.RandomNormal(1.0, 0.0), 300), "bars"),
    "a uniform without width": (spec_of(sb.RandomUniform(1.0, 1.0), 300), "bars"),
    "one element": (spec_of(sb.RandomNormal()), "marks"),
    "eight elements": (spec_of(sb.GlorotUniform(), 8), "marks"),
    "eight in 8 bits": (spec_of(sb.GlorotUniform(), 8, dtype="float8_e5m2"), "marks"),
    "many elements": (spec_of(sb.HeNormal(), 64, 64), "histogram"),
    "many in five axes": (spec_of(sb.HeNormal(), 2, 3, 4, 5, 6), "histogram"),
    "few values": (spec_of(sb.RandomNormal(0, 0.002), 999, dtype="float8_e4m3fn"), "bars"),
    "a sparse one without zeros": (spec_of(sb.Sparse(0.0), 64, 64), "histogram"),
    "identity": (spec_of(sb.Identity(), 16, 8), "matrix"),
    "identity of booleans": (spec_of(sb.Identity(), 16, 8, dtype="bool"), "matrix"),
    "dirac": (spec_of(sb.Dirac(), 3, 3, 8, 8), "matrix"),
    "sparse": (spec_of(sb.Sparse(0.9), 100, 10), "matrix"),
    "only zeros": (spec_of(sb.Sparse(1.0), 100, 10), "matrix"),
    "orthogonal": (spec_of(sb.Orthogonal(), 32, 16), "matrix"),
    "a long orthogonal": (spec_of(sb.Orthogonal(), 2000, 2), "matrix"),
    "delta-orthogonal": (spec_of(sb.DeltaOrthogonal(), 3, 8, 16), "matrix"),
    "a Fourier transform": (spec_of(sb.STFT(), 16, 1, 9), "matrix"),
    "no elements": (spec_of(sb.GlorotUniform(), 0, 3), "nothing"),
    "no rows of a matrix": (spec_of(sb.Identity(), 0, 3), "nothing"),
}


@pytest.mark.parametrize(("spec", "kind"), KINDS.values(), ids=KINDS)
def test_each_kind_of_content_has_a_picture_of_its_own(
    client: sb.Client, spec: sb.TensorSpec, kind: str
) -> None:
    assert drawn(client, spec).kind == kind


class TestBars:
    def test_a_constant_is_one_bar_of_all_elements(self, client: sb.Client) -> None:
        drawing = drawn(client, spec_of(sb.Constant(0.25), 1000, 5))
        assert heights(drawing) == [5000]
        assert [label.get_text() for label in drawing.axes.get_xticklabels()] == ["0.25"]
        assert "5,000 elements, all equal" in drawing.texts

    @pytest.mark.parametrize("dtype", ["float8_e4m3fn", "float8_e5m2", "float16"])
    def test_few_values_are_counted_beside_their_probability(
        self, client: sb.Client, dtype: str
    ) -> None:
        mean, stddev = {"float16": (1000.0, 0.5)}.get(
            dtype, (0.0, 2.0**-9 if "4" in dtype else 1e-5)
        )
        drawing = drawn(client, spec_of(sb.RandomNormal(mean, stddev), 100, 100, dtype=dtype))
        assert drawing.kind == "bars"
        values, counts = np.unique(drawing.array.astype(np.float64) + 0.0, return_counts=True)
        assert heights(drawing) == counts.tolist()
        expected = np.asarray(drawing.axes.lines[0].get_ydata(), np.float64)
        assert np.sum(expected) == pytest.approx(10_000, rel=1e-3)
        # Five standard deviations of a count.
        assert np.all(np.abs(expected - counts) < 5 * np.sqrt(expected) + 1)
        labels = [label.get_text() for label in drawing.axes.get_xticklabels()]
        assert len(set(labels)) == len(values)

    # Between neighbours in float64 there is nothing to compute with.
    @pytest.mark.parametrize("dtype", [each for each in FLOATING if each is not Dtype.FLOAT64])
    def test_a_uniform_on_five_numbers_has_their_shares(
        self, client: sb.Client, dtype: Dtype
    ) -> None:
        step = float(np.nextafter(dtype.numpy.type(1), dtype.numpy.type(2))) - 1
        spec = spec_of(sb.RandomUniform(1.0, 1.0 + 4 * step), 10_000, dtype=dtype.value)
        drawing = drawn(client, spec)
        expected = np.asarray(drawing.axes.lines[0].get_ydata(), np.float64) / 10_000
        # The end is a number of the narrow types only.
        shares = [1, 2, 2, 3] if dtype is Dtype.FLOAT32 else [1, 2, 2, 2, 1]
        assert expected * 8 == pytest.approx(shares)
        assert heights(drawing) == pytest.approx(10_000 * expected, abs=250)

    def test_the_numbers_at_a_saturated_end_have_all_beyond_it(self, client: sb.Client) -> None:
        wide = spec_of(sb.RandomNormal(0.0, 1000.0), 4, dtype="float8_e4m3fn")
        exact = exact_distribution(client.describe(wide))
        assert exact is not None
        # From 432 on, halfway from 416: erfc(0.432 / sqrt(2)) / 2.
        end = math.erfc(0.432 / math.sqrt(2)) / 2
        assert probability(exact, 448.0, Dtype.FLOAT8_E4M3FN) == pytest.approx(end)
        assert probability(exact, -448.0, Dtype.FLOAT8_E4M3FN) == pytest.approx(end)

    @pytest.mark.parametrize(
        ("value", "dtype", "text"),
        [
            (1000.0, Dtype.FLOAT16, "1000"),
            (1.0 + 2.0**-23, Dtype.FLOAT32, "1.0000001"),
            (0.001953125, Dtype.FLOAT8_E4M3FN, "0.002"),
            (2**62 + 1, Dtype.INT64, "4611686018427387905"),
            (True, Dtype.BOOL, "True"),
            (1e300, Dtype.FLOAT64, "1e+300"),
        ],
    )
    def test_a_value_has_the_digits_that_tell_it_from_its_neighbours(
        self, value: Any, dtype: Dtype, text: str
    ) -> None:
        assert value_text(value, dtype) == text


class TestMarks:
    def test_every_element_has_a_mark_below_the_density(self, client: sb.Client) -> None:
        drawing = drawn(client, spec_of(sb.RandomNormal(), 50))
        (marks,) = drawing.axes.collections
        assert isinstance(marks, LineCollection)
        places = [segment[0][0] for segment in marks.get_segments()]
        assert places == drawing.array.astype(np.float64).tolist()
        assert len(drawing.axes.lines) == 1
        low, high = drawing.axes.get_xlim()
        assert low < min(places) and max(places) < high

    def test_marks_on_the_same_place_are_said(self, client: sb.Client) -> None:
        drawing = drawn(client, spec_of(sb.GlorotUniform(), 150, dtype="float8_e4m3fn"))
        different = len(np.unique(drawing.array.astype(np.float64)))
        assert f"150 elements, {different} different values" in drawing.texts


HISTOGRAMS: dict[str, Any] = {
    **{
        f"{initializer.__class__.__name__} in {dtype.value}": spec_of(
            initializer, 128, 256, dtype=dtype.value
        )
        for initializer, dtype in itertools.product(
            (sb.GlorotUniform(), sb.GlorotNormal(), sb.RandomNormal(0.1, 0.05)), FLOATING
        )
    },
    "bfloat16 away from 0": spec_of(sb.RandomUniform(3, 3.7), 128, 256, dtype="bfloat16"),
    "float16 away from 0": spec_of(sb.RandomNormal(1000, 3), 128, 256, dtype="float16"),
    "narrow float32": spec_of(sb.RandomUniform(1, 1 + 2**-18), 128, 256),
    "narrow float64": spec_of(sb.RandomUniform(1, 1 + 1e-12), 128, 256, dtype="float64"),
    "huge": spec_of(sb.RandomNormal(0, 1e306), 128, 256, dtype="float64"),
    "tiny": spec_of(sb.RandomNormal(0, 1e-300), 128, 256, dtype="float64"),
    "below the least normal float16": spec_of(sb.RandomNormal(0, 1e-6), 128, 256, dtype="float16"),
}


class TestHistograms:
    @pytest.mark.parametrize("spec", HISTOGRAMS.values(), ids=HISTOGRAMS)
    def test_the_bars_follow_the_density(self, client: sb.Client, spec: sb.TensorSpec) -> None:
        drawing = drawn(client, spec)
        assert drawing.kind == "histogram"
        (steps,) = drawing.axes.patches
        assert isinstance(steps, StepPatch)
        heights, edges, _ = steps.get_data()
        exact = exact_distribution(drawing.description)
        assert exact is not None
        label = drawing.axes.get_xlabel()
        unit = float(label.split()[-1]) if "units" in label else 1.0
        ends = edges * unit
        expected = [
            spec.element_count * exact.probability(low, high)
            for low, high in itertools.pairwise(ends.tolist())
        ]
        counts = heights * np.diff(edges) * spec.element_count
        # Five standard deviations of a count: a comb, or half of a bar, is far outside.
        assert np.all(np.abs(counts - expected) < 5 * np.sqrt(expected) + 2)
        assert np.sum(counts) == pytest.approx(np.sum(expected), rel=0.01)
        # And it can be seen.
        assert drawing.axes.get_ylim()[1] < 3 * heights.max()

    def test_what_a_dtype_saturates_is_said(self, client: sb.Client) -> None:
        spec = spec_of(sb.RandomNormal(0, 300), 128, 256, dtype="float8_e4m3fn")
        drawing = drawn(client, spec)
        cut = int((np.abs(drawing.array.astype(np.float32)) == 448).sum())
        assert cut > 1000
        assert f"{cut:,} cut to ±448" in drawing.texts

    def test_what_is_not_finite_is_said(self, client: sb.Client) -> None:
        spec = spec_of(sb.RandomNormal(), 1000)
        array = client.sample(spec)
        array[:3] = math.nan, math.inf, -math.inf
        description = client.describe(spec)
        drawing = Drawn(array, description, figure_of(array, spec, description))
        assert drawing.kind == "histogram"
        assert "1,000 elements, 3 not finite" in drawing.texts

    def test_the_ends_of_a_narrow_range_differ(self, client: sb.Client) -> None:
        assert "uniform on [1, 1.000000000001)" in drawn(client, HISTOGRAMS["narrow float64"]).texts


class TestMatrices:
    def test_a_small_matrix_is_drawn_as_it_is(self, client: sb.Client) -> None:
        drawing = drawn(client, spec_of(sb.Orthogonal(2.0), 20, 30))
        assert np.array_equal(shown(drawing), drawing.array.astype(np.float64))
        low, high = drawing.axes.images[0].get_clim()
        assert -low == high == np.abs(drawing.array).max()
        assert "each cell is one element" in drawing.texts

    def test_a_sparse_matrix_keeps_each_blocks_extreme(self) -> None:
        matrix = np.zeros((1000, 300))
        matrix[501, 299] = -2.0
        matrix[502, 299] = 1.0
        cells = shrunk(matrix, by_extreme=True)
        assert cells.shape == (256, 256)
        assert cells.min() == -2.0 and np.count_nonzero(cells) == 1

    def test_other_matrices_keep_each_blocks_mean(self) -> None:
        matrix = np.random.default_rng(0).normal(size=(512, 768))
        means = matrix.reshape(256, 2, 256, 3).mean(axis=(1, 3))
        assert np.allclose(shrunk(matrix, by_extreme=False), means)

    def test_a_large_identity_says_what_its_cells_are(self, client: sb.Client) -> None:
        drawing = drawn(client, spec_of(sb.Identity(), 1000, 500, dtype="int8"))
        assert "farthest from 0 of a block of at most 4 x 2 elements" in drawing.texts
        assert "499,500 of 500,000 elements are 0" in drawing.texts
        # The diagonal is still there.
        assert np.count_nonzero(shown(drawing)) >= 128

    def test_a_kernel_has_inputs_as_rows_and_outputs_as_columns(self, client: sb.Client) -> None:
        axes = sb.FanAxes(in_axis=1, out_axis=0)
        spec = sb.TensorSpec("w", (8, 4, 3), "float32", sb.Dirac(), fan_axes=axes)
        drawing = drawn(client, spec)
        expected = drawing.array.transpose(2, 1, 0).reshape(12, 8)
        assert np.array_equal(shown(drawing), expected)
        assert drawing.axes.get_ylabel() == "row: axes 2, 1 together"
        assert drawing.axes.get_xlabel() == "column: axis 0"


ORTHOGONAL: dict[str, Any] = {
    "wide": spec_of(sb.Orthogonal(2.0), 20, 30),
    "tall": spec_of(sb.Orthogonal(3.0), 50, 20),
    "three blocks": spec_of(sb.Orthogonal(blocks=3, block_axis=0), 60, 20),
    "a batch": sb.TensorSpec(
        "w", (16, 5, 16), "float32", sb.Orthogonal(), 1, fan_axes=sb.FanAxes(0, 2, 1)
    ),
    "a kernel": spec_of(sb.DeltaOrthogonal(2.0), 4, 5, 8, 16),
    "a kernel of PyTorch": sb.TensorSpec(
        "w", (16, 8, 3), "float32", sb.DeltaOrthogonal(), 1, fan_axes=sb.FanAxes(1, 0)
    ),
    "no gain": spec_of(sb.Orthogonal(0.0), 8, 8),
}


class TestGramErrors:
    @pytest.mark.parametrize("spec", ORTHOGONAL.values(), ids=ORTHOGONAL)
    def test_an_orthogonal_tensor_has_hardly_any(
        self, client: sb.Client, spec: sb.TensorSpec
    ) -> None:
        found = gram_error(client.sample(spec), spec)
        assert found is not None
        assert found.largest < 1e-6
        assert found.lines == found.all_lines

    @pytest.mark.parametrize("spec", ORTHOGONAL.values(), ids=ORTHOGONAL)
    def test_a_fault_anywhere_is_found(self, client: sb.Client, spec: sb.TensorSpec) -> None:
        array = client.sample(spec)
        # The last matrix's last element that is not 0, or any.
        places = np.argwhere(array) if array.any() else np.argwhere(array == 0)
        array[tuple(places[-1])] += 0.5
        found = gram_error(array, spec)
        assert found is not None and found.largest > 0.05

    def test_it_is_the_gram_matrix_of_numpy(self, client: sb.Client) -> None:
        spec = spec_of(sb.Orthogonal(2.0), 50, 20, dtype="bfloat16")
        drawing = drawn(client, spec)
        q = drawing.array.astype(np.float64)
        largest = np.abs(q.T @ q - 4 * np.eye(20)).max()
        assert f"orthonormal columns: max |QᵀQ - gain² I| = {largest:.2g}" in drawing.texts

    def test_a_part_of_a_large_one_is_said(self, client: sb.Client) -> None:
        found = gram_error(client.sample(ORTHOGONAL["wide"]), ORTHOGONAL["wide"], 20 * 30 * 5)
        assert found is not None
        assert (found.lines, found.all_lines, found.of_rows) == (5, 20, True)

    def test_other_tensors_and_shards_have_none(self, client: sb.Client) -> None:
        assert gram_error(np.eye(3), spec_of(sb.Identity(), 3, 3)) is None
        half = drawn(client, spec_of(sb.Orthogonal(), 20, 20), sb.shard(0, 2))
        assert "orthonormal" not in half.texts


class TestTitles:
    @pytest.mark.parametrize("initializer", [sb.GlorotUniform(), sb.Orthogonal(), sb.Zeros()])
    def test_a_shard_says_that_it_is_one_and_where(
        self, client: sb.Client, initializer: Any
    ) -> None:
        drawing = drawn(client, spec_of(initializer, 64, 32), sb.shard(1, 4))
        assert "part [16:32, 0:32] of 64 × 32" in drawing.texts
        if drawing.kind == "matrix":
            assert drawing.axes.get_ylim() == (31.5, 15.5)

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("层.0", "\\u5c42.0"),
            ("$w_1^2$", "$w_1^2$"),
            ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
            ("é", "é"),
            ("x" * 1024, "x" * 59 + "…"),
        ],
        ids=["no font has it", "mathematics", "control", "accent", "long"],
    )
    def test_a_name_is_shown_in_letters_that_there_are(
        self, client: sb.Client, name: str, shown: str
    ) -> None:
        assert shown in drawn(client, spec_of(sb.HeNormal(), 4, 4, name=name)).texts

    def test_the_longest_titles_fit(self, client: sb.Client) -> None:
        shape = (1,) * 16 + (64,) * 2 + (1,) * 14
        axes = sb.FanAxes(range(16), 16, ())
        initializer = sb.VarianceScaling(1.23456789, "fan_avg", "truncated_normal")
        spec = sb.TensorSpec(
            "層" * 300, shape, "float8_e4m3fn", initializer, 2**64 - 1, 2**64 - 1, axes
        )
        drawing = drawn(client, spec, sb.shard(1, 2, 16))
        title = drawing.axes.get_title(loc="left")
        assert max(map(len, title.splitlines())) <= LINE_LETTERS
        for shown in (title, drawing.figure.get_suptitle()):
            (text,) = [each for each in drawing.figure.findobj(Text) if each.get_text() == shown]
            box = text.get_window_extent()
            assert box.x0 >= 0 and box.x1 <= drawing.figure.bbox.width, shown
