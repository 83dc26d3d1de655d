"""The picture of the benchmarks has the figures that docs/performance.md publishes."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

from benchmarks.comparison import Comparison, comparisons
from benchmarks.picture import draw
from benchmarks.published import published
from benchmarks.result import Result

PAGE = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")


@pytest.fixture
def figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Figure:
    """The picture of the page, with its layout done."""
    saved: list[Figure] = []
    original = Figure.savefig

    def keep(self: Figure, *args: Any, **kwargs: Any) -> None:
        saved.append(self)
        original(self, *args, **kwargs)

    monkeypatch.setattr(Figure, "savefig", keep)
    draw(tmp_path / "picture.png", published(PAGE))
    return saved[0]


def test_every_comparison_of_the_page_is_read() -> None:
    found = published(PAGE)
    assert len(found) == 6 + 9
    assert found[0] == Comparison(
        "Sampling float32 in one process", "uniform, 1 thread", "numpy", 2.5, 2.5, 2.5
    )
    for each in found:
        assert each.slowest <= each.speedup <= each.fastest
        assert f"({each.slowest:.1f}-" in PAGE or f"({each.slowest:.2f}-" in PAGE


def test_a_page_without_a_row_is_no_page() -> None:
    with pytest.raises(ValueError, match="no row 'Orthogonal"):
        published(PAGE.replace("| Orthogonal 2048x2048", "| Other"))


def test_each_bar_goes_from_1_to_the_median(figure: Figure) -> None:
    bars = [bar for bar in figure.axes[0].patches if isinstance(bar, Rectangle)]
    ends = [bar.get_x() + bar.get_width() for bar in bars]
    assert [bar.get_x() for bar in bars] == [1] * len(bars)
    assert ends == pytest.approx([each.speedup for each in published(PAGE)])


def test_its_texts_do_not_overlap_and_stay_inside(figure: Figure) -> None:
    texts = [text for text in figure.findobj(Text) if text.get_text()]
    boxes = {text: text.get_window_extent() for text in texts if text.get_visible()}
    words = [text for text in boxes if not text.get_text().endswith("x")]  # not ticks
    for text in words:
        assert boxes[text].x0 >= 0 and boxes[text].x1 <= figure.bbox.width, text.get_text()
        for other in words:
            assert other is text or not boxes[text].overlaps(boxes[other]), (text, other)


def test_results_of_a_run_are_compared_with_their_best_peer() -> None:
    figures = {"seedbed": [2.0, 4.0, 3.0], "numpy": [1.0, 1.0, 1.0], "JAX": [0.5, 0.5, 0.5]}
    other = {"seedbed": [1.0], "seedbed, 1 worker": [1.0]}
    shown = comparisons(
        [
            Result(1, "normal float32, 1 thread", "GB/s", True, figures),
            Result(1, "normal float16, 1 thread", "GB/s", True, figures),
            Result(12, "4 clients", "GB/s", True, other),
            Result(8, "latency", "ms", False, {"seedbed": [2.0], "bare gRPC echo": [1.0]}),
            Result(13, "fetch it", "GB/s", True, {"seedbed": [3.0], "bare gRPC": [2.0]}),
        ]
    )
    assert [(each.task, each.peer, each.speedup) for each in shown] == [
        ("normal, 1 thread", "numpy", 3.0),
        ("it", "bare gRPC", 1.5),
        ("latency", "bare gRPC echo", 0.5),
    ]
