"""One call while it is answered: what it is counted, logged and traced as."""

import asyncio
import logging
import time
from collections.abc import Mapping

import grpc

from seedbed.spec.info import Limits
from seedbed_server.security.identities import peer_of_identity
from seedbed_server.security.peers import UNIX_PEER, peer_of_connection
from seedbed_server.security.policy import NO_LIMITS
from seedbed_server.service.authentication import Authentication
from seedbed_server.service.metrics import Lane, Method, Metrics
from seedbed_server.service.request_ids import REQUEST_ID, request_id_of
from seedbed_server.service.tracing import Tracing
from seedbed_server.streams.events import (
    StreamEvent,
    TensorBytes,
    TensorFill,
    TensorSegment,
)

log = logging.getLogger(__name__)

UNKNOWN = Method("unary", "unknown", "unknown")
"""All methods that are not there: a metric has few labels, whatever clients call."""

NO_REFUSAL: Mapping[str, str] = {}

Context = grpc.aio.ServicerContext[bytes, bytes]


class ServerCall:
    """One call while it is answered.

    Args:
        method: what was called.
        context: gRPC's side of it.
        metrics: where it is counted.
        tracing: makes its span; None is none.
    """

    def __init__(
        self, method: Method, context: Context, metrics: Metrics, tracing: Tracing | None
    ) -> None:
        self.method = method
        """What was called."""
        self._context = context
        self._metrics = metrics
        self._started = time.monotonic()
        self._messages = 0
        self._chunks = 0
        self._sampled_bytes = 0
        received = context.invocation_metadata() or ()
        self._end_span = tracing.begin(method, received) if tracing is not None else None
        self.request_id = request_id_of(received)
        """What client and operator call it; it goes back with the status."""
        self.trailing_metadata = ((REQUEST_ID, self.request_id),)
        context.set_trailing_metadata(self.trailing_metadata)
        self.peer = peer_of_connection(str(context.peer()))
        """Whose shares and turns it takes: an identity's, an IP address's, or ``unix:``."""
        self.is_on_this_host = self.peer == UNIX_PEER
        """Whether the client came by a Unix socket."""
        self.identity: str | None = None
        """Who calls; None where the server asks nobody, or does not know yet."""
        self.quotas = NO_LIMITS.quotas
        """How much who calls may have."""
        self.limits = Limits()
        """What the server refuses to go beyond for who calls."""
        self.sent_bytes = 0
        """How many bytes of tensors the client was given."""
        self.tensors = 0
        """How many tensors the request lists."""
        self.may_be_ended = False
        """Whether a client that ends the call has all it wanted."""

    def admit(self, authentication: Authentication) -> None:
        """Find out who calls, and what it may have.

        Raises:
            CallerError: if the server does not know it, or it may not call the method.
        """
        self.identity = authentication.identity(self._context)
        if self.identity is not None:
            self.peer = peer_of_identity(self.identity)
        name = self.method.name if self.method is not UNKNOWN else None
        rule = authentication.rule(self.identity, name)
        self.quotas, self.limits = rule.quotas, authentication.limits(rule)

    async def write(self, message: bytes) -> None:
        """Send a message; returns when gRPC has room for the next one."""
        is_first = not self._messages
        if is_first and self.method.name == "SampleTensors":
            self._metrics.first_chunk(time.monotonic() - self._started)
        self._messages += 1
        try:
            if is_first:
                # With the message, grpcio sends it again where that one is given up half sent,
                # which fails, and the client would wait for the status for ever.
                await self._context.send_initial_metadata(())
            await self._context.write(message)
        except grpc.aio.InternalError:
            # How gRPC says that the client is gone, where it says so before it cancels this task.
            raise asyncio.CancelledError from None

    def served(self, events: tuple[StreamEvent, ...]) -> None:
        """Count what a message brings of a tensor."""
        for event in events:
            match event:
                case TensorBytes(_, _, data, _):
                    self._count("stream", len(data))
                case TensorFill(_, _, size_bytes):
                    self._count("fill", size_bytes)
                case TensorSegment(_, _, _, size_bytes):
                    self._count("shared_memory", size_bytes)
                case _:
                    continue
            self._chunks += 1

    def served_whole(self, size_bytes: int) -> None:
        """Count a tensor that was sent in one message."""
        self._count("unary", size_bytes)

    def answered(self) -> None:
        """Count the one message of a unary call."""
        self._messages += 1

    def sampled(self, size_bytes: int) -> None:
        """Record bytes that were sampled for this call, and not for another one."""
        self._sampled_bytes += size_bytes

    def ended(self, code: str, refusal: Mapping[str, str] = NO_REFUSAL) -> None:
        """Count and log the end of the call.

        Args:
            code: its status code's name.
            refusal: why, where the client was told: the ``reason``, and a ``field`` of the request.
        """
        seconds = time.monotonic() - self._started
        self._metrics.call_ended(self.method, code, seconds, self._messages)
        fields: dict[str, str | int | float] = {"request_id": self.request_id}
        if self.identity is not None:
            fields["identity"] = self.identity
        fields |= {
            "method": self.method.name,
            "code": code,
            "seconds": round(seconds, 6),
            "bytes_sampled": self._sampled_bytes,
            "bytes_sent": self.sent_bytes,
            "tensors": self.tensors,
            "chunks": self._chunks,
        }
        fields |= refusal
        log.info("rpc", extra={"fields": fields})
        if self._end_span is not None:
            self._end_span(code, fields)

    def _count(self, lane: Lane, size_bytes: int) -> None:
        self.sent_bytes += size_bytes
        self._metrics.served(lane, size_bytes)
