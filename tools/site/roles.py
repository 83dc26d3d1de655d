"""An extension of Griffe: the roles of docstrings become links of the site.

Docstrings say :func:`seedbed.connect`, which editors understand. A page links the name where the
site has it, and shows it as code where it has not.
"""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`~?([\w.]+)`")
LINK = r'<autoref identifier="\1" optional>`\1`</autoref>'


class Roles(griffe.Extension):  # type: ignore[misc]  # not installed where types are checked
    """Rewrites every docstring when its object has been read."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object, if it has one."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(LINK, obj.docstring.value)
