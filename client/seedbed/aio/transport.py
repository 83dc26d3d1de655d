"""What the asynchronous client needs of whoever does the work: :class:`seedbed.transports.base.Transport`, awaited."""

from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any, Protocol

from seedbed.devices import LocalDevice
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.chunks import Chunk


class AsyncTransport(Protocol):
    """Answers requests, several at a time; raises only errors of :mod:`seedbed.errors`, and asyncio.CancelledError.

    A task that is cancelled in a call leaves nothing of the call behind. What is not said here is
    as there.
    """

    @property
    def target(self) -> str:
        """Who does the work, as given to ``connect``."""

    async def open(self) -> None:
        """Get ready what can be, before the first call; that would do it otherwise."""

    async def close(self) -> None:
        """Give back what the transport holds; calls under way in other tasks end with CancelledError."""

    async def wait_ready(self, timeout_seconds: float) -> None:
        """Return when requests can be answered, or raise UnavailableError."""

    async def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what does the work."""

    async def list_initializers(
        self, timeout_seconds: float | None = None
    ) -> list[InitializerInfo]:
        """Return every initializer there."""

    async def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""

    async def digest(
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> AsyncGenerator[Chunk, None]:
        """Yield the bytes of one request from ``first_byte`` on, each chunk checked."""

    async def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Write the bytes of each request into its memory, checked, and return the memory that holds them.

        Nothing is written any more when this has ended, however it ended.
        """

    async def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Return each request's tensor as an array that stays on a device of this machine."""
