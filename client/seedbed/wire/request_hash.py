"""The hash by which an error says which request it refuses.

A request may be damaged on its way. The client compares the hash with that of what it sent, and
does not take the refusal of another request for its own.
"""

import xxhash

REQUEST_HASH = "request_xxh3_64"
"""The key in the metadata of an error's ErrorInfo."""


def request_hash(message: bytes) -> str:
    """Return the XXH3-64 of a request's bytes, as 16 lower-case hexadecimal digits."""
    return xxhash.xxh3_64_hexdigest(message)
