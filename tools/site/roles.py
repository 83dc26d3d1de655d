"""An extension of Griffe: docstrings as editors show them become Markdown.

They say :func:`seedbed.connect`: a page links the name where the site has it, and shows it as code
where it has not. Of a module's docstring a page takes the first line; the guides say the rest.
"""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")
# Of names such as Glorot*, which are no emphasis.
STAR = re.compile(r"(?<![*\w`])([A-Z]\w+)\*(?=[ ,])")
LINK = r'<autoref identifier="\1" optional>`\1`</autoref>'


class Roles(griffe.Extension):  # type: ignore[misc]  # not installed where types are checked
    """Rewrites every docstring when its object has been read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is None:
            return
        text = ROLE.sub(LINK, STAR.sub(r"\1\\*", obj.docstring.value))
        obj.docstring.value = text.partition("\n")[0] if obj.is_module else text
