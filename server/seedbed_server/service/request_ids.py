"""The id of a call, by which a client and an operator speak of the same one."""

import re
import uuid
from collections.abc import Iterable

REQUEST_ID = "x-request-id"
"""The metadata that carries it, both ways."""

# What others choose is written to the log.
_ALLOWED = re.compile(r"[!-~]{1,64}")


def request_id_of(metadata: Iterable[tuple[str, str | bytes]]) -> str:
    """Return the id that a call's metadata has, or else a new one."""
    for key, value in metadata:
        if key == REQUEST_ID and isinstance(value, str) and _ALLOWED.fullmatch(value):
            return value
    return uuid.uuid4().hex
