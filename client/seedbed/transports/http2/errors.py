"""The end of a call: gRPC's status, in the form in which grpcio reports it."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from urllib.parse import unquote

import grpc

from seedbed.transports.statuses import WITHOUT_STATUS

# Which status stands for an answer that is HTTP's alone, and for a stream that was reset (gRPC's
# http-grpc-status-mapping.md and PROTOCOL-HTTP2.md). Whatever is not listed is UNKNOWN, and
# INTERNAL.
STATUS_OF_HTTP = {
    400: grpc.StatusCode.INTERNAL,
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    404: grpc.StatusCode.UNIMPLEMENTED,
    429: grpc.StatusCode.UNAVAILABLE,
    502: grpc.StatusCode.UNAVAILABLE,
    503: grpc.StatusCode.UNAVAILABLE,
    504: grpc.StatusCode.UNAVAILABLE,
}
# What a server does to a call that it has not looked at, as when it goes away (RFC 9113, section
# 8.7).
REFUSED_STREAM = 7
STATUS_OF_RESET = {
    8: grpc.StatusCode.CANCELLED,  # CANCEL
    11: grpc.StatusCode.RESOURCE_EXHAUSTED,  # ENHANCE_YOUR_CALM
    12: grpc.StatusCode.PERMISSION_DENIED,  # INADEQUATE_SECURITY
}
# Headers that are the protocols' own, and nobody's metadata.
RESERVED_HEADERS = (":status", "content-type", "grpc-status", "grpc-message")
STATUS_OF_NUMBER: dict[str, grpc.StatusCode] = {
    str(code.value[0]): code for code in grpc.StatusCode
}


class CallError(grpc.RpcError):
    """A call that did not end well, read like any of gRPC's."""

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str,
        trailing_metadata: tuple[tuple[str, str | bytes], ...] = (),
    ) -> None:
        super().__init__(details)
        self._code = code
        self._details = details
        self._trailing_metadata = trailing_metadata

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self._code

    def details(self) -> str:
        """Return the server's words, or ours."""
        return self._details

    # Of named tuples there.
    def trailing_metadata(self) -> tuple[tuple[str, str | bytes], ...]:  # type: ignore[override]
        """Return what the server sent with the status."""
        return self._trailing_metadata


class ConnectionLostError(CallError):
    """A call without a connection: gone, never opened, or closed to further calls."""

    def __init__(self, details: str) -> None:
        super().__init__(grpc.StatusCode.UNAVAILABLE, details)


class UnmetError(ConnectionLostError):
    """A call whose server was perhaps reached, and has not spoken HTTP/2."""


class SilentError(ConnectionLostError):
    """A call whose server cannot be reached, or says nothing any more."""


def deadline_exceeded() -> CallError:
    """Return the error for a call whose time is over."""
    return CallError(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")


def closed_here() -> CallError:
    """Return the error for a call whose client was closed by another thread."""
    return CallError(grpc.StatusCode.CANCELLED, "Channel closed!")


def reset(error_code: int) -> CallError:
    """Return the error for a stream that the server has reset."""
    details = f"the server reset the stream with HTTP/2 error {error_code}"
    if error_code == REFUSED_STREAM:
        return ConnectionLostError(details)
    return CallError(STATUS_OF_RESET.get(error_code, grpc.StatusCode.INTERNAL), details)


def no_grpc(headers: Mapping[str, str]) -> CallError | None:
    """Return the error for an answer that is not a gRPC server's, or None if it is."""
    status, kind = headers.get(":status", ""), headers.get("content-type", "")
    if "grpc-status" in headers or (status == "200" and kind.startswith("application/grpc")):
        return None
    number = int(status) if status.isascii() and status.isdigit() else 0
    code = STATUS_OF_HTTP.get(number, grpc.StatusCode.UNKNOWN)
    return CallError(code, f"the answer is no gRPC: HTTP status {status!r}, content type {kind!r}")


def status_in(headers: Sequence[tuple[str, str]]) -> CallError | None:
    """Return the error that trailers report, or None for a call that ended well."""
    values = dict(headers)
    code = STATUS_OF_NUMBER.get(values.get("grpc-status", ""), grpc.StatusCode.UNKNOWN)
    if code is grpc.StatusCode.OK:
        return None
    details = unquote(values.get("grpc-message", ""), errors="replace")
    if "grpc-status" not in values:
        details = WITHOUT_STATUS
    elif values["grpc-status"] not in STATUS_OF_NUMBER and not details:
        details = f"the call ended with status {values['grpc-status']!r}"
    return CallError(code, details, _metadata(headers))


def _metadata(headers: Sequence[tuple[str, str]]) -> tuple[tuple[str, str | bytes], ...]:
    return tuple(
        (name, _value(name, text)) for name, text in headers if name not in RESERVED_HEADERS
    )


def _value(name: str, text: str) -> str | bytes:
    """Return a header's value; that of a binary one is written in base64, padded or not."""
    if not name.endswith("-bin"):
        return text
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
