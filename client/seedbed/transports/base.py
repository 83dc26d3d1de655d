"""The protocol of whoever does the work: a server far away, or the engine in this process."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, Self

from seedbed.devices import LocalDevice
from seedbed.errors import EngineNotInstalledError
from seedbed.spec.digests import Digest, DigestAlgorithm
from seedbed.spec.info import InitializerInfo, ServerInfo, TensorDescription
from seedbed.spec.stats import ClientStats
from seedbed.spec.tensors import TensorRequest
from seedbed.wire.parts import Chunk


class Transport(Protocol):
    """Answers requests, for several threads at a time; raises only errors of :mod:`seedbed.errors`.

    Nobody else may end a call that waits, so each object can end all of its own: whoever wants to
    end one call alone makes it by :meth:`another`.
    """

    @property
    def target(self) -> str:
        """Who does the work, as given to ``connect``."""

    def close(self) -> None:
        """Give back what the transport holds; calls under way are cancelled."""

    def another(self) -> Self:
        """Return a transport over the same connections, with calls of its own to cancel."""

    def cancel(self) -> None:
        """End this object's calls, now and later, with an error; called by another thread.

        What they write to is not written to any more when they have ended.
        """

    def stats(self) -> ClientStats:
        """Return what has been asked of each server so far."""

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
        self,
        requests: Sequence[TensorRequest],
        algorithm: DigestAlgorithm,
        timeout_seconds: float | None = None,
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
        *,
        may_map: bool = False,
    ) -> Sequence[memoryview]:
        """Fill each request's memory with checked bytes, and return the memory that has them.

        Args:
            requests: what to sample.
            outs: writable memory of exactly each request's size, items of one byte.
            on_bytes: called with the number of new bytes as they are written.
            timeout_seconds: for the whole call; None is no limit.
            may_map: whether other memory may take the place of an out, which is then not written
                to.
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


def embedded_transport() -> Transport:
    """Return the engine in this process, found by its entry point so that the SDK stays light.

    Raises:
        EngineNotInstalledError: if its packages are missing.
    """
    import importlib.metadata  # email, calendar and csv come with it

    for entry_point in importlib.metadata.entry_points(group="seedbed.transports", name="embedded"):
        try:
            transport: Transport = entry_point.load()()
        except ModuleNotFoundError as error:
            message = (
                f"the embedded engine needs {error.name}: pip install 'seedbed[engine]', or name a"
                " server"
            )
            raise EngineNotInstalledError(message) from None
        return transport
    raise EngineNotInstalledError(
        "the embedded engine is not installed: pip install 'seedbed[engine]'"
    )
