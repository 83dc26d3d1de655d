"""The status page of a real server under load, in a real browser."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import seedbed as sb
from tests.browser import Tab, browser
from tests.free_addresses import free_address
from tests.servers import ServerProcess, serving

SETTINGS = ("--admin-listen", "127.0.0.1:0", "--max-tensor-bytes", "100000000")
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
CHARTS = ("throughput", "streams", "call-rate", "refused")


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    with serving(*SETTINGS) as process:
        yield process


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    with browser(tmp_path) as opened:
        yield opened


def url_of(server: ServerProcess) -> str:
    return "http://" + server.wait_for(r" INFO admin address=(\S+)") + "/"


@contextmanager
def load(server: ServerProcess) -> Iterator[None]:
    """Let clients fetch tensors, and be refused, within the block."""
    done = threading.Event()

    def fetch() -> None:
        with sb.connect(server.address) as client:
            while not done.wait(0.05):
                client.sample(sb.TensorSpec("w", (2**20,), "float32", sb.RandomNormal(seed=1)))
                client.sample(sb.TensorSpec("s", (9,), "float32", sb.RandomNormal(seed=1)))
                with pytest.raises(sb.InvalidArgumentError):
                    client.sample(sb.TensorSpec("w", (2**25,), "float32", sb.Zeros()))

    thread = threading.Thread(target=fetch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def assert_quiet(tab: Tab, url: str) -> None:
    """Nothing went wrong in the page, and it asked only its server for anything."""
    assert tab.console == []
    assert {each.startswith(url) for each in tab.requests} == {True}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_page_shows_a_server_under_load(
    server: ServerProcess, tab: Tab, size: dict[str, int], scheme: str
) -> None:
    tab.look_as(**size, scheme=scheme)
    with load(server):
        tab.open(url_of(server))
        tab.wait_for("document.querySelector('#refusals code')?.textContent === 'OVER_LIMIT'")
        for name in CHARTS:  # they move on by themselves
            tab.wait_for(f"/M.*L/.test(document.querySelector('#{name} .line').getAttribute('d'))")
        before = tab.evaluate("document.getElementById('time').textContent")
        tab.wait_for(f"document.getElementById('time').textContent !== '{before}'")
    assert tab.evaluate("document.title") == "Serving · seedbed"
    assert tab.evaluate("document.documentElement.scrollWidth") <= size["width"]
    colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, colour[4:-1].split(","))) > 384) == (scheme == "light")
    assert_quiet(tab, url_of(server))


def test_the_keyboard_reaches_the_charts_and_reads_them(server: ServerProcess, tab: Tab) -> None:
    tab.look_as(**DESK, scheme="light")
    tab.open(url_of(server))
    tab.wait_for("document.querySelector('#streams .line').getAttribute('d') !== ''")
    tab.press("Tab")
    focused = "document.activeElement.getAttribute('aria-labelledby')"
    assert tab.evaluate(focused) == "served-title served-now"
    tab.press("Tab")
    assert tab.evaluate(focused) == "streams-title streams-now"
    tab.press("ArrowLeft")
    reading = "document.querySelector('.reading').textContent"
    assert tab.evaluate(reading).startswith("3 s ago: streams ")
    for _ in range(3):
        tab.press("Tab")
    assert tab.evaluate("document.activeElement.href") == url_of(server) + "status.json"
    assert tab.evaluate("document.querySelector('.reading')") is None
    assert_quiet(tab, url_of(server))


def test_the_page_is_whole_without_scripts(server: ServerProcess, tab: Tab) -> None:
    tab.look_as(**PHONE, scheme="light")
    tab.open(url_of(server), with_scripts=False)
    assert tab.evaluate("document.getElementById('state').textContent") == "Serving"
    assert "streams under way" in tab.evaluate("document.getElementById('summary').textContent")
    assert tab.evaluate("document.querySelectorAll('#methods tr').length") == 6
    refresh = tab.evaluate("document.querySelector('noscript meta').content")
    assert refresh == "5"
    assert_quiet(tab, url_of(server))


def test_the_page_says_that_it_lost_its_server_and_finds_the_next_one(tab: Tab) -> None:
    address = free_address()  # which the browser's tries to connect are not given meanwhile
    with serving("--admin-listen", address) as first:
        url = url_of(first)
        tab.look_as(**DESK, scheme="dark")
        tab.open(url)
        lost = "document.getElementById('lost')"
        assert tab.evaluate(f"{lost}.hidden")
        first.signal(signal.SIGKILL)
        tab.wait_for(f"!{lost}.hidden")
        assert tab.evaluate(f"{lost}.textContent").startswith("No answer from the server since ")
        assert tab.evaluate("document.body.className") == "stale"
    with serving("--admin-listen", address):
        tab.wait_for(f"{lost}.hidden")
        assert tab.evaluate("document.body.className") == ""
    assert {each.startswith(url) for each in tab.requests} == {True}
