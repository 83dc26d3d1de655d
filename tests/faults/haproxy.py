"""HAProxy in front of servers whose health it asks for: by connections, or by HTTP/2's streams."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import hpack

from seedbed.transports.http2 import frames
from seedbed.transports.http2.frames import frame
from tests.faults.replicas import Replica
from tests.raw_calls import SERVICE

Mode = Literal["tcp", "http"]

START_SECONDS = 120.0

CONFIGURATION = """
global
    log stderr format raw daemon notice
    stats socket {folder}/admin level admin
    # A session with a server that is gone ends with it.
    hard-stop-after 5s

defaults
    mode {mode}
    log global
    timeout connect 1s
    timeout client 1h
    timeout server 1h
    timeout check 1s
    retries 3
    option redispatch 1

frontend clients
    bind fd@{descriptor}{protocol}
    default_backend servers

backend servers
    balance roundrobin
    # gRPC's own health check: a server that drains says so before it closes its port.
    option tcp-check
    tcp-check send-binary {question}
    tcp-check expect binary {answer}
    default-server check inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions{protocol}
{servers}
"""


def health_question() -> bytes:
    """Return the bytes of a connection that asks whether the service is healthy."""
    headers = hpack.Encoder().encode(
        [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/grpc.health.v1.Health/Check"),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ],
        huffman=False,
    )
    message = b"\x0a" + bytes([len(SERVICE)]) + SERVICE.encode()
    return (
        frames.PREFACE
        + frames.settings({})
        + frame(frames.HEADERS, frames.END_HEADERS, 1, headers)
        + frame(
            frames.DATA, frames.END_STREAM, 1, b"\0" + len(message).to_bytes(4, "big") + message
        )
    )


HEALTHY = b"\0\0\0\0\x02\x08\x01"
"""A message of two bytes: HealthCheckResponse with status SERVING."""


@contextmanager
def haproxy(mode: Mode, replicas: Sequence[Replica], folder: Path) -> Iterator[str]:
    """Yield the address of an HAProxy in front of servers, when it has found all healthy."""
    program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
    assert program is not None, "these tests need HAProxy: apt-get install haproxy"
    # What HTTP/2 is spoken over has no TLS, whose handshake would agree upon it.
    protocol = " proto h2" if mode == "http" else ""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.set_inheritable(True)
        file = folder / "haproxy.cfg"
        file.write_text(
            CONFIGURATION.format(
                folder=folder,
                mode=mode,
                descriptor=listener.fileno(),
                protocol=protocol,
                question=health_question().hex(),
                answer=HEALTHY.hex(),
                servers="\n".join(
                    f"    server s{i} {replica.address}" for i, replica in enumerate(replicas)
                ),
            )
        )
        with (
            (folder / "haproxy.log").open("w") as log,
            subprocess.Popen(
                [program, "-db", "-f", str(file)],
                pass_fds=[listener.fileno()],
                stdout=log,
                stderr=subprocess.STDOUT,
            ) as process,
        ):
            try:
                _wait_for_servers(folder, len(replicas), process)
                yield f"127.0.0.1:{listener.getsockname()[1]}"
            finally:
                process.kill()


def checks(folder: Path) -> list[str]:
    """Return how the last check of each server's health ended; ``L7OK`` is well."""
    with socket.socket(socket.AF_UNIX) as admin:
        admin.connect(str(folder / "admin"))
        admin.sendall(b"show stat -1 4 -1\n")
        text = b"".join(iter(lambda: admin.recv(65536), b"")).decode()
    names, *rows = [line.split(",") for line in text.splitlines() if line]
    return [row[names.index("check_status")] for row in rows]


def _wait_for_servers(folder: Path, count: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if checks(folder).count("L7OK") == count:
                return
        except OSError:  # not there yet
            pass
        time.sleep(0.05)
    raise AssertionError((folder / "haproxy.log").read_text())
