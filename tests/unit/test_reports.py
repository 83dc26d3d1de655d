"""Reports: figures, patterns, findings and pages of models."""

import re
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray

import seedbed as sb
from seedbed.reports import subjects
from seedbed.reports.distributions import exact_distribution
from seedbed.reports.findings import findings_in
from seedbed.reports.groups import grouped
from seedbed.reports.labels import fitted_label
from seedbed.reports.live_arrays import LiveArrays
from seedbed.reports.page.charts import histogram
from seedbed.reports.page.map import size_map
from seedbed.reports.sizes import sized_groups
from seedbed.reports.subjects import first_rows
from seedbed.reports.tensor_figures import TensorFigures, measured_figures
from seedbed.reports.treemap import Box, squarified

LAYERS = 33
SIZES = {"q": (64, 64), "k": (16, 64), "v": (16, 64), "o": (64, 64), "up": (96, 64)}
SIZES |= {"gate": (96, 64), "down": (64, 96)}
NORMS = ("norm_1", "norm_2")
HOSTILE = ["<script>alert(1)</script>", "a\x1b[31m\n", "$x_1$ & \"'", "n" * 10_000, "\u202eabc"]


def llama(seed: int) -> sb.Manifest:
    """300 tensors in the shape of a Llama."""
    shapes: dict[str, Any] = {"embed": (256, 64), "head": (256, 64), "norm": (64,)}
    for layer in range(LAYERS):
        shapes |= {f"layers.{layer}.{name}.weight": shape for name, shape in SIZES.items()}
        shapes |= {f"layers.{layer}.{name}.weight": (64,) for name in NORMS}
    return sb.Manifest.from_dict(
        {
            "seedbed_manifest": 1,
            "seed": seed,
            "dtype": "float32",
            "rules": {"*norm*": "ones", "*": {"class_name": "RandomNormal", "config": {}}},
            "tensors": {name: list(shape) for name, shape in shapes.items()},
        }
    )


def arrays(seed: int = 1) -> dict[str, NDArray[Any]]:
    with sb.connect("embedded:") as client:
        return client.sample_all(llama(seed))


def figures(array: NDArray[Any], name: str = "w", **more: Any) -> TensorFigures:
    return measured_figures(
        name, array, array.shape, dtype=array.dtype.name, size_bytes=array.nbytes, **more
    )


# Figures.


@pytest.mark.parametrize("dtype", [np.float32, np.float64, ml_dtypes.bfloat16, np.int8], ids=str)
def test_figures_are_numpys(dtype: Any) -> None:
    array = (np.random.default_rng(1).normal(3, 2, (700, 800)) * 5).astype(dtype)
    found, wide = figures(array), array.astype(np.float64)
    assert (found.mean, found.std) == pytest.approx((wide.mean(), wide.std()), rel=1e-12)
    assert (found.least, found.largest) == (wide.min(), wide.max())
    low, high = found.histogram.low, found.histogram.high
    assert found.histogram.counts == tuple(np.histogram(wide, 40, (low, high))[0])


def test_elements_that_are_not_finite_are_counted_and_left_out() -> None:
    array = np.arange(1000, dtype=np.float32)
    array[[3, 5, 7]] = np.nan, np.inf, -np.inf
    found = figures(array)
    assert found.not_finite == 3
    assert found.mean == pytest.approx(array[np.isfinite(array)].mean())
    assert np.isnan(figures(np.full(4, np.nan)).mean)
    assert figures(np.empty((0, 3))).elements == 0


EXACT = {
    "normal": (sb.RandomNormal(mean=0.3, stddev=2.0), 3.0),
    "uniform": (sb.RandomUniform(minval=-1.0, maxval=3.0), 1.8),
    "truncated": (sb.TruncatedNormal(mean=-1.0, stddev=0.02), 2.366),
    "tail": (sb.TruncatedNormal(stddev=1.0, lower=2.0, upper=3.0), 2.758),
}


@pytest.mark.parametrize("kind", EXACT)
def test_figures_are_a_standard_error_away_from_the_exact_ones(kind: str) -> None:
    initializer, kurtosis = EXACT[kind]
    spec = sb.TensorSpec("w", (1000, 500), "float32", initializer, seed=1)
    with sb.connect("embedded:") as client:
        exact = exact_distribution(client.describe(spec))
        rows = client.sample(spec)
    assert exact is not None
    assert exact.kurtosis == pytest.approx(kurtosis, abs=1e-3)
    found = [figures(row, exact=exact) for row in rows]
    for z in ([each.mean_z for each in found], [each.std_z for each in found]):
        assert np.std(np.asarray(z, np.float64)) == pytest.approx(1, abs=0.1)
        assert np.mean(np.asarray(z, np.float64)) == pytest.approx(0, abs=0.15)


def test_without_an_exact_distribution_there_are_no_standard_errors() -> None:
    manifest = sb.Manifest([sb.TensorSpec("w", (8,), "float32", sb.Ones())])
    (constant,) = sb.report(manifest).model.tensors
    for found in (constant, figures(np.arange(9.0))):
        assert (found.mean_z, found.std_z) == (None, None)


@pytest.mark.parametrize("shape", [(), (0, 5), (7,), (10, 5), (3, 4, 5), (2, 1000, 10)], ids=str)
@pytest.mark.parametrize("most", [1, 4, 20, 100, 10**6])
def test_the_first_rows_are_a_slice_of_few_elements(shape: tuple[int, ...], most: int) -> None:
    part = first_rows(shape, most)
    if part is None:
        assert np.prod(shape) <= most
    else:
        assert 1 <= np.prod(part.lengths) <= max(most, 1)
        assert part.starts == (0,) * len(shape)


def test_a_page_says_how_much_was_sampled() -> None:
    shapes = {"matrix": (300, 20), "kernel": (2, 300, 20), "vector": (7_000,), "small": (4, 5)}
    manifest = sb.Manifest(
        [sb.TensorSpec(n, s, "float32", sb.HeNormal(seed=1)) for n, s in shapes.items()]
    )
    report = sb.report(manifest, sample_elements=1_000)
    assert [each.measured for each in report.model.tensors] == [1_000, 1_000, 1_000, 20]
    shown = re.findall(r"<small>(first [^<]+)</small>", report.html)
    assert shown == [
        "first 50 rows of 300",
        "first 1 × 50 × 20 of 2 × 300 × 20",
        "first 1,000 numbers of 7,000",
    ]
    assert "first" not in sb.report(manifest).html.partition("<main>")[2]
    digests = [
        [each.digest for each in sb.report(manifest, sample_elements=n).model.tensors]
        for n in (1, 10**9)
    ]
    assert digests[0] == digests[1]


@pytest.mark.parametrize("wrong", [0, -1, 2**63], ids=str)
def test_no_number_is_too_few_to_sample(wrong: int) -> None:
    words = f"`sample_elements` must be 1 or more. Received: {wrong}"
    with pytest.raises(sb.InvalidValueError, match=re.escape(words)):
        sb.report(llama(1), sample_elements=wrong)
    with pytest.raises(sb.InvalidTypeError, match="`sample_elements` must be an integer"):
        sb.report(llama(1), sample_elements=1e6)  # type: ignore[arg-type]


# Patterns.


def test_a_model_is_folded_into_its_patterns_by_depth() -> None:
    found = figures_of_arrays(arrays())
    groups = {group.pattern: group for group in grouped(found)}
    assert len(groups) == 3 + len(SIZES) + len(NORMS)
    group = groups["layers.*.down.weight"]
    assert group.depths == tuple(range(LAYERS))
    assert [each.name for each in group.tensors][9:11] == [
        "layers.9.down.weight",
        "layers.10.down.weight",
    ]


def test_what_differs_in_shape_is_not_folded() -> None:
    found = [figures(np.ones((3, n)), f"a.{n}.w") for n in (1, 2, 2)]
    assert [len(group.tensors) for group in grouped(found)] == [1, 2]


def figures_of_arrays(model: dict[str, NDArray[Any]]) -> list[TensorFigures]:
    return [figures(array, name) for name, array in model.items()]


# Findings.


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_found_where_nothing_is(seed: int) -> None:
    manifest = llama(seed)
    assert sb.report(manifest).findings == ()
    with sb.connect("embedded:") as client:
        assert sb.report(client.sample_all(manifest)).findings == ()


def test_layers_that_are_scaled_by_their_depth_are_no_finding() -> None:
    model = arrays()
    for layer in range(LAYERS):
        model[f"layers.{layer}.down.weight"] /= np.sqrt(2 * (layer + 1))
    assert sb.report(model).findings == ()


def _three_times(model: dict[str, NDArray[Any]]) -> None:
    model["layers.17.down.weight"] *= 3


def _nan(model: dict[str, NDArray[Any]]) -> None:
    model["layers.17.down.weight"][3, 4] = np.nan


def _zeros(model: dict[str, NDArray[Any]]) -> None:
    model["layers.17.down.weight"][:] = 0


def _same(model: dict[str, NDArray[Any]]) -> None:
    model["layers.17.down.weight"] = model["layers.16.down.weight"].copy()


FAULTS = {
    "std is 3": _three_times,
    "1 element is NaN or infinite": _nan,
    "constant, unlike the others": _zeros,
    "has the same content as layers.16.down.weight": _same,
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_planted_fault_is_the_only_finding(text: str, tmp_path: Path) -> None:
    model = arrays()
    FAULTS[text](model)
    safetensors.numpy.save_file(model, tmp_path / "model.safetensors")
    for subject in (model, tmp_path / "model.safetensors"):
        (found,) = sb.report(subject).findings
        assert found.name == "layers.17.down.weight"
        assert found.text.startswith(text)


def test_what_a_rule_does_not_explain_is_found() -> None:
    with sb.connect("embedded:") as client:
        description = client.describe(llama(1)["embed"])
    exact = exact_distribution(description)
    sample = np.random.default_rng(1).normal(0, 0.05, 10_000)
    assert findings_in([figures(sample, exact=exact)]) == ()
    assert "1.5 times the exact" in findings_in([figures(sample * 1.5, exact=exact)])[0].text
    assert "mean is 0.09" in findings_in([figures(sample + 0.1, exact=exact)])[0].text
    assert "constant" in findings_in([figures(np.ones(99), exact=exact)])[0].text


# Pages.


def test_boxes_fill_their_frame_in_proportion() -> None:
    sizes = [float(each) for each in range(40, 0, -1)]
    boxes = squarified(sizes, Box(0, 0, 100, 56))
    scale = 100 * 56 / sum(sizes)
    for size, box in zip(sizes, boxes, strict=True):
        assert box.width * box.height == pytest.approx(size * scale)
        assert -1e-9 <= box.x <= box.x + box.width <= 100 + 1e-9
        assert -1e-9 <= box.y <= box.y + box.height <= 56 + 1e-9
        assert max(box.width / box.height, box.height / box.width) < 3


@pytest.mark.parametrize("name", ["h.0.mlp.c_fc.weight", "wte", "a/b/c", "..", "", "n" * 200])
def test_a_label_fits_and_ends_as_the_name_does(name: str) -> None:
    for columns in range(-1, 24):
        for lines in range(-1, 4):
            label = fitted_label(name, columns, lines)
            assert len(label) <= max(lines, 0)
            assert all(len(line) <= columns for line in label)
            assert name.endswith("".join(label).removeprefix("…"))
    assert "".join(fitted_label(name, 200, 1)) == name


def test_the_map_keeps_patterns_together_and_areas_true() -> None:
    groups = grouped(figures_of_arrays(arrays()))
    frame = Box(0, 0, 100, 56)
    shown = sized_groups(groups, frame)
    assert [sized.group.elements for sized in shown] == sorted(
        (sized.group.elements for sized in shown), reverse=True
    )
    elements = sum(sized.group.elements for sized in shown)
    for sized in shown:
        for each in sized.tensors:
            area = each.box.width * each.box.height
            assert area == pytest.approx(100 * 56 * each.tensor.elements / elements)
            assert sized.box.x - 1e-9 <= each.box.x
            assert each.box.x + each.box.width <= sized.box.x + sized.box.width + 1e-9
            assert sized.box.y - 1e-9 <= each.box.y
            assert each.box.y + each.box.height <= sized.box.y + sized.box.height + 1e-9


@pytest.mark.parametrize(
    ("times", "tints"), [(3.0, (0.0, 1.0)), (1.1, (0.43, 0.57)), (1, (0.5, 0.5))]
)
def test_tints_show_spread_that_is_more_than_chance(
    times: float, tints: tuple[float, float]
) -> None:
    array = np.random.default_rng(1).normal(size=(8, 8))
    groups = grouped([figures(array, "a"), figures(array * times, "b")])
    found = [each.tint for sized in sized_groups(groups, Box(0, 0, 1, 1)) for each in sized.tensors]
    assert (min(found), max(found)) == pytest.approx(tints, abs=0.01)


def test_a_page_asks_for_nothing_and_escapes_every_name() -> None:
    model = {
        name: np.random.default_rng(1).normal(size=(8, 8)) + i for i, name in enumerate(HOSTILE)
    }
    page = sb.report(model, title=HOSTILE[0]).html
    assert "default-src 'none'" in page
    assert not re.search(r"""(?:src|href)=["']?(?:https?:|//)|@import|url\(""", page)
    assert page.count("<script>") == 1
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert len(page) < 100_000


# Two models.


def one(initializer: Any = None, shape: Any = (16, 8), dtype: str = "float32", **more: Any) -> Any:
    spec = sb.TensorSpec("w", shape, dtype, initializer or sb.HeNormal(seed=1), **more)
    return sb.Manifest([spec])


OTHERS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "equal": (one(), ()),
    "shape": (one(shape=(8, 16)), ((16, 8), (8, 16))),
    "dtype": (one(dtype="bfloat16"), ("float32", "bfloat16")),
    "rule": (one(sb.GlorotUniform(seed=1)), ("HeNormal()", "GlorotUniform()")),
    "seed": (one(sb.HeNormal(seed=2)), (1, 2)),
    "draw": (one(draw=3), (0, 3)),
    "fan_in": (one(fan_axes=sb.FanAxes(in_axis=-1, out_axis=0)), (16.0, 8.0)),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_difference_says_what_differs(what: str) -> None:
    other, values = OTHERS[what]
    found = sb.report(one(), against=other).differences
    assert [(each.name, each.what, each.here, each.there) for each in found] == (
        [("w", what, *values)] if values else []
    )


def test_rule_and_seed_may_differ_at_once() -> None:
    found = sb.report(one(), against=one(sb.GlorotUniform(seed=2))).differences
    assert [each.what for each in found] == ["rule", "seed"]


def test_what_holds_the_same_numbers_is_equal_whatever_filled_it() -> None:
    ones, constants = one(sb.Ones()), one(sb.Constant(1.0))
    assert sb.report(ones, against=constants).differences == ()
    array = np.ones((16, 8), np.float32)
    assert sb.report(ones, against={"w": array}).differences == ()


CONTENTS: dict[str, tuple[list[float], list[float], float]] = {
    "numbers": ([1, 2, 3], [1, 2.5, 2], 1.0),
    "infinity": ([1, np.inf, 3], [2, np.inf, 3], 1.0),
    "infinities": ([1, np.inf, 3], [1, -np.inf, 3], np.inf),
    "NaN in both": ([1, np.nan, 3], [1.5, np.nan, 3], 0.5),
    "NaN in one": ([1, np.nan, 9], [1, 2, 3], np.nan),
    "too far": ([1, 1.7e308], [1, -1.7e308], np.inf),
    "a zero's sign": ([1, 0.0], [1, -0.0], 0.0),
}


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("dtype", [np.float64, ml_dtypes.bfloat16], ids=["float64", "bfloat16"])
def test_contents_differ_by_at_most_the_largest_difference(kind: str, dtype: Any) -> None:
    here, there, largest = CONTENTS[kind]
    report = sb.report({"w": np.array(here, dtype)}, against={"w": np.array(there, dtype)})
    (found,) = report.differences
    assert (found.what, found.here, found.there) == ("content", None, None)
    np.testing.assert_equal(found.largest, largest)


def test_zeros_of_two_signs_differ_in_bits_only() -> None:
    report = sb.report({"w": np.zeros(3)}, against={"w": -np.zeros(3)})
    (difference,) = report.differences
    assert difference.largest == 0
    assert "content, in bits only" in report.html


def test_a_manifests_content_has_no_largest_difference() -> None:
    with sb.connect("embedded:") as client:
        array = client.sample(one()["w"]) + 1
    (found,) = sb.report(one(), against={"w": array}).differences
    assert (found.what, found.largest) == ("content", None)


def test_what_is_too_large_to_be_digested_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "DIGESTED_BYTES", 0)
    found = sb.report(llama(1), against=llama(1)).differences
    assert {each.what for each in found} == {"not compared"}
    assert not any("norm" in each.name for each in found)
    assert {each.what for each in sb.report(one(), against=OTHERS["seed"][0]).differences} == {
        "seed"
    }


def test_two_models_are_shown_side_by_side(tmp_path: Path) -> None:
    here, there = arrays(1), arrays(1)
    for layer in (20, 3, 9):
        there[f"layers.{layer}.q.weight"][5, 5] += 0.25
    there["embed"] = np.zeros((200, 64), np.float32)
    del there["head"]
    there["extra"] = np.zeros(3, np.float32)
    there["layers.17.down.weight"] *= 3
    there["layers.17.down.weight"][0, 0] = np.nan
    report = sb.report(here, against=there, against_title="the <other>")
    assert report.findings == ()
    assert [each.name for each in report.other_findings] == ["layers.17.down.weight"] * 2
    assert report.findings is report.findings
    assert report.other_findings is report.other_findings
    equal = 300 - 3 - 1 - 1 - 1
    words = f"Beside the &lt;other&gt;: {equal} equal, 5 different, 1 here only, 1 there only"
    assert words in report.html
    page = report.html.replace("<wbr>", "")
    shown = re.findall(r"<li><code>([^<]+)</code><span>([^<]+)</span></li>", page)
    assert shown == [
        ("embed", "shape 256 × 64 here, 200 × 64 there"),
        ("head", "here only"),
        ("layers.*.q.weight × 3 of 33 (3, 9, 20)", "content, elements by at most 0.25"),
        ("layers.17.down.weight", "content, NaN in one of them"),
        ("extra", "there only"),
    ]
    assert "2 findings in the &lt;other&gt;" in report.html
    assert report.save(tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


def test_without_another_model_there_are_no_differences() -> None:
    report = sb.report(one())
    assert (report.other_findings, report.differences) == ((), ())
    assert "Beside" not in report.html


def test_another_models_outline_lies_over_the_same_values() -> None:
    array = np.random.default_rng(1).normal(size=100_000)
    drawn = histogram(figures(array), figures(array))
    points = [pair.split(",") for pair in drawn.split('points="')[1].split('"')[0].split()]
    bars = [float(each) for each in re.findall(r"V([\d.]+)h", drawn)]
    assert len(points) == len(bars) == 40
    for place, ((x, y), top) in enumerate(zip(points, bars, strict=True)):
        assert float(x) == pytest.approx((place + 0.5) * 150 / 40, abs=0.06)
        assert float(y) == pytest.approx(top, abs=0.06)


def test_a_report_is_saved_and_shown(tmp_path: Path) -> None:
    report = sb.report(arrays(), title="mine")
    assert report.save(tmp_path / "r.html").read_text() == report.html
    assert report.save(tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(sb.InvalidValueError, match=r"ends in \.html or \.png"):
        report.save(tmp_path / "r.pdf")
    assert report._repr_html_().startswith("<iframe srcdoc=")
    assert repr(report) == "<Report of 'mine': 300 tensors, 0 findings>"
    with pytest.raises(sb.InvalidTypeError, match="Manifest, arrays by name"):
        sb.report(5)  # type: ignore[arg-type]


def test_a_live_models_arrays_are_read_one_by_one_and_not_to_see_whether_they_are_there() -> None:
    read: list[str] = []

    def array(name: str, size: int) -> NDArray[Any]:
        read.append(name)
        return np.ones(size)

    live = LiveArrays({"a": 2, "b": 3}, array)
    assert ("a" in live, "c" in live, len(live), list(live)) == (True, False, 2, ["a", "b"])
    assert read == []
    assert [each.shape for each in sb.report(live).model.tensors] == [(2,), (3,)]
    assert read == ["a", "b"]


# What is no subject.


@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("torch.nn.modules.linear", "seedbed.torch.report"),
        ("flax.linen.linear", "seedbed.jax.report"),
        ("keras.src.layers", "seedbed.keras.report"),
        ("tf_keras.src.layers", "seedbed.keras.report"),
        ("mlx.nn.layers.linear", "seedbed.mlx.report"),
    ],
)
@pytest.mark.parametrize("base", [object, dict])
def test_the_error_for_a_frameworks_model_names_what_draws_it(
    module: str, function: str, base: type
) -> None:
    layer: Any = type("Mine", (type("Layer", (base,), {"__module__": module}),), {})()
    says = f"Mine\\); {function} draws a live model$"
    with pytest.raises(sb.InvalidTypeError, match=says):
        sb.report(layer)
    with pytest.raises(sb.InvalidTypeError, match=says):
        sb.report({}, against=layer)
    with pytest.raises(sb.InvalidTypeError, match=rf"`subject\['w'\]` must be a numpy.*{function}"):
        sb.report({"w": layer})


def test_a_keras_layer_that_is_pytorchs_as_well_is_keras_own() -> None:
    base = type("Module", (), {"__module__": "torch.nn"})
    layer: Any = type("Layer", (base,), {"__module__": "keras.src.layers"})()
    with pytest.raises(sb.InvalidTypeError, match=r"seedbed\.keras\.report draws"):
        sb.report(layer)


def test_the_error_names_the_argument_and_the_array() -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"`against` must be a Manifest, arrays by name"):
        sb.report(arrays(), against=5)  # type: ignore[arg-type]
    with pytest.raises(
        sb.InvalidTypeError, match=r"`subject\['w'\]` must be a numpy array\. .*\[1\]"
    ):
        sb.report({"w": [1]})  # type: ignore[dict-item]
    for dtype in (np.complex64, np.dtype("U3"), np.object_):
        with pytest.raises(sb.InvalidValueError, match=r"`against\['w'\]` must be .*real numbers"):
            sb.report({}, against={"w": np.zeros(3, dtype)})


# Numbers and names at the edge.


NORMAL = np.random.default_rng(5).normal(size=300)
EDGES = {
    "two neighbours": np.array([1.0, np.nextafter(1, 2)]),
    "integers that float64 rounds": np.array([2**60, 2**60 + 256]),
    "the ends of float64": np.array([-1.7e308, 1.7e308]),
    "huge": 1e300 * NORMAL,
    "tiny": 1e-300 * NORMAL,
    "subnormal": np.array([0, 5e-324]),
    "infinite": np.array([1, np.inf, 2]),
    "no number": np.full(9, np.nan),
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("kind", EDGES)
def test_any_numbers_have_a_page_and_a_picture(kind: str, tmp_path: Path) -> None:
    usual = {f"h.{place}.w": NORMAL for place in range(5)}
    report = sb.report({**usual, "h.5.w": EDGES[kind]}, against={**usual, "h.5.w": NORMAL})
    assert "nan" not in re.sub(r"<title>.*?</title>", "", report.html).lower().split("<svg")[1]
    for suffix in (".html", ".png"):
        assert report.save(tmp_path / f"r{suffix}").stat().st_size > 1_000
    assert sb.report({"w": NORMAL}, against={"w": EDGES[kind]}).html


def test_a_layer_is_so_unlike_the_others_that_float64_has_no_number_for_it() -> None:
    layers = {f"h.{place}.w": 1e-300 * (9 + place) * NORMAL for place in range(5)}
    (found,) = sb.report({**layers, "h.2.w": 1e300 * NORMAL}).findings
    assert found.name == "h.2.w" and found.text.startswith("std is inf times")


def test_a_huge_layer_has_a_gain() -> None:
    manifest = sb.Manifest([sb.TensorSpec("w", (30, 10), "float64", sb.HeNormal(seed=1))])
    report = sb.report({"w": 1e200 * NORMAL.reshape(30, 10)}, manifest=manifest)
    assert "<b>inf</b>" in report.html


@pytest.mark.parametrize("digits", [400, 5_000])
def test_more_digits_than_a_number_has_are_a_name(digits: int) -> None:
    names = ["1" * digits, "2" * digits]
    report = sb.report(dict.fromkeys(names, NORMAL), against=dict.fromkeys(names, -NORMAL))
    assert [each.pattern for each in grouped(report.model.tensors)] == names
    assert report.html


def test_a_picture_has_names_and_a_title_of_any_letters(tmp_path: Path) -> None:
    named = sb.report(dict.fromkeys([*HOSTILE, "你好"], NORMAL), title="\udcff\x1b[31m 你 $x$")
    assert named.save(tmp_path / "r.png").stat().st_size > 1_000


def test_what_is_not_finite_costs_no_copy_of_the_rest() -> None:
    array = np.ones(2**22, np.float16)
    array[5] = np.nan
    tracemalloc.start()
    assert figures(array).not_finite == 1
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < array.size * 8 / 2


def test_the_time_of_many_layers_is_in_proportion_to_them() -> None:
    constant, other = figures(np.ones(4)), figures(np.arange(4.0))
    many = [
        replace(other if place % 4 else constant, name=f"h.{place}.w") for place in range(20_000)
    ]
    begun = time.process_time()
    assert len(findings_in(many)) == len(many) // 4
    names = {each.name: each.name for each in many}
    assert size_map(grouped(many), (), names).count("<a ") == len(many)
    # A second; it was minutes.
    assert time.process_time() - begun < 20


def test_the_content_that_a_rule_gives_to_several_tensors_is_nothing_unusual() -> None:
    specs = [sb.TensorSpec(name, (8, 8), "float32", sb.Identity()) for name in "ab"]
    assert sb.report(sb.Manifest(specs)).findings == ()
    (found,) = sb.report({"a": NORMAL, "b": NORMAL}).findings
    assert found.text == "has the same content as a"


def test_a_file_cannot_say_what_its_digest_is(tmp_path: Path) -> None:
    says = {"digest": "wrong", "model_digest": "wrong", "format": "pt", "seed": "7"}
    safetensors.numpy.save_file({"w": NORMAL}, tmp_path / "w.safetensors", says)
    facts = sb.report(tmp_path / "w.safetensors").model.facts
    assert facts == {"digest": sb.report({"w": NORMAL}).model.facts["digest"], "seed": "7"}


def test_the_current_folder_has_a_name_and_no_path_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    safetensors.numpy.save_file({"w": NORMAL}, tmp_path / "model.safetensors")
    monkeypatch.chdir(tmp_path)
    assert sb.report(".").model.title == tmp_path.name
    with pytest.raises(sb.InvalidValueError, match=r'`subject` must be the path .*""'):
        sb.report("")


@pytest.mark.parametrize(
    ("array", "sampled"),
    [([0.0, 0.0, np.nan, 0.0], 4), ([0.0, 0.0, 0.0, 1.0], 4), ([0.0, 0.0, 0.0, 0.0], 2)],
    ids=["NaN", "another number", "not all was sampled"],
)
def test_without_digests_only_what_is_known_is_equal(
    array: list[float], sampled: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "DIGESTED_BYTES", 0)
    manifest = sb.Manifest([sb.TensorSpec("w", (4,), "float32", sb.Zeros())])
    zeros, other = ({"w": np.array(each, np.float32)} for each in ([0.0] * 4, array))
    assert sb.report(zeros, against=manifest).differences == ()
    (found,) = sb.report(other, against=manifest, sample_elements=sampled).differences
    assert found.what == "not compared"


@pytest.mark.parametrize("width", [1e-12, 1e-7, 1e-5, 1e-3, 0.1, 0.49, 0.51, 2.0])
@pytest.mark.parametrize("lower", [-4.0, -0.3, 0.0, 1.0, 3.5])
def test_the_figures_of_near_bounds_do_not_cancel(lower: float, width: float) -> None:
    upper = lower + width
    initializer = sb.TruncatedNormal(stddev=1.0, lower=lower, upper=upper)
    with sb.connect("embedded:") as client:
        spec = sb.TensorSpec("w", (4,), "float64", initializer, seed=1)
        exact = exact_distribution(client.describe(spec))
    assert exact is not None
    z = np.linspace(0, upper - lower, 20_001)
    weights = np.exp(-z * (z + 2 * lower) / 2)
    weights[[0, -1]] /= 2  # the trapezoidal rule
    mean = np.average(z, weights=weights)
    variance = np.average(np.square(z - mean), weights=weights)
    assert exact.mean - lower == pytest.approx(mean, rel=1e-6, abs=1e-15)
    assert exact.stddev == pytest.approx(np.sqrt(variance), rel=1e-6)
    assert exact.probability(lower, upper) == pytest.approx(1, rel=1e-3)


@pytest.mark.parametrize(
    "initializer",
    [sb.TruncatedNormal(mean=1e20, stddev=1.0), sb.RandomNormal(mean=1e20, stddev=1.0)],
    ids=["truncated", "normal"],
)
def test_a_spread_that_the_mean_swallows_is_no_distribution(initializer: Any) -> None:
    spec = sb.TensorSpec("w", (4,), "float64", initializer, seed=1)
    with sb.connect("embedded:") as client:
        assert exact_distribution(client.describe(spec)) is None
        assert set(client.sample(spec)) == {1e20}


@pytest.mark.parametrize(("lower", "upper"), [(4.0, np.inf), (-np.inf, -4.0)], ids=str)
def test_a_far_tail_is_shown(lower: float, upper: float) -> None:
    spec = sb.TensorSpec(
        "w", (9,), "float32", sb.TruncatedNormal(stddev=1.0, lower=lower, upper=upper), seed=1
    )
    with sb.connect("embedded:") as client:
        exact = exact_distribution(client.describe(spec))
    assert exact is not None
    assert 0.98 < exact.probability(*exact.shown) <= 1
    assert np.diff(exact.shown) == pytest.approx(1, abs=0.2)
