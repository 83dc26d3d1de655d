"""What a request of the admin endpoint says, and which hosts it may name."""

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass, field

# Names that nobody can register: https://www.iana.org/assignments/special-use-domain-names, and
# Kubernetes's services.
PRIVATE_SUFFIXES = (".internal", ".local", ".localhost", ".svc", ".test", ".home.arpa")

# None of them is in a name or a value (RFC 9110, section 5.5): repeated in an answer, a line's end
# would begin a header that is not ours.
CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Request:
    """The head of an HTTP request."""

    method: str
    path: str
    """Without a query."""
    headers: dict[str, str] = field(default_factory=dict)
    """By name, in lower case."""


class BadRequestError(ValueError):
    """Bytes that are no request."""


def parse(head: bytes) -> Request:
    """Return the request of the bytes up to its empty line.

    Raises:
        BadRequestError: if there is none in them.
    """
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    words = first.split(" ")
    if any(map(CONTROLS.search, (first, *lines))):
        raise BadRequestError
    if len(words) != 3 or not words[1].startswith("/") or not words[2].startswith("HTTP/1."):
        raise BadRequestError
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        # Of two hosts, each may be the one that somebody checked, also with a space beside it.
        is_again = name.lower() == "host" and "host" in headers
        if not colon or name != name.strip() or is_again:
            raise BadRequestError
        headers[name.lower()] = value.strip(" \t")
    return Request(words[0], words[1].partition("?")[0], headers)


def is_own_host(host: str, own: Collection[str] = ()) -> bool:
    """Return whether a page may be asked for under a name without danger.

    Whoever owns a name can make it point here (DNS rebinding): a page of his in the browser of
    somebody who reaches this server could then read ours. So addresses will do, and names that are
    nobody's to give.

    Args:
        host: the Host header.
        own: further names.
    """
    name = host.lower() if host.endswith("]") else host.lower().rpartition(":")[0] or host.lower()
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        name = name.removesuffix(".")
        return "." not in name or name.endswith(PRIVATE_SUFFIXES) or name in own
    return True


def own_names(host: str) -> frozenset[str]:
    """Return the names of the host that an endpoint listens on, and of this machine."""
    return frozenset({host.lower(), socket.gethostname().lower()})
