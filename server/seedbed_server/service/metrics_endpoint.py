"""Where Prometheus reads what a server counts: plain HTTP on an address of its own."""

from prometheus_client import CollectorRegistry, start_http_server

from seedbed.spec.errors import SeedbedError


class MetricsListenError(SeedbedError):
    """An address that metrics cannot be shown at."""


class MetricsEndpoint:
    """Shows a registry at ``http://ADDRESS/metrics`` until it is closed.

    Args:
        address: ``host:port``; port 0 is a free one.
        registry: what to show.

    Raises:
        MetricsListenError: if the address cannot be had.
    """

    def __init__(self, address: str, registry: CollectorRegistry) -> None:
        host, _, port = address.rpartition(":")
        try:
            self._server, self._thread = start_http_server(int(port), host.strip("[]"), registry)
        except OSError:
            message = (
                f"cannot show metrics at {address}: "
                "it is in use, not allowed, or no address of this machine"
            )
            raise MetricsListenError(message) from None
        self.address = f"{host}:{self._server.server_port}"
        """Where it is, the port resolved."""

    def close(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
