"""What a client's connections are secured with: certificates and a token, as they are now."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from seedbed.spec.errors import Words, bad_value
from seedbed.spec.tls import Tls
from seedbed.transports.trust import Trust, read_trust
from seedbed.transports.watched import Watched

# Some proxies and servers take no larger headers than 8 KiB together.
LONGEST_TOKEN = 4096
# RFC 6750's b64token, which needs no escapes in a header.
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+={0,2}")

AUTHORIZATION = "authorization"


class Security(NamedTuple):
    """Certificates and token of a client, each asked for when it is needed; shows neither."""

    server_name: str | None = None
    """Whom certificates must be for, where that is not the target's host."""
    trust: Callable[[], Trust] | None = None
    """Gives another object when the files have changed; None is a plain connection."""
    token: Callable[[], str] | None = None
    """Gives the token that goes with each call; None is no token."""

    def authorization(self) -> str | None:
        """Return the header that goes with a call."""
        return f"Bearer {self.token()}" if self.token is not None else None

    @classmethod
    def of(cls, tls: Tls | None, token: str | Path | None) -> "Security":
        """Return the security that ``connect`` was asked for.

        Raises:
            InvalidValueError: naming the argument whose file, or value, is of no use.
        """
        return cls(
            tls.server_name if tls is not None else None,
            _trust(tls) if tls is not None else None,
            _token(token) if token is not None else None,
        )


PLAIN = Security()


def _trust(tls: Tls) -> Callable[[], Trust]:
    paths = [Path(each) for each in (tls.ca, tls.cert, tls.key) if each is not None]
    return Watched(paths, lambda: read_trust(tls))


def _token(token: str | Path) -> Callable[[], str]:
    if isinstance(token, Path):
        return Watched([token], lambda: _read_token(token))
    checked = _checked_token(token, Words("a text"))
    return lambda: checked


def _read_token(path: Path) -> str:
    try:
        text = path.read_bytes().strip().decode("ascii", "replace")
    except OSError as error:
        why = Words(f"{path} ({error.strerror})")
        raise bad_value("token", "a file that can be read", why) from None
    return _checked_token(text, Words(f"the content of {path}"))


def _checked_token(token: str, received: Words) -> str:
    if len(token) > LONGEST_TOKEN or not TOKEN.fullmatch(token):
        allowed = f"of 1 to {LONGEST_TOKEN} letters, digits and characters of -._~+/"
        raise bad_value("token", allowed, received)
    return token
