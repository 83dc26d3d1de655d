"""Servers that can be killed, frozen and started again at the same address."""

import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from tests.free_addresses import free_address
from tests.servers import ServerProcess, serving


class Replica:
    """A server at an address that stays the same.

    Args:
        arguments: of the command line.
        address: where it listens; None for a free one.
        environment: variables besides those of this process.
    """

    def __init__(
        self,
        *arguments: str,
        address: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.address = address or free_address()
        self._arguments = arguments
        self._environment = environment
        self._stack = ExitStack()
        self.start()

    def start(self) -> None:
        """Start it, and return when it serves."""
        self.process: ServerProcess = self._stack.enter_context(
            serving(*self._arguments, listen=self.address, environment=self._environment)
        )

    def stop(self, number: signal.Signals) -> None:
        """End it by a signal, and return when it has ended."""
        self.process.signal(number)
        # A second signal would end it at once.
        self.process.wait()
        self._stack.close()

    def freeze(self) -> None:
        """Let it neither read nor answer, while its host still accepts connections."""
        self.process.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.process.signal(signal.SIGCONT)

    def close(self) -> None:
        """End it, whatever its state."""
        self.thaw()
        self._stack.close()


@contextmanager
def replica(
    *arguments: str, address: str | None = None, environment: Mapping[str, str] | None = None
) -> Iterator[Replica]:
    """Yield a server, ended afterwards; the arguments are those of :class:`Replica`."""
    found = Replica(*arguments, address=address, environment=environment)
    try:
        yield found
    finally:
        found.close()


@contextmanager
def replicas(count: int, *arguments: str) -> Iterator[list[Replica]]:
    """Yield servers, ended afterwards."""
    with ExitStack() as stack:
        yield [stack.enter_context(replica(*arguments)) for _ in range(count)]


@contextmanager
def blackhole() -> Iterator[str]:
    """Yield an address that does not answer: its SYNs are dropped, as by a host that is gone.

    The kernel drops them at a socket whose queue of connections nobody accepts is full.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        host, _, port = free_address().rpartition(":")
        listener.bind((host, int(port)))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, int(port)))
        yield f"{host}:{port}"
