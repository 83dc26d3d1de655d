"""A hook of MkDocs: pages that are read in the repository become a site that stands alone.

The pages lie in docs/ and are read in the repository, too, so they link to ../examples/x.py. Here
such a file is copied to repository/examples/x.py, and the link leads there; a Markdown file becomes
a page, and a folder's link leads to its README or, without one, becomes plain text. The list of
decisions is made here.
"""

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "repository"
LINK = re.compile(
    r"(?P<before>!?\[(?P<text>[^\]]*)\]\()(?P<target>(?![a-z]+:|#)[^)\s#]+)(?P<rest>[^)]*\))"
)
DECISIONS = "decisions/README.md"
FENCE = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: Any) -> Files:
    """Add what the pages link to outside docs/, and what those pages link to in turn."""
    waiting = [Path(file.abs_src_path) for file in files.documentation_pages()]
    while waiting:
        page = waiting.pop()
        for _, path in _links(page, page.read_text(encoding="utf-8")):
            name = _name(path)
            if name is None or name in files.src_uris:
                continue
            files.append(File.generated(config, name, abs_src_path=str(path)))
            if path.suffix == ".md":
                waiting.append(path)
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the page with the links that lead out of docs/ led to where their files are."""
    source = ROOT / "docs" / page.file.src_uri
    if page.file.src_uri.startswith(f"{FOLDER}/"):
        source = ROOT / page.file.src_uri.removeprefix(f"{FOLDER}/")
    if page.file.src_uri == DECISIONS:
        markdown += _decisions()
    here = Path(page.file.src_uri).parent

    def moved(match: re.Match[str]) -> str:
        path = _file(source, match["target"])
        if path is None:
            return match["text"]
        inside = path.relative_to(ROOT / "docs") if path.is_relative_to(ROOT / "docs") else None
        target = os.path.relpath(inside or _name(path) or "", here)
        return f"{match['before']}{target}{match['rest']}"

    parts = FENCE.split(markdown)
    parts[::2] = [LINK.sub(moved, part) for part in parts[::2]]
    return "".join(parts)


def _decisions() -> str:
    """Return the list of all decisions, by their headings."""
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    titles = (page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for page in pages)
    rows = (f"- [{title}]({page.name})" for title, page in zip(titles, pages, strict=True))
    return "\n" + "\n".join(rows)


def _links(page: Path, text: str) -> list[tuple[str, Path]]:
    """Return the links of a page to files of the repository."""
    found = []
    for match in LINK.finditer(FENCE.sub("", text)):
        path = _file(page, match["target"])
        if path is not None:
            found.append((match["target"], path))
    return found


def _file(page: Path, target: str) -> Path | None:
    """Return the file that a link leads to; None for a folder without a README."""
    path = (page.parent / target).resolve()
    if path.is_dir():
        path /= "README.md"
    return path if path.is_file() and path.is_relative_to(ROOT) else None


def _name(path: Path) -> str | None:
    """Return the name in the site of a file outside docs/; None for one of docs/."""
    if path.is_relative_to(ROOT / "docs"):
        return None
    return f"{FOLDER}/{path.relative_to(ROOT).as_posix()}"
