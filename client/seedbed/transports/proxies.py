"""The proxies of the environment: gRPC goes through them, and our own connections do not."""

import os

PROXY_VARIABLES = ("grpc_proxy", "https_proxy", "http_proxy", "GRPC_ADDRESS_HTTP_PROXY")
"""There are no others for gRPC: it takes no other spelling."""


def proxy_variable() -> str | None:
    """Return the variable that names a proxy, if one does."""
    return next((name for name in PROXY_VARIABLES if os.environ.get(name)), None)
