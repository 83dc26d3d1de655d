"""The protocol of whoever makes single calls to one server: our HTTP/2 reader, or gRPC."""

from contextlib import AbstractContextManager
from typing import Protocol

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.try_limits import TryLimits


class Call(Protocol):
    """A call with one request and some responses, read by one thread."""

    def next_message(self) -> int | None:
        """Return the size of the next response, which is then to be read; None at the end.

        Raises:
            grpc.RpcError: if the call does not end well.
        """

    def read(self, size_bytes: int) -> bytes:
        """Return the next bytes of a response."""

    def read_into(self, memory: memoryview) -> None:
        """Fill memory with the next bytes of a response."""

    def cancel(self) -> None:
        """Tell the server that nothing more is wanted."""


class Calls(Protocol):
    """Makes calls to one server. Safe to use from several threads."""

    def call(
        self, method: str, message: bytes, limits: TryLimits, cancellation: Cancellation
    ) -> AbstractContextManager[Call]:
        """Return a call; however its block is left, the call ends.

        Args:
            method: its full name, with slashes.
            message: the request.
            limits: how long it may wait.
            cancellation: ends the call from another thread, with CANCELLED.

        Raises:
            grpc.RpcError: if there is no answer.
            ValueError: if the calls are closed, as gRPC's channels have it.
        """

    def close(self) -> None:
        """Give back what is held; calls under way end with CANCELLED."""
