"""A wrong input, and what the error must say of it."""

from typing import Any, NamedTuple


class Case(NamedTuple):
    """One row of a table."""

    given: Any
    """What is wrong: a call, a command line, the settings' sources, or a message."""
    argument: str
    """What the error names, as it stands in the message."""
    allowed: str
    """A part of what it says of what is allowed."""
    received: str
    """What it says that came."""
    meant: str = ""
    """What it suggests; nothing where nothing is near."""
