"""The client that answers where none is named.

It is the one set, else that of ``$SEEDBED_TARGET`` (with ``$SEEDBED_TLS`` and ``$SEEDBED_TOKEN``),
else the embedded engine.
"""

import os
import threading

from seedbed.client import EMBEDDED, Client, connect
from seedbed.credentials import VARIABLES
from seedbed.fetch import TARGET_VARIABLE
from seedbed.spec.errors import bad_type

_lock = threading.Lock()
_set: Client | None = None
_made: dict[object, Client] = {}


def _forget() -> None:
    """Let a forked child find no lock that a thread has which is not there."""
    global _lock  # noqa: PLW0603  # one for each process
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_forget)


def set_default_client(client: Client | None) -> None:
    """Make a client answer wherever none is named.

    Args:
        client: the client; None goes back to ``$SEEDBED_TARGET`` or the embedded engine.
    """
    global _set  # noqa: PLW0603  # one default for each process is what this module is for
    check_client(client)
    _set = client


def get_default_client() -> Client:
    """Return the client that answers where none is named.

    Raises:
        EngineNotInstalledError: if it would be the embedded engine and its packages are missing.
    """
    if (client := _set) is not None:  # looked at once: another thread may set another
        return client
    target = os.environ.get(TARGET_VARIABLE) or EMBEDDED
    with _lock:
        key = (target, *map(os.environ.get, VARIABLES))
        if key not in _made:
            _made[key] = connect(target)
        return _made[key]


def check_client(client: object) -> None:
    """Raise unless an argument ``client`` is a client or None.

    Raises:
        InvalidTypeError: if it is neither.
    """
    if client is not None and not isinstance(client, Client):
        hint = "; seedbed.connect(...) makes one" if isinstance(client, str) else ""
        raise bad_type("client", "a Client or None", client, hint=hint)


def client_or_default(client: Client | None) -> Client:
    """Return the client that is given, or the default one.

    Raises:
        InvalidTypeError: if it is neither a client nor None.
        EngineNotInstalledError: if it would be the embedded engine and its packages are missing.
    """
    check_client(client)
    return get_default_client() if client is None else client
