"""A forked process opens connections of its own, and disturbs no call of its parent."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.http2_server import Exchange, prefixed, scripted_server
from tests.left_open import nothing_left_open

FORKING = """
import os, socket, sys
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.address import Address
from seedbed.transports.http2.connections import Connections
from seedbed.transports.try_limits import ALONE

port = int(sys.argv[1])
connections = Connections(Address(None, "127.0.0.1", port))
METHOD = "/seedbed.v1.SeedbedService/SampleTensors"

def rest(call):
    found = []
    while (size := call.next_message()) is not None:
        found.append(call.read(size))
    return found

def ask(message):
    with connections.call(METHOD, message, ALONE, Cancellation()) as call:
        return rest(call)

def in_child(work):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
"""


@pytest.fixture(autouse=True)
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


def _echo(exchange: Exchange) -> None:
    exchange.answer(exchange.message)


def _run_forking(script: str, port: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING + script, str(port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_forked_process_opens_connections_of_its_own() -> None:
    script = """
assert ask(b"parent") == [b"parent"]

def child():
    assert ask(b"child") == [b"child"]
    assert ask(b"child again") == [b"child again"]

in_child(child)
assert ask(b"parent again") == [b"parent again"]
in_child(child)
assert ask(b"parent again") == [b"parent again"]
"""
    with scripted_server(_echo) as server:
        _run_forking(script, server.address.port)
        assert len(server.lines) == 3
        parent = [each.message for each in server.exchanges if each.line is server.lines[0]]
        assert parent == [b"parent", b"parent again", b"parent again"]


@pytest.mark.parametrize("work", ["connections.close()", 'assert ask(b"child") == [b"child"]'])
def test_a_process_forked_during_a_call_does_not_disturb_it(work: str) -> None:
    """The server goes on with its answer when the child has ended.

    Another connection tells it of that end.
    """
    script = f"""
def child():
    {work}

with connections.call(METHOD, b"parent", ALONE, Cancellation()) as call:
    assert call.read(call.next_message()) == b"before"
    in_child(child)
    with socket.create_connection(("127.0.0.1", port)):
        pass
    with socket.create_connection(("127.0.0.1", port)):
        pass
    assert rest(call) == [b"after"]
"""

    def answer(exchange: Exchange) -> None:
        if exchange.message == b"child":
            _echo(exchange)
            return
        exchange.start()
        exchange.data(prefixed(b"before"))
        exchange.line.server.wait_for(lambda: len(exchange.line.server.lines) >= 3)
        exchange.data(prefixed(b"after"))
        exchange.end()

    with scripted_server(answer) as server:
        _run_forking(script, server.address.port)
