"""The documents' links: each leads to a file that is there, and to a heading that it has."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("docs", "deploy", "examples", "proto")
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(each for f in FOLDERS for each in (ROOT / f).rglob("*.md"))]
    if "node_modules" not in path.parts
)
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s#]*)(?:#([^)\s]*))?\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """Return what links may name of a page, as GitHub makes it of the headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.*?) *$", FENCE.sub("", page), re.MULTILINE):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\[(.*?)\]\(.*?\)", r"\1", heading).lower())
        anchor = words.replace(" ", "-")
        repeated = sum(1 for each in found if re.fullmatch(rf"{re.escape(anchor)}(-\d+)?", each))
        found.add(f"{anchor}-{repeated}" if repeated else anchor)
    return found


def broken_links(path: Path, page: str) -> list[str]:
    """Return the links of a page that lead nowhere."""
    broken = []
    for target, anchor in LINK.findall(FENCE.sub("", page)):
        file = (path.parent / target) if target else path
        if not file.exists() or (
            anchor and file.suffix == ".md" and anchor not in anchors(file.read_text("utf-8"))
        ):
            broken.append(f"{target}#{anchor}")
    return broken


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert broken_links(path, path.read_text("utf-8")) == []


def test_the_runbook_of_each_alert_is_there() -> None:
    alerts = (ROOT / "deploy/prometheus/alerts.yml").read_text("utf-8")
    named = re.findall(r"docs/operations\.md#(\S+)", alerts)
    assert len(named) >= 10
    assert set(named) <= anchors((ROOT / "docs/operations.md").read_text("utf-8"))


def test_links_that_lead_nowhere_are_seen() -> None:
    path = ROOT / "docs" / "page.md"
    page = (
        "# A `b` (c)\n# A b c\n[x](#a-b-c) [y](gone.md) [z](gpu.md#gone) [w](https://x.example)\n"
    )
    assert anchors(page) == {"a-b-c", "a-b-c-1"}
    assert broken_links(path, page) == ["#a-b-c", "gone.md#", "gpu.md#gone"]
