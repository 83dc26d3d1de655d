"""The built site: every public name is in it, and it loads nothing from elsewhere.

`make docs` runs it in .venv-docs, on what it has just built.
"""

import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import griffe
import pytest
from mkdocstrings import Inventory

from tests.browser import browser

ROOT = Path(__file__).parents[2]
SITE = ROOT / "site"
PAGES = sorted(path for path in SITE.rglob("*.html") if "playground" not in path.parts)
PACKAGES = (
    "seedbed",
    "seedbed.aio",
    "seedbed.compat.v1",
    "seedbed.compat.v1.keras.initializers",
    "seedbed.jax",
    "seedbed.keras",
    "seedbed.mlx",
    "seedbed.torch",
)
# What a browser fetches by itself; a link that is only followed may lead anywhere.
FETCHED = re.compile(
    r"<(?:script|img|iframe|source|audio|video)\b[^>]*\bsrc=[\"']?([^\"'\s>]+)"
    r"|<link\b(?![^>]*rel=[\"']?(?:canonical|prev|next))[^>]*\bhref=[\"']?([^\"'\s>]+)"
)
LOOKED_AT = ("index", "reference/client", "operations", "explanations/alternatives")
LOOKS = ((1280, 800, "light"), (390, 844, "dark"))


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files, and says nothing about it."""

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002
        """Say nothing."""


@pytest.fixture(scope="module")
def inventory() -> set[str]:
    """Every name that the reference has an entry of."""
    with (SITE / "objects.inv").open("rb") as file:
        return set(Inventory.parse_sphinx(file))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_an_entry(package: str, inventory: set[str]) -> None:
    module = griffe.load(package, search_paths=[ROOT / "client"])
    exports = [str(getattr(each, "name", each)) for each in module.exports or ()]
    assert len(exports) > 1
    # A function may hide the module of its own name, as seedbed.jax.digests does.
    names = [{f"{package}.{name}", f"{package}.{name}.{name}"} for name in exports]
    assert [each for each in names if not each & inventory] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(SITE)))
def test_a_page_fetches_nothing_from_elsewhere(path: Path) -> None:
    fetched = [a or b for a, b in FETCHED.findall(path.read_text(encoding="utf-8"))]
    assert fetched
    assert [each for each in fetched if urlparse(each).netloc] == []


def test_styles_fetch_nothing_from_elsewhere() -> None:
    styles = sorted(SITE.rglob("*.css"))
    assert styles
    for path in styles:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//", text), path


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the site is served, on this machine."""
    handler = partial(QuietHandler, directory=SITE)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_browser_opens_pages_without_a_network(address: str, tmp_path: Path) -> None:
    with browser(tmp_path) as tab:
        for name in LOOKED_AT:
            for width, height, scheme in LOOKS:
                tab.look_as(width=width, height=height, scheme=scheme)
                tab.open(f"{address}/{name}.html")
                # Wide tables and code scroll in themselves; the page does not.
                assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
        assert [each for each in tab.requests if not each.startswith((address, "data:"))] == []
        # The search says that it has started.
        assert [each for each in tab.console if '"level": "info"' not in each] == []


@pytest.mark.parametrize(("width", "height", "scheme"), LOOKS)
def test_the_search_finds_a_page(
    width: int, height: int, scheme: str, address: str, tmp_path: Path
) -> None:
    with browser(tmp_path) as tab:
        tab.look_as(width=width, height=height, scheme=scheme)
        tab.open(f"{address}/index.html")
        tab.wait_for("document.querySelector('button.search').offsetWidth > 0")
        tab.evaluate("document.querySelector('button.search').click()")
        tab.wait_for("document.querySelector('#search-dialog').open")
        # It answers what was typed a moment ago, once its index is there: so type now and then.
        tab.wait_for(
            """(() => {
                const field = document.querySelector('#search-dialog input');
                if (!(Date.now() - window.typedAt < 2000)) {
                    window.typedAt = Date.now();
                    field.value = 'several replicas';
                    field.dispatchEvent(new Event('input', {bubbles: true}));
                }
                const found = '#mkdocs-search-results a[href*="how-to/replicas.html"]';
                return document.querySelector(found) !== null;
            })()"""
        )
        dialog = "document.querySelector('#search-dialog').getBoundingClientRect()"
        assert tab.evaluate(f"{dialog}.left") >= 0
        assert tab.evaluate(f"{dialog}.right") <= width


def test_a_title_of_the_menu_stays_in_its_line(address: str, tmp_path: Path) -> None:
    with browser(tmp_path) as tab:
        tab.look_as(width=1280, height=800, scheme="light")
        tab.open(f"{address}/index.html")
        links = "[...document.querySelectorAll('li > a')]"
        assert tab.evaluate(f"{links}.length") > 20
        high = f"{links}.filter(a => a.scrollHeight > a.clientHeight + 8).map(a => a.innerText)"
        assert tab.evaluate(high) == []
