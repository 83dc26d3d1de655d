"""Makes the README the page of a package index, where links into the repository lead nowhere.

A hook of hatchling, run by every build. With the project's address in `SEEDBED_HOME`, such as
`https://code.example.org/seedbed`, links and pictures are those of the version's tag there; without
it, which is every build but a release's, links become their text and pictures are left out.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

# [text](target) or ![text](target), where the target is neither an address nor a heading.
RELATIVE = re.compile(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)]+)\)")


class PackagePage(MetadataHookInterface):
    """Fills in the dynamic fields `readme` and `urls`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill them in."""
        home = os.environ.get("SEEDBED_HOME", "").rstrip("/")
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = page(readme, home, metadata["version"])
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = urls(home, metadata["version"])


def page(readme: str, home: str, version: str) -> str:
    """Return the README with links that lead somewhere from anywhere.

    Args:
        readme: its text.
        home: the project's address; empty is unknown.
        version: whose tag links lead to.
    """

    def absolute(match: re.Match[str]) -> str:
        is_picture, text, target = match[1], match[2], match[3]
        if home:
            kind = "raw" if is_picture else "blob"
            return f"{is_picture}[{text}]({home}/{kind}/v{version}/{target})"
        return "" if is_picture else text

    return RELATIVE.sub(absolute, readme)


def urls(home: str, version: str) -> dict[str, str]:
    """Return the addresses that an index shows; none without the project's own."""
    if not home:
        return {}
    return {
        "Homepage": home,
        "Documentation": f"{home}/blob/v{version}/docs",
        "Changelog": f"{home}/blob/v{version}/CHANGELOG.md",
        "Source": home,
        "Issues": f"{home}/issues",
    }
