"""Who does the work, as a text: the address of a server, or the engine in this process."""

import re
from collections.abc import Iterator

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.suggestions import did_you_mean

EMBEDDED = "embedded:"
"""The target that is the engine in this process."""

# What gRPC finds the way for.
SCHEMES = ("dns:", "unix:", "ipv4:", "ipv6:", "xds:")
# An IPv6 address stands in brackets, or its last group would be the port.
HOST_AND_PORT = re.compile(r"(?:\[[^\[\]]+\]|[^:,/\\\[\]]+):(?P<port>[0-9]{1,5})")
# A path has no host before it: unix:path, or unix:///path from the root.
UNIX_WITH_HOST = re.compile("unix://(?!/)")
HOST = re.compile("[A-Za-z0-9._-]*[A-Za-z][A-Za-z0-9._-]*|[0-9.]+[.][0-9.]+")
# Where seedbed-server listens unless it is told otherwise.
DEFAULT_PORT = 50051


def check_target(target: object) -> None:
    """Raise unless a target is the engine or may be a server's address.

    Raises:
        InvalidTypeError: unless it is a string.
        InvalidValueError: if it is empty, or what gRPC would read as something else, or resolve in
            vain for as long as a call has patience.
    """
    if not isinstance(target, str):
        raise bad_type("target", "a string", target)
    allowed = f"host:port, dns:///host:port, unix:///path or {EMBEDDED}"
    # Surrogates are not printable either.
    if not target or any(c.isspace() or not c.isprintable() for c in target):
        raise bad_value("target", allowed, target)
    if target != EMBEDDED and not _is_address(target):
        raise bad_value("target", allowed, target, hint=_suggestion(target))


def _is_address(target: str) -> bool:
    if target.startswith(SCHEMES):
        return UNIX_WITH_HOST.match(target) is None
    # gRPC takes a port modulo 65,536, and a missing one as 443: neither is what was meant.
    match = HOST_AND_PORT.fullmatch(target)
    return match is not None and 0 < int(match["port"]) < 2**16


def _suggestion(target: str) -> str:
    """Return what a target was perhaps meant to be."""
    if engine := did_you_mean(target, [EMBEDDED]):
        return engine
    several = target.split(",")
    if len(several) > 1 and all(map(_is_address, several)):
        return f"; did you mean {several!r}? Several servers are a list"
    meant = next(filter(_is_address, _corrections(target)), "")
    return f"; did you mean {meant!r}?" if meant else ""


def _corrections(target: str) -> Iterator[str]:
    """Yield what would be an address, if the target has the mistake that each is about."""
    scheme, _, rest = target.partition("://")
    if scheme in ("http", "https", "grpc", "grpcs", "tcp"):
        yield rest.rstrip("/")
    elif scheme == "unix":
        yield f"unix:///{rest}"
    elif target.startswith("/"):
        yield f"unix://{target}"
    elif re.fullmatch("[0-9]+", target):
        yield f"localhost:{target}"
    elif re.fullmatch(":[0-9]+", target):
        yield f"localhost{target}"
    elif HOST.fullmatch(target):
        yield f"{target}:{DEFAULT_PORT}"
    elif match := re.fullmatch("([0-9A-Fa-f:]*:[0-9A-Fa-f:]*):([0-9]+)", target):
        yield f"[{match[1]}]:{match[2]}"
