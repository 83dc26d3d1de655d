"""Every error that the SDK raises, as a tree; no other library's error leaves it.

SeedbedError
├── InvalidArgumentError        a request that can never be answered; says which field
│   ├── InvalidValueError       also a ValueError
│   └── InvalidTypeError        also a TypeError
├── TransportError              a request that may succeed another time, or elsewhere
│   ├── UnavailableError        no server there, or it starts or stops; also a ConnectionError
│   ├── DeadlineError           it took too long; also a TimeoutError
│   ├── OverloadedError         the server has no room now; says when to try again
│   ├── TlsError                server and client do not trust each other; also a ConnectionError
│   ├── CancelledError          the call was cancelled
│   └── DataLossError           what arrived is not what was sent
├── AuthenticationError         the server does not know who calls; also a PermissionError
├── PermissionDeniedError       who calls may not do that; also a PermissionError
├── UnsupportedError            the server does not know the method, or the numerics version
├── NoDeviceError               no such device here, or what drives it is not installed
├── DeviceError                 the device failed
├── OutOfDeviceMemoryError      the device has no room now; also a MemoryError
├── ForkError                   gRPC was in use when the process was forked; also a RuntimeError
├── ServerError                 a bug in the server; carries the request id for its operator
├── EngineNotInstalledError     the embedded engine is not installed; also an ImportError
└── FrameworkNotInstalledError  a framework is not installed; also an ImportError
"""

from seedbed.spec.errors import (
    DeviceError,
    InvalidArgumentError,
    InvalidTypeError,
    InvalidValueError,
    NoDeviceError,
    OutOfDeviceMemoryError,
    SeedbedError,
)

__all__ = [
    "AuthenticationError",
    "CancelledError",
    "DataLossError",
    "DeadlineError",
    "DeviceError",
    "EngineNotInstalledError",
    "ForkError",
    "FrameworkNotInstalledError",
    "InvalidArgumentError",
    "InvalidTypeError",
    "InvalidValueError",
    "NoDeviceError",
    "OutOfDeviceMemoryError",
    "OverloadedError",
    "PermissionDeniedError",
    "SeedbedError",
    "ServerError",
    "TlsError",
    "TransportError",
    "UnavailableError",
    "UnsupportedError",
]


class TransportError(SeedbedError):
    """A request that may succeed another time, or on another server: content is a pure function."""


class UnavailableError(TransportError, ConnectionError):
    """No server answers there, or it is starting or stopping.

    Attributes:
        retry_after_seconds: when the server says that trying again makes sense, or None.
    """

    def __init__(self, message: str, *, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class TlsError(TransportError, ConnectionError):
    """Server and client do not agree on TLS: a certificate does not hold, or only one speaks it.

    The message says what to change. With several servers, the others are asked.
    """


class DeadlineError(TransportError, TimeoutError):
    """The call took longer than its ``timeout_seconds``."""


class OverloadedError(TransportError):
    """The server has no room for the request now.

    Attributes:
        retry_after_seconds: when the server says that trying again makes sense, or None.
        reason: of what there is no room, an UPPER_SNAKE word for programs; empty if it said none.
    """

    def __init__(
        self, message: str, *, retry_after_seconds: float | None = None, reason: str = ""
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.reason = reason


class CancelledError(TransportError):
    """The call was cancelled by this process, such as by ``Client.close``."""


class DataLossError(TransportError):
    """What arrived is damaged or incomplete; none of it was returned."""


class AuthenticationError(SeedbedError, PermissionError):
    """The server does not know who calls: there is no token, or none of its.

    Attributes:
        reason: an UPPER_SNAKE word for programs; empty if the server said none.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class PermissionDeniedError(SeedbedError, PermissionError):
    """The server knows who calls, and that it may not do this.

    Attributes:
        reason: an UPPER_SNAKE word for programs; empty if the server said none.
    """

    def __init__(self, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason


class UnsupportedError(SeedbedError):
    """The server does not know the method or the numerics version."""


class ForkError(SeedbedError, RuntimeError):
    """This process was forked from one that had used gRPC, which makes calls under TLS.

    Start it by ``spawn`` or ``forkserver``, or fork before the first call.
    """


class ServerError(SeedbedError):
    """The server failed in a way it did not foresee.

    Attributes:
        request_id: what the server's operator needs to find the failure in the log, or None.
    """

    def __init__(self, message: str, *, request_id: str | None = None) -> None:
        super().__init__(message)
        self.request_id = request_id


class EngineNotInstalledError(SeedbedError, ImportError):
    """The embedded engine needs packages that are not installed."""


class FrameworkNotInstalledError(SeedbedError, ImportError):
    """A module for a framework was imported, and the framework is not installed."""
