"""TLS in programs that fork, or leave SIGPIPE as it is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.certificates import Issued

FORKING = """
import multiprocessing, os, signal, sys, threading, time, traceback
import seedbed as sb

target, ca = sys.argv[1:]
SPEC = sb.TensorSpec("w", (2**19 + 3,), "float32", sb.RandomUniform(seed=2))
EXPECTED = sb.connect("embedded:").sample(SPEC).tobytes()

def connect():
    if not ca:
        return sb.connect(target, options={"grpc.max_receive_message_length": -1})
    return sb.connect(target, tls=sb.Tls(ca=ca))

def fetch(client, **arguments):
    assert client.sample(SPEC, **arguments).tobytes() == EXPECTED

def refused(work):
    begin = time.monotonic()
    try:
        work()
    except sb.ForkError as error:
        assert "start the process by 'spawn' or 'forkserver'" in str(error)
    else:
        raise AssertionError("nothing was refused")
    assert time.monotonic() - begin < 20.0  # patience is longer

def in_child(work):
    pid = os.fork()
    if not pid:
        signal.alarm(120)  # ends it, should it hang
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
"""


def _run(script: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(params=["TLS", "options"])
def forking(
    request: pytest.FixtureRequest, server: str, plain_server: str, ca_file: Path
) -> tuple[str, str]:
    """The arguments of a program that calls by gRPC: a target, and its authority if it has one."""
    return (server, str(ca_file)) if request.param == "TLS" else (plain_server, "")


def test_a_process_forked_before_the_first_call_makes_calls(forking: tuple[str, str]) -> None:
    script = """
client = connect()

def child():
    fetch(client)
    fetch(connect())
    client.close()

in_child(child)
fetch(client)
"""
    _run(FORKING + script, *forking)


def test_a_process_forked_after_a_call_is_refused_at_once_and_disturbs_nobody(
    forking: tuple[str, str],
) -> None:
    script = """
client = connect()
chunks = client.chunks(SPEC)
parts = [bytes(next(chunks).data)]

def child():
    refused(lambda: fetch(client))
    refused(lambda: fetch(client, timeout_seconds=60))
    refused(client.wait_ready)
    refused(lambda: list(chunks))
    refused(lambda: fetch(connect()))
    in_child(lambda: refused(lambda: fetch(client)))
    client.close()
    fetch(sb.connect("embedded:"))

for _ in range(5):
    in_child(child)
assert b"".join(parts + [bytes(each.data) for each in chunks]) == EXPECTED
fetch(client)
assert client.stats().failures == 0
"""
    _run(FORKING + script, *forking)


def test_children_of_a_busy_process_are_refused_and_end(forking: tuple[str, str]) -> None:
    """GRPC's own fork handlers are off: they end some children that never call."""
    script = """
def fetch_on():
    client = connect()
    while not is_over.is_set():
        fetch(client)

def child():
    refused(lambda: fetch(connect()))

fetch(connect())  # no thread imports anything later: its lock would be held in a child
is_over = threading.Event()
threads = [threading.Thread(target=fetch_on, daemon=True) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(20):
    in_child(child)
context = multiprocessing.get_context("fork")
children = [context.Process(target=child) for _ in range(5)]
for each in children:
    each.start()
for each in children:
    each.join(120)
is_over.set()
for thread in threads:
    thread.join()
assert [each.exitcode for each in children] == [0] * 5
"""
    off = "import os; os.environ['GRPC_ENABLE_FORK_SUPPORT'] = '0'"
    _run(off + FORKING + script, *forking)


def test_a_child_of_a_client_under_tls_can_call_without(
    server: str, plain_server: str, ca_file: Path
) -> None:
    script = """
plain = sys.argv[2]
target, ca = sys.argv[1], sys.argv[3]
fetch(connect())
in_child(lambda: fetch(sb.connect(plain)))
"""
    _run(FORKING.replace("target, ca = sys.argv[1:]\n", "") + script, server, plain_server, ca_file)


def test_a_write_to_a_connection_that_is_gone_ends_no_program(
    ca_file: Path, server_files: Issued
) -> None:
    """Some programs leave SIGPIPE as it is."""
    script = """
import signal, socket, ssl, sys, threading
from seedbed.spec.tls import Tls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.tls_connection import agreed
from seedbed.transports.trust import read_trust

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
ca, cert, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.set_alpn_protocols(["h2"])
ours, theirs = socket.socketpair()
serving = threading.Thread(
    target=lambda: context.wrap_socket(theirs, server_side=True).close(), daemon=True
)
serving.start()
with agreed(ours, read_trust(Tls(ca=ca)).context, "localhost", 10.0, Cancellation()) as secured:
    serving.join()
    print([secured.answer_to(bytes(10)) for _ in range(2)])
"""
    arguments = (ca_file, server_files.cert, server_files.key)
    assert _run(script, *arguments) == "[b'', b'']"
