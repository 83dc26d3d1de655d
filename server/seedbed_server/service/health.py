"""The standard health service, grpc.health.v1.Health.

The one of grpcio-health-checking writes to each watcher under a lock that changes take as well: a
watcher that reads nothing would keep the server from stopping. And when one watcher leaves, others
of the same service are told of no change any more.
"""

import asyncio
from collections.abc import Collection

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

NAME = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name

Context = grpc.aio.ServicerContext[HealthCheckRequest, HealthCheckResponse]


class Health(health_pb2_grpc.HealthServicer):
    """One status for all of a server's services. Its state belongs to the event loop.

    Args:
        services: their names; the empty one stands for the server.
    """

    def __init__(self, services: Collection[str]) -> None:
        self._services = services
        self._status: int = HealthCheckResponse.NOT_SERVING
        self._changed = asyncio.Event()

    def set(self, *, is_serving: bool) -> None:
        """Change the status, and wake whoever watches it."""
        self._status = (
            HealthCheckResponse.SERVING if is_serving else HealthCheckResponse.NOT_SERVING
        )
        self._changed.set()
        self._changed = asyncio.Event()

    # What the package's base class names.

    async def Check(  # noqa: N802
        self, request: HealthCheckRequest, context: Context
    ) -> HealthCheckResponse:
        """Return the status."""
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND)
        return HealthCheckResponse(status=self._status)

    async def Watch(self, request: HealthCheckRequest, context: Context) -> None:  # noqa: N802
        """Send the status, and again whenever it has changed."""
        known = None
        while True:
            changed, status = self._changed, self._status
            if request.service not in self._services:
                status = HealthCheckResponse.SERVICE_UNKNOWN
            if status != known:
                await context.write(HealthCheckResponse(status=status))
                known = status
            await changed.wait()
