"""What a client needs to speak TLS with a server: files, and the server's name."""

from dataclasses import dataclass
from pathlib import Path

from seedbed.spec.errors import bad_type, bad_value
from seedbed.spec.named_arguments import NamedArguments

LONGEST_NAME = 253


@dataclass(frozen=True, slots=True)
class Tls(metaclass=NamedArguments):
    """How to speak TLS with a server. The files are PEM, and are read again when they change.

    Raises:
        InvalidTypeError: if a file is not a path, or the name not a string.
        InvalidValueError: if a path or the name is empty, or one of ``cert`` and ``key`` is
            missing.

    Example:
        >>> Tls(ca="ca.pem", server_name="seedbed.internal")
        Tls(ca='ca.pem', cert=None, key=None, server_name='seedbed.internal')
    """

    ca: str | Path | None = None
    """The certificates of who signs those of servers; None is the system's."""
    cert: str | Path | None = None
    """The client's own certificate, with those between it and its CA; None for none."""
    key: str | Path | None = None
    """The private key of ``cert``, not encrypted."""
    server_name: str | None = None
    """Whom the server's certificate must be for, where that is not the target's host."""

    def __post_init__(self) -> None:
        for field in ("ca", "cert", "key"):
            _check_path(f"tls.{field}", getattr(self, field))
        _check_name("tls.server_name", self.server_name)
        if (self.cert is None) != (self.key is None):
            missing = "tls.cert" if self.cert is None else "tls.key"
            raise bad_value(missing, "given, as its certificate and key go together", None)


def _check_path(field: str, path: str | Path | None) -> None:
    if path is None:
        return
    if not isinstance(path, (str, Path)):
        raise bad_type(field, "the path of a PEM file, or None", path)
    if not str(path) or "\0" in str(path):
        raise bad_value(field, "the path of a PEM file", str(path))


def _check_name(field: str, name: str | None) -> None:
    if name is None:
        return
    if not isinstance(name, str):
        raise bad_type(field, "a string, or None", name)
    # What the ssl module takes, which writes names in other scripts as DNS has them.
    is_name = 0 < len(name) <= LONGEST_NAME and all("!" <= each <= "~" for each in name)
    if not is_name or name.startswith("."):
        raise bad_value(field, "the name of a host, in ASCII", name)
