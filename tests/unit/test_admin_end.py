"""The end of the admin endpoint, while somebody is being answered."""

import gc
import socket
import threading

import pytest
from prometheus_client import CollectorRegistry

from seedbed_server.admin.endpoint import AdminEndpoint, shown_by_a_thread
from seedbed_server.admin.site import Site

# How long the answer takes from when the endpoint is told to end.
ANSWER_SECONDS = 0.3


def test_the_end_waits_for_an_answer_that_is_being_made(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked, is_ending, is_made = threading.Event(), threading.Event(), threading.Event()
    answer = Site.answer

    def answer_late(site: Site, head: bytes) -> bytes:
        asked.set()
        is_ending.wait()
        made = answer(site, head)
        is_made.set()
        return made

    monkeypatch.setattr(Site, "answer", answer_late)
    endpoint = AdminEndpoint("127.0.0.1:0", CollectorRegistry())
    host, _, port = endpoint.address.rpartition(":")
    ending = threading.Timer(ANSWER_SECONDS, is_ending.set)
    with shown_by_a_thread(endpoint), socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
        asked.wait()
        ending.start()
    was_made = is_made.is_set()
    ending.join()
    assert was_made
    gc.collect()  # asyncio complains of a task that is thrown away unfinished
    assert caplog.messages == []
