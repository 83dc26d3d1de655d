"""The admin endpoint's answers, without a connection."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST

from seedbed_server.admin.site import Site


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0", "x", "1.1.x", "", "1.0.0; q=y;;=", "\xff"])
def test_metrics_are_shown_whatever_version_is_asked_for(version: str) -> None:
    site = Site(CollectorRegistry(), host="127.0.0.1", expected=1, pids={})
    accept = f"application/openmetrics-text; version={version}"
    answer = site.answer(f"GET /metrics HTTP/1.1\r\nAccept: {accept}\r\n\r\n".encode("latin-1"))
    head = answer.partition(b"\r\n\r\n")[0].decode()
    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert f"Content-Type: {CONTENT_TYPE_LATEST}\r\n" in head
