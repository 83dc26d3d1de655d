"""Calls of one server by gRPC: a request, its responses as bytes, and an end whatever happens."""

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

from google.protobuf.message import Message

from seedbed.transports.cancellation import Cancellation
from seedbed.transports.channel import open_channel
from seedbed.transports.statuses import no_response, parsed, translated

R = TypeVar("R")


class Calls:
    """Makes calls over one channel. Safe to use from several threads.

    Args:
        target: the server's address, as given to ``connect``.
        options: gRPC channel arguments.
    """

    def __init__(self, target: str, options: Mapping[str, int | str]) -> None:
        self._target = target
        self._channel = open_channel(target, options)
        self._methods: dict[str, Any] = {}

    def close(self) -> None:
        """Close the channel; calls under way end with CancelledError."""
        self._channel.close()

    def response(
        self,
        path: str,
        message: Message,
        parse: Callable[[bytes], R],
        timeout_seconds: float | None,
        cancellation: Cancellation,
    ) -> R:
        """Return the only response of a call; the arguments are those of :meth:`responses`.

        Raises:
            DataLossError: if there is none, or more than one.
        """
        found = list(self.responses(path, message, parse, timeout_seconds, cancellation))
        if len(found) != 1:
            raise no_response(self._target)
        return found[0]

    def responses(
        self,
        path: str,
        message: Message,
        parse: Callable[[bytes], R],
        timeout_seconds: float | None,
        cancellation: Cancellation,
        *,
        wait_for_ready: bool = False,
    ) -> Generator[R, None, None]:
        """Yield the responses of a call; however the iteration ends, so does the call.

        Args:
            path: the method's full name, with slashes.
            message: the request.
            parse: reads a response; a parser of gRPC's own would be run inside gRPC, which hides
                its errors.
            timeout_seconds: for the whole call; None is no limit.
            cancellation: ends the call from another thread.
            wait_for_ready: whether a server that cannot be reached is waited for.

        Raises:
            SeedbedError: if the call does not end well.
        """
        with translated(self._target, timeout_seconds):
            # Unary calls are read as streams as well: only those can be cancelled by another
            # thread without a thread of gRPC's that waits for them.
            if path not in self._methods:
                self._methods[path] = self._channel.unary_stream(path)
            call = self._methods[path](
                message.SerializeToString(), timeout=timeout_seconds, wait_for_ready=wait_for_ready
            )
            try:
                with cancellation.stopping(call.cancel):
                    for data in call:
                        yield parsed(self._target, parse, data)
            finally:
                call.cancel()
                _drain(call)


def _drain(call: Any) -> None:
    """Read the end of a call that was cancelled, so that gRPC gives its connection back.

    Who reads a call's events is also who frees it, and gRPC itself reads no more of a cancelled
    one: each would keep its connection open until the process ends. No public method does it.
    """
    while call._state.due:  # noqa: SLF001
        call._consume_next_event()  # noqa: SLF001
