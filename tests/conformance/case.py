"""Cases: a request to the client under test, the fault on the way, and what must come of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("cases")

Document = dict[str, Any]
"""An object of JSON."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the kit's report."""

    name: str
    request: Document
    """What the client is sent, but for ``id`` and ``target``."""
    expect: tuple[Document, ...]
    """The allowed outcomes, each with a ``result`` or an ``error``."""
    fault: Document | None = None
    """What goes wrong between the client and the server."""

    @property
    def op(self) -> str:
        """What the client is asked to do."""
        return str(self.request["op"])

    @classmethod
    def from_json(cls, document: Document) -> "Case":
        """Return the case that an entry of a file describes."""
        request = {k: v for k, v in document.items() if k not in {"name", "fault", "expect"}}
        expect = document["expect"]
        allowed = tuple(expect) if isinstance(expect, list) else (expect,)
        return cls(document["name"], request, allowed, document.get("fault"))


def committed_cases() -> Iterator[Case]:
    """Yield the cases of all files, in the order of the files' names."""
    for path in sorted(FOLDER.glob("*.json")):
        yield from map(Case.from_json, json.loads(path.read_text(encoding="utf-8")))
