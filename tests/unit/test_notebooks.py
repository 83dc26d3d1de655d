"""What notebooks show of values: tables with every figure, escaped, folded, without a script."""

import pickle
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
from seedbed.spec.html import MAX_ROWS
from tests.browser import browser

HOSTILE = "<script>alert(1)</script>&\"'\x1b[31m\u202e" + "x" * 900
MANIFEST = sb.Manifest(
    sb.TensorSpec(f"h.{layer}.weight", (4, layer + 1), "bfloat16", sb.HeNormal(), seed=layer)
    for layer in range(MAX_ROWS + 20)
)
HOSTILE_SPEC = sb.TensorSpec(HOSTILE, (2, 3), "float32", sb.RandomNormal(stddev=0.02), seed=7)


class Page(HTMLParser):
    """The rows of a page's tables, and the elements that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.elements: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append(tag)
        self.open.append(tag)
        assert {name for name, _ in attrs} <= {"style"}
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)


def page_of(value: Any) -> Page:
    return Page(value._repr_html_())


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    """A value of each type that has a table."""
    with sb.connect("embedded:") as client:
        return {
            "Manifest": MANIFEST,
            "TensorSpec": HOSTILE_SPEC,
            "TensorDescription": client.describe(HOSTILE_SPEC),
            "digests": client.digest_all(sb.Manifest([*MANIFEST.tensors, HOSTILE_SPEC])),
        }


def test_a_manifest_has_a_row_for_each_tensor_and_folds_what_is_beyond_50() -> None:
    page = page_of(MANIFEST)
    headings = ["name", "shape", "dtype", "initializer", "seed"]
    rows = [[f"h.{i}.weight", f"(4, {i + 1})", "bfloat16", "HeNormal()", str(i)] for i in range(70)]
    assert page.rows == [headings, *rows[:50], headings, *rows[50:]]
    assert page.elements.count("details") == 1
    assert "20 more rows" in MANIFEST._repr_html_()
    assert "details" not in page_of(sb.Manifest(MANIFEST.tensors[:50])).elements


def test_a_spec_and_a_description_have_their_figures(values: dict[str, Any]) -> None:
    rows = {row[0]: row[1] for row in page_of(values["TensorSpec"]).rows if len(row) == 2}
    assert rows["shape"] == "(2, 3)" and rows["seed"] == "7" and rows["bytes"] == "24"
    assert rows["initializer"] == "RandomNormal(mean=0.0, stddev=0.02)"
    described = dict(page_of(values["TensorDescription"]).rows)
    assert described["stddev"] == "0.02" and described["dtype"] == "float32"
    assert "value" not in described


def test_digests_are_a_dict_with_a_table(values: dict[str, Any]) -> None:
    digests: Any = values["digests"]
    assert type(digests).__mro__[1] is dict
    assert digests == dict(digests) and repr(digests) == repr(dict(digests))
    assert pickle.loads(pickle.dumps(digests)) == digests
    first = digests["h.0.weight"]
    assert page_of(digests).rows[1] == ["h.0.weight", "xxh3_128", first.value.hex(), "8"]
    assert str(sb.digest_of(digests)) in digests._repr_html_()


def test_a_name_is_text_and_nothing_else(values: dict[str, Any]) -> None:
    for value in values.values():
        assert not {"script", "link", "img", "iframe"} & set(page_of(value).elements)
    for name in ("TensorSpec", "TensorDescription", "digests"):
        text = values[name]._repr_html_()
        assert "&lt;script&gt;" in text and "\\x1b[31m\\u202e" in text
        assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_browser_shows_them_on_any_ground_and_width(
    values: dict[str, Any], scheme: str, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    tables = "\n".join(value._repr_html_() for value in values.values())
    style = ":root { color-scheme: light dark }"
    page.write_text(f"<!doctype html><meta charset=utf-8><style>{style}</style>{tables}")
    with browser(tmp_path) as tab:
        tab.look_as(width=800, height=900, scheme=scheme)
        tab.open(page.as_uri())
        colour = tab.evaluate("getComputedStyle(document.querySelector('td')).color")
        assert colour == ("rgb(0, 0, 0)" if scheme == "light" else "rgb(255, 255, 255)")
        assert tab.evaluate("document.documentElement.scrollWidth") <= 800
        assert tab.console == [] and tab.requests == [page.as_uri()]
        tab.look_as(width=390, height=900, scheme=scheme)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
