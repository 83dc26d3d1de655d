"""The answers of the admin endpoint, as HTTP."""

from dataclasses import dataclass

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"

POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self'; style-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = (
    "Cache-Control: no-store",
    f"Content-Security-Policy: {POLICY}",
    # No other site's page gets at the content, as a picture or a script.
    "Cross-Origin-Resource-Policy: same-origin",
    "Referrer-Policy: no-referrer",
    "X-Content-Type-Options: nosniff",
    "Connection: close",
)


@dataclass(frozen=True, slots=True)
class Response:
    """What a request is answered with."""

    status: str
    body: bytes
    content_type: str = TEXT
    headers: tuple[str, ...] = ()
    """Further ones, beside those that all have."""

    def encode(self, *, with_body: bool = True) -> bytes:
        """Return its bytes; HEAD gets those without the body."""
        lines = (
            f"HTTP/1.1 {self.status}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *HEADERS,
            *self.headers,
        )
        head = "\r\n".join([*lines, "", ""]).encode()
        return head + self.body if with_body else head


def ok(body: bytes, content_type: str = TEXT) -> Response:
    """Return what a request is answered with where all is well."""
    return Response("200 OK", body, content_type)
