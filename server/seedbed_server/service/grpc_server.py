"""gRPC's server, which lets crowds in, and survives calls of methods whose names are not UTF-8.

grpcio asks for a method's next call when it has taken the last one, and each takes several passes
of the event loop: on a busy machine, a crowd waits for seconds to be let in, or refused. So some
calls are asked for ahead.

grpcio reads the name of a method that nobody registered in the loop that accepts all calls. A name
that is not UTF-8 ends that loop, and with it the server: whoever reaches the port could do that
with one header. So a loop of its own, which listens nowhere, takes these calls. When a name ends
it, another one goes on in its place, and nobody else notices.
"""

import asyncio
import functools
from collections import defaultdict, deque
from collections.abc import Sequence
from itertools import chain
from typing import Any

import grpc
from grpc._cython import cygrpc  # type: ignore[attr-defined]  # the stubs' own gap

# grpcio's own class, which has no annotations. Releases that know no registered methods read a name
# where an error ends one call, and need nothing of this.
AioServer: Any = cygrpc.AioServer
NEEDS_OTHER_LOOP = hasattr(AioServer, "_make_request_call_future")

# How many calls of each method may have come before the loop takes the first of them.
CALLS_AHEAD = 16


def grpc_server(options: Sequence[tuple[str, Any]]) -> grpc.aio.Server:
    """Return what :func:`grpc.aio.server` does, with such a loop where grpcio needs it."""
    if not NEEDS_OTHER_LOOP:
        return grpc.aio.server(options=options)
    cygrpc.AioServer = _Server
    try:
        return grpc.aio.server(options=options)
    finally:
        cygrpc.AioServer = AioServer


class _Server(AioServer):  # type: ignore[misc]  # Any
    """Accepts the calls of registered methods; all others are the other loop's."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._new_others = functools.partial(_OtherCalls, self, *arguments, **named)
        self._handlers: list[grpc.GenericRpcHandler] = []
        self._others: _OtherCalls | None = None
        # By method, in the order in which they were asked for: so gRPC fulfils them.
        self._ahead: defaultdict[bytes, deque[asyncio.Future[Any]]] = defaultdict(deque)
        super().__init__(*arguments, **named)

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._handlers.extend(handlers)
        super().add_generic_rpc_handlers(handlers)

    async def start(self) -> None:
        await super().start()
        await self.accept_others()

    async def accept_others(self) -> None:
        """Begin to take the calls of methods that nobody registered."""
        self._others = self._new_others()
        self._others.add_generic_rpc_handlers(self._handlers)
        await self._others.start()

    async def shutdown(self, grace: float | None) -> None:
        await asyncio.gather(super().shutdown(grace), self._give_up_ahead())
        if self._others is not None:
            await self._others.shutdown(None)

    async def _give_up_ahead(self) -> None:
        """Let go of the calls that came and were not taken: their clients are told so."""
        ahead = list(chain.from_iterable(self._ahead.values()))
        self._ahead.clear()
        await asyncio.gather(*ahead, return_exceptions=True)

    def _make_request_call_future(self, method: bytes | None) -> "asyncio.Future[Any]":
        if method is None:
            return asyncio.get_running_loop().create_future()  # never done
        ahead = self._ahead[method]
        while len(ahead) <= CALLS_AHEAD:
            ahead.append(super()._make_request_call_future(method))
        return ahead.popleft()


class _OtherCalls(AioServer):  # type: ignore[misc]  # Any
    """Answers calls that a server has accepted, until one has a name that ends it."""

    def __init__(self, server: _Server, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._accepting = server
        self._stopping = asyncio.Event()

    def _make_request_call_future(self, _: bytes | None) -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().create_task(self._next_call())

    async def _next_call(self) -> Any:
        try:
            return await self._accepting._request_call()  # noqa: SLF001
        except Exception:
            # The server stops. This loop would ask again at once, until it is stopped as well.
            await self._stopping.wait()
            raise

    async def shutdown(self, grace: float | None) -> None:
        self._stopping.set()
        await super().shutdown(grace)

    async def _server_main_loop(self, started: "asyncio.Future[bool]") -> None:
        try:
            await super()._server_main_loop(started)
        except UnicodeDecodeError:
            self._replacing = asyncio.get_running_loop().create_task(self._replaced())

    async def _replaced(self) -> None:
        await self._accepting.accept_others()
        await self.shutdown(None)
