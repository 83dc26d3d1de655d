"""Reasons to turn down a well-formed request.

:mod:`seedbed_server.service.statuses` knows their status codes.
"""

from seedbed.spec.errors import InvalidValueError, SeedbedError
from seedbed.spec.reasons import Reason


class ResumeOutOfRangeError(InvalidValueError):
    """A resume point beyond the end of what was asked for."""


class UnknownMethodError(SeedbedError):
    """A method that the server does not have."""

    def __init__(self, method: str) -> None:
        super().__init__(f"the server has no method {method}")
        self.method = method
        self.reason = Reason.UNKNOWN_METHOD


class CallerError(SeedbedError):
    """A caller whom the server does not know, or who may not do what it asks for."""

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class NoRoomError(SeedbedError):
    """The server has no room for the request now."""

    def __init__(self, message: str, *, reason: Reason, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class QuotaError(NoRoomError):
    """The caller has what one of its quotas allows; there may be room for others."""

    def __init__(self, message: str, *, quota: str, retry_after_seconds: float) -> None:
        reason = Reason.QUOTA_EXCEEDED
        super().__init__(message, reason=reason, retry_after_seconds=retry_after_seconds)
        self.quota = quota


class NotServingError(SeedbedError):
    """The server is starting or stopping; another replica, or this one later, will answer."""

    def __init__(self, message: str, *, reason: Reason, retry_after_seconds: float) -> None:
        super().__init__(message)
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds


class StreamEndedError(NotServingError):
    """A stream has waited for its reader, or gone on, for too long; another call may resume it."""
