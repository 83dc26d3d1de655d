"""The paths of fields, as errors have them."""

import re
from typing import Any

STEP = re.compile(r"(?P<name>[a-z0-9_]+)(\[(?P<index>\d+)\])?")


def assert_is_a_path(path: str, message: Any) -> None:
    """Fail unless a path leads from a message's descriptor to a field.

    On the way, an element of a list has its index; the path may end at a list as a whole.
    """
    steps = path.split(".")
    for place, step in enumerate(steps):
        match = STEP.fullmatch(step)
        assert match is not None, path
        assert message is not None, f"{path} goes on behind a scalar"
        field = message.fields_by_name.get(match["name"])
        assert field is not None, f"{message.full_name} has no {match['name']}"
        if match["index"] is not None:
            assert field.is_repeated, path
        else:
            assert not field.is_repeated or place == len(steps) - 1, f"{path} lacks an index"
        message = field.message_type
