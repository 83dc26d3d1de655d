"""What a client needs of whoever does the work: a server far away, or the engine in this process."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from seedbed.devices import LocalDevice
from seedbed.wire.chunks import Chunk
from seedbed.wire.digests import Digest, DigestAlgorithm
from seedbed.wire.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.wire.specs import TensorRequest


class Transport(Protocol):
    """Answers requests; raises only errors of :mod:`seedbed.errors`. Safe to use from several threads."""

    @property
    def target(self) -> str:
        """Who does the work, as given to ``connect``."""

    def close(self) -> None:
        """Give back what the transport holds; calls under way are cancelled."""

    def wait_ready(self, timeout_seconds: float) -> None:
        """Return when requests can be answered, or raise UnavailableError."""

    def server_info(self, timeout_seconds: float | None = None) -> ServerInfo:
        """Return what does the work."""

    def list_initializers(self, timeout_seconds: float | None = None) -> list[InitializerInfo]:
        """Return every initializer there."""

    def describe(
        self, requests: Sequence[TensorRequest], timeout_seconds: float | None = None
    ) -> list[TensorDescription]:
        """Return what sampling the requests would give."""

    def digest(
        self, requests: Sequence[TensorRequest], algorithm: DigestAlgorithm, timeout_seconds: float | None = None
    ) -> list[Digest]:
        """Return the digests of what sampling the requests would give."""

    def chunks(
        self, request: TensorRequest, first_byte: int = 0, timeout_seconds: float | None = None
    ) -> Iterator[Chunk]:
        """Yield the bytes of one request from ``first_byte`` on, each chunk checked."""

    def fill(
        self,
        requests: Sequence[TensorRequest],
        outs: Sequence[memoryview],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Digest]:
        """Write the bytes of each request into its memory, checked, and return their XXH3-128 digests.

        Args:
            requests: what to sample.
            outs: writable memory of exactly each request's size, items of one byte.
            on_bytes: called with the number of new bytes as they are written.
            timeout_seconds: for the whole call; None is no limit.
        """

    def sample_on(
        self,
        device: LocalDevice,
        requests: Sequence[TensorRequest],
        on_bytes: Callable[[int], None],
        timeout_seconds: float | None = None,
    ) -> list[Any]:
        """Return each request's tensor as an array that stays on a device of this machine.

        Args:
            device: where to.
            requests: what to sample.
            on_bytes: called with the number of new bytes as they are there.
            timeout_seconds: for the whole call; None is no limit.
        """
