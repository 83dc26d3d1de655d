"""What the admin endpoint shows at which path."""

import json
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from seedbed_server.admin.history import History
from seedbed_server.admin.metric_names import SERVING
from seedbed_server.admin.process_metrics import ProcessMetrics
from seedbed_server.admin.reading import read
from seedbed_server.admin.rendering import render
from seedbed_server.admin.requests import BadRequestError, Request, is_own_host, own_names, parse
from seedbed_server.admin.responses import HTML, JSON, Response, ok
from seedbed_server.admin.status import Status, as_json, status

METHODS = ("GET", "HEAD")
OPENMETRICS = "application/openmetrics-text"
FILES = {"page.js": "text/javascript", "style.css": "text/css", "icon.svg": "image/svg+xml"}


class Site:
    """Answers requests. Its methods take milliseconds, so they run in a thread, one at a time.

    Args:
        registry: the server's metrics; those of its processes are added to it.
        host: the name that the endpoint listens on.
        expected: how many processes must serve for the server to be ready.
        pids: of the server's processes, by name; see :class:`ProcessMetrics`.
    """

    def __init__(
        self, registry: CollectorRegistry, *, host: str, expected: int, pids: Mapping[str, int]
    ) -> None:
        self._registry = registry
        self._expected = expected
        self._names = own_names(host)
        self._history = History()
        registry.register(ProcessMetrics(pids))
        page = resources.files("seedbed_server.admin") / "page"
        self._files = {"/" + name: (page / name).read_bytes() for name in FILES}
        # A probe may use any name; it learns nothing else.
        self._probes: dict[str, Callable[[Request], Response]] = {
            "/livez": lambda _: ok(b"alive\n"),
            "/readyz": lambda _: self._ready(),
        }
        self._pages: dict[str, Callable[[Request], Response]] = {
            "/": lambda _: ok(render(self._status()).encode(), HTML),
            "/metrics": self._metrics,
            "/status.json": lambda _: ok(json.dumps(as_json(self._status())).encode(), JSON),
            **dict.fromkeys(self._files, self._file),
        }

    def look(self) -> None:
        """Read the metrics for the history."""
        self._history.add(read(self._registry))

    def answer(self, head: bytes) -> bytes:
        """Return the answer to a request."""
        try:
            request = parse(head)
        except BadRequestError:
            return Response("400 Bad Request", b"this is no HTTP request\n").encode()
        return self._response(request).encode(with_body=request.method != "HEAD")

    def _response(self, request: Request) -> Response:
        if request.method not in METHODS:
            message = b"only GET and HEAD are answered here\n"
            return Response("405 Method Not Allowed", message, headers=("Allow: GET, HEAD",))
        if request.path in self._probes:
            return self._probes[request.path](request)
        if not is_own_host(request.headers.get("host", ""), self._names):
            message = b"ask by an address, or by the name that --admin-listen has\n"
            return Response("421 Misdirected Request", message)
        if request.path in self._pages:
            return self._pages[request.path](request)
        message = f"there are {', '.join([*self._probes, *self._pages])}\n".encode()
        return Response("404 Not Found", message)

    def _ready(self) -> Response:
        serving = int(self._registry.get_sample_value(SERVING) or 0)
        said = f"{serving} of {self._expected} processes serve\n".encode()
        return ok(said) if serving >= self._expected else Response("503 Service Unavailable", said)

    def _metrics(self, request: Request) -> Response:
        # The library's own choice fails for versions that are no numbers, and repeats the others.
        if OPENMETRICS in request.headers.get("accept", ""):
            encode: Any = openmetrics.generate_latest  # which has no annotations
            return ok(encode(self._registry), openmetrics.CONTENT_TYPE_LATEST)
        return ok(generate_latest(self._registry), CONTENT_TYPE_PLAIN_0_0_4)

    def _file(self, request: Request) -> Response:
        return ok(self._files[request.path], FILES[PurePosixPath(request.path).name])

    def _status(self) -> Status:
        return status(read(self._registry), self._history, self._expected)
