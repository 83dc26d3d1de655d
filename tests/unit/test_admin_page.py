"""The status page as text: whole without a script, and nothing in it but what was meant."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from seedbed_server.admin import quantities
from seedbed_server.admin.charts import Series, chart, nice
from seedbed_server.admin.history import POINTS, History, Point
from seedbed_server.admin.reading import MetricsReading
from seedbed_server.admin.rendering import render
from seedbed_server.admin.status import MethodStatus, Resource, Status, Times, status

VOID = {"meta", "link", "br"}


class Elements(HTMLParser):
    """Collects ids and text, and refuses elements that do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def quiet() -> Status:
    return status(MetricsReading(at=1.0, serving=1, backend="cpu", version="0.1.0"), History(), 1)


def busy() -> Status:
    return replace(
        quiet(),
        now=Point(1.5e9, 1.2e9, 12.34, 3.0, 1),
        window_seconds=301.0,
        calls=1200,
        refusals={"TOO_MANY_STREAMS": 30, "<script>": 2},
        methods=(
            MethodStatus("<b>", {"OK": 3, "<i>": 2}, Times(0.00042, 1.25), 1234),
            MethodStatus("unknown", {}, Times(None, None), 0),
        ),
        first_chunk_seconds=Times(0.002, 0.04),
        resources=(Resource("working_bytes", 3.6 * 2**30, 2**32), Resource("<u>", 1, 2)),
        waiting={"loop": 0, "chunks": 1234},
        served_bytes={"stream": 2**40, "fill": 0},
        devices=("<em>",),
        history=tuple(Point(i * 1e6, i * 5e5, i, i / 10, i) for i in range(POINTS)),
    )


def text_of(page: str) -> str:
    elements = Elements()
    elements.feed(page)
    assert elements.open == []
    assert len(elements.ids) == len(set(elements.ids))
    return " ".join("".join(elements.words).split())


def test_a_quiet_server_reads_calmly() -> None:
    text = text_of(render(quiet()))
    assert "Serving 0 streams under way, 0 B/s. No call was refused" in text
    assert "Jobs that wait for their turn: none." in text


def test_a_busy_server_tells_what_it_refuses_and_what_is_short() -> None:
    text = text_of(render(busy()))
    assert (
        "1 stream under way, 1.5 GB/s. Refused 32 of 1,200 calls in the last 5 min, most for "
        "TOO_MANY_STREAMS."
    ) in text
    assert "3.6 GiB of 4 GiB" in text
    assert "1,234 chunks" in text
    assert "420 µs" in text
    assert "1 TiB in chunks" in text
    assert "unknown methods" not in text


def test_nothing_that_a_server_says_becomes_an_element() -> None:
    page = render(busy())
    for word in ("<script>", "<b>", "<i>", "<u>", "<em>"):
        assert word not in page.replace('<script src="page.js" defer></script>', "").replace(
            '<b id="', ""
        )
    assert "&lt;script&gt;" in page


def test_a_bar_calls_for_attention_when_little_is_left() -> None:
    full = replace(quiet(), resources=(Resource("streams", 8, 10),))
    less = replace(quiet(), resources=(Resource("streams", 7, 10),))
    assert 'class="high" width="80.0%"' in render(full)
    assert 'class="used" width="70.0%"' in render(less)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("starting", "Starting Kernels are compiled"),
        ("stopping", "Stopping Streams under way go on"),
        ("partly serving", "Partly serving 1 of 2 processes serve."),
    ],
)
def test_what_does_not_serve_says_so_first(state: str, words: str) -> None:
    page = render(replace(quiet(), state=state, expected=2))  # type: ignore[arg-type]
    assert words in text_of(page)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (60, "No call was refused in the last 0 s."),
        (3.5, "The TLS certificate expires in 3 d 12 h."),
        (-1.25, "The TLS certificate expired 1 d 6 h ago."),
    ],
)
def test_a_certificate_that_ends_soon_is_seen_first(days: float, words: str) -> None:
    now = replace(quiet(), time=1_800_000_000.0)
    page = render(replace(now, certificate_expires_at=now.time + days * 86400))
    assert f"{words} " in text_of(page).split("Throughput")[0]
    assert "<dt>Certificate</dt><dd>until 2027-" in page


def test_a_server_without_tls_says_so() -> None:
    assert "<dt>Certificate</dt><dd>none, TLS is off</dd>" in render(quiet())
    assert "<dt>Certificate</dt><dd>\N{EN DASH}</dd>" in render(replace(quiet(), backend=""))


def test_a_chart_ends_now_and_begins_where_its_history_does() -> None:
    svg = chart([Series("streams", [0, 5, 10])], quantities.count, "count")
    assert f'd="M{POINTS - 3} 100L{POINTS - 2} 50L{POINTS - 1} 0"' in svg
    assert '<span class="top">10</span>' in svg
    assert 'd=""' in chart([Series("streams", [])], quantities.count, "count")


def test_a_page_of_a_full_history_is_not_large() -> None:
    assert len(render(busy())) < 2**16


@pytest.mark.parametrize(
    ("value", "end"), [(0, 1), (0.3, 1), (1, 1), (1.01, 2), (4, 5), (7e8, 1e9), (2e9, 2e9)]
)
def test_scales_end_at_round_numbers(value: float, end: float) -> None:
    assert nice(value) == end


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (quantities.size(0), "0 bytes"),
        (quantities.size(1023), "1,023 bytes"),
        (quantities.size(1024), "1 KiB"),
        (quantities.size(1.5 * 2**30), "1.5 GiB"),
        (quantities.size(2**60), "1,024 PiB"),
        (quantities.throughput(999.9), "1 kB/s"),
        (quantities.throughput(1.2345e9), "1.23 GB/s"),
        (quantities.rate(0.044), "0.04/s"),
        (quantities.rate(1240), "1,240/s"),
        (quantities.seconds(0.00012), "120 µs"),
        (quantities.seconds(0.0123), "12.3 ms"),
        (quantities.seconds(61), "61 s"),
        (quantities.seconds(None), "\N{EN DASH}"),
        (quantities.duration(0), "0 s"),
        (quantities.duration(61), "1 min 1 s"),
        (quantities.duration(90_000), "1 d 1 h"),
    ],
)
def test_quantities_have_three_digits_and_a_unit(text: str, expected: str) -> None:
    assert text == expected
