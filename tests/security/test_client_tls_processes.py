"""TLS in programs that fork, or leave SIGPIPE as it is."""

import subprocess
import sys
from pathlib import Path

from tests.certificates import Issued

PROGRAM = """
import os, signal, sys
import seedbed as sb

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
target, ca = sys.argv[1:]
spec = sb.TensorSpec("w", (2**19 + 3,), "float32", sb.RandomUniform(seed=2))
client = sb.connect(target, tls=sb.Tls(ca=ca))
expected = client.sample(spec).tobytes()
chunks = client.chunks(spec)
parts = [bytes(next(chunks).data)]
for _ in range(3):
    pid = os.fork()
    if not pid:
        code = 1
        try:
            assert client.sample(spec).tobytes() == expected
            client.close()
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(pid, 0)[1] == 0
    assert client.sample(spec).tobytes() == expected
assert b"".join(parts + [bytes(each.data) for each in chunks]) == expected
print("done")
"""


def test_a_forked_process_shakes_hands_of_its_own(server: str, ca_file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, server, str(ca_file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "done"), done.stderr


def test_a_write_to_a_connection_that_is_gone_ends_no_program(
    ca_file: Path, server_files: Issued
) -> None:
    """Some programs leave SIGPIPE as it is."""
    script = """
import signal, socket, ssl, sys, threading
from seedbed.spec.tls import Tls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.http2.tls_socket import TlsSocket
from seedbed.transports.trust import read_trust

signal.signal(signal.SIGPIPE, signal.SIG_DFL)
ca, cert, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(cert, key)
context.set_alpn_protocols(["h2"])
ours, theirs = socket.socketpair()
ours.setblocking(False)
serving = threading.Thread(
    target=lambda: context.wrap_socket(theirs, server_side=True).close(), daemon=True
)
serving.start()
secured = TlsSocket.agreed(
    ours, read_trust(Tls(ca=ca)).context, "localhost", 10.0, Cancellation()
)
serving.join()
try:
    for _ in range(2):
        secured.send(memoryview(bytes(10)))
except OSError as error:
    print(type(error).__name__)
secured.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(ca_file), str(server_files.cert), str(server_files.key)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "BrokenPipeError"), done.stderr
