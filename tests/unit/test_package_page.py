"""The README as the page of a package index."""

import re
from pathlib import Path

from tools.package_page import page, urls

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
TARGETS = re.compile(r"\]\(([^)]+)\)")
HOME = "https://code.example.org/seedbed"


def test_with_an_address_every_link_leads_to_the_tag_of_the_version() -> None:
    text = page(
        "[a](docs/a.md#part) ![b](docs/b.png) [c](https://c.example.org) [d](#d)", HOME, "1.2"
    )
    assert text == (
        f"[a]({HOME}/blob/v1.2/docs/a.md#part) ![b]({HOME}/raw/v1.2/docs/b.png) "
        "[c](https://c.example.org) [d](#d)"
    )


def test_without_one_no_link_leads_nowhere() -> None:
    assert page("see [a](docs/a.md) ![b](docs/b.png).", "", "1.2") == "see a ."
    for home in ("", HOME):
        targets = TARGETS.findall(page(README, home, "1.2"))
        assert all(each.startswith(("https://", "#")) for each in targets), targets


def test_the_addresses_of_a_release_are_below_its_own() -> None:
    assert urls("", "1.2") == {}
    assert {"Homepage", "Documentation", "Changelog", "Source", "Issues"} == set(urls(HOME, "1.2"))
    assert all(each.startswith(HOME) for each in urls(HOME, "1.2").values())
