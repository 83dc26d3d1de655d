"""How a client knows its servers, and they it: from the arguments of ``connect``, or variables."""

import ipaddress
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seedbed.spec.errors import InvalidArgumentError, Words, bad_type, bad_value
from seedbed.spec.targets import EMBEDDED
from seedbed.spec.tls import Tls

TLS_VARIABLE = "SEEDBED_TLS"
TLS_VARIABLES = {
    "ca": "SEEDBED_TLS_CA",
    "cert": "SEEDBED_TLS_CERT",
    "key": "SEEDBED_TLS_KEY",
    "server_name": "SEEDBED_TLS_SERVER_NAME",
}
TOKEN_VARIABLE = "SEEDBED_TOKEN"
TOKEN_FILE_VARIABLE = "SEEDBED_TOKEN_FILE"

VARIABLES = (TLS_VARIABLE, *TLS_VARIABLES.values(), TOKEN_VARIABLE, TOKEN_FILE_VARIABLE)
"""All that the environment may say of a connection but its target."""

UNIX = "unix:"
# A target that names one host.
ONE_HOST = re.compile(r"(?:dns:(?:///)?|ipv[46]:)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]+")


class Credentials(NamedTuple):
    """How servers and their client know each other."""

    tls: Tls | None
    """None is a plain connection."""
    token: str | Path | None
    """A token, or the file that has it."""

    def __repr__(self) -> str:
        return f"Credentials(tls={self.tls!r}, token={self.token and '...'!r})"


def credentials_of(targets: Sequence[str], tls: object, token: object) -> Credentials:
    """Return what the arguments of ``connect`` mean, completed from the environment.

    Args:
        targets: the servers; checked to be strings.
        tls: True, False, a Tls, or None for what the environment says.
        token: a token, the path of its file, or None for what the environment says.

    Raises:
        InvalidTypeError: if an argument has the wrong type.
        InvalidValueError: if a target cannot have it, or a variable is not allowed.
    """
    if tls is not None and not isinstance(tls, (bool, Tls)):
        raise bad_type("tls", "a Tls, True, False or None", tls)
    if token is not None and not isinstance(token, (str, Path)):
        # It may be secret, whatever it is.
        raise bad_type("token", "a string, a pathlib.Path or None", type(token))
    for target in targets:
        if tls and target.startswith((EMBEDDED, UNIX)):
            raise bad_value("tls", f"None or False for {target}, which is on this host", tls)
        if token is not None and target == EMBEDDED:
            raise bad_value("token", f"None for {target}, which asks for none", Words("a token"))
    if all(target.startswith((EMBEDDED, UNIX)) for target in targets):
        found_tls = None
    else:
        found_tls = tls_in_environment() if tls is None else Tls() if tls is True else tls or None
    found_token = token
    if token is None and EMBEDDED not in targets:
        found_token = token_in_environment()
    for target in targets:
        if found_token is not None and found_tls is None and not stays_here(target):
            allowed = f"None, as nothing keeps it secret on the way to {target} without tls=True"
            raise bad_value("token", allowed, Words("a token"))
    return Credentials(found_tls, found_token)


def tls_in_environment() -> Tls | None:
    """Return what ``$SEEDBED_TLS`` and its files say; None is a plain connection.

    Raises:
        InvalidValueError: naming the variable that is not allowed.
    """
    switch = os.environ.get(TLS_VARIABLE, "")
    if switch not in ("", "0", "1"):
        raise bad_value(TLS_VARIABLE, "1 or 0", switch)
    given = {name: os.environ.get(each) or None for name, each in TLS_VARIABLES.items()}
    if switch == "0" or (not switch and not any(given.values())):
        return None
    try:
        return Tls(**given)
    except InvalidArgumentError as error:
        raise error.at(TLS_VARIABLES[error.field.removeprefix("tls.")]) from None


def token_in_environment() -> str | Path | None:
    """Return ``$SEEDBED_TOKEN``, or else the path of ``$SEEDBED_TOKEN_FILE``, if there is one."""
    path = os.environ.get(TOKEN_FILE_VARIABLE)
    return os.environ.get(TOKEN_VARIABLE) or (Path(path) if path else None)


def stays_here(target: str) -> bool:
    """Return whether what is sent to a target surely does not leave this host."""
    if target.startswith(UNIX):
        return True
    match = ONE_HOST.fullmatch(target)
    host = match[1].strip("[]") if match is not None else ""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
