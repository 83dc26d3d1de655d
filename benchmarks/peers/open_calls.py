"""Calls that stay open and do nothing, far more of them than a gRPC client would hold.

They are HTTP/2 by hand: a call is one HEADERS frame, and one DATA frame where it sends a request.
The windows for answers are zero, so the server may never send a byte of data.
"""

import selectors
import socket
import struct
import threading
import time
from collections.abc import Mapping
from itertools import count

from benchmarks.work import Action
from seedbed.v1 import service_pb2, tensors_pb2

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING = 0x0, 0x1, 0x3, 0x4, 0x6
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
INITIAL_WINDOW_SIZE = 0x4
FRAME_HEADER_BYTES = 9
METHOD = "/seedbed.v1.SeedbedService/SampleTensors"
# Each is as large as a layer, so that a stream always has more to send.
TENSOR_ELEMENTS = 2**26
READ_BYTES = 2**16
# gRPC refuses some of the calls that come faster than its server takes them on.
OPENED_PER_SECOND = 2000


def actions(
    *, address: str, calls: int, calls_per_connection: int, asks: bool
) -> dict[str, Action]:
    """Return what opens the calls, and what says how many of them the server has ended.

    Args:
        address: of the server.
        calls: how many.
        calls_per_connection: how many of them share a connection.
        asks: whether each sends a request for a tensor of its own; otherwise it sends nothing.
    """
    connections: list[Connection] = []
    seeds = count(1)

    def open_all() -> None:
        for first in range(0, calls, calls_per_connection):
            number = min(calls_per_connection, calls - first)
            requests = [_request(next(seeds)) if asks else None for _ in range(number)]
            connections.append(Connection(address, requests))
            time.sleep(number / OPENED_PER_SECOND)
        threading.Thread(target=_keep_alive, args=(connections,), daemon=True).start()

    def ended() -> Mapping[str, float]:
        return {"ended": sum(len(connection.ended) for connection in connections)}

    def close() -> None:
        for connection in connections:
            connection.socket.shutdown(socket.SHUT_RDWR)

    return {"open": open_all, "ended": ended, "close": close}


class Connection:
    """One connection with its calls.

    Args:
        address: of the server.
        requests: what each call sends; None sends nothing.
    """

    def __init__(self, address: str, requests: list[bytes | None]) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.ended: set[int] = set()
        self._streams = range(1, 2 * len(requests), 2)
        self._received = b""
        headers = _headers(address)
        frames = [PREFACE, _frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, 0))]
        for stream, request in zip(self._streams, requests, strict=True):
            frames.append(_frame(HEADERS, END_HEADERS, stream, headers))
            if request is not None:
                message = struct.pack(">BI", 0, len(request)) + request
                frames.append(_frame(DATA, END_STREAM, stream, message))
        self.socket.sendall(b"".join(frames))

    def answer(self) -> bool:
        """Acknowledge what has come and must be; return whether the connection goes on."""
        try:
            data = self.socket.recv(READ_BYTES)
            self._received += data
            self._answer_frames()
        except OSError:
            data = b""
        if not data:
            self.ended.update(self._streams)
        return bool(data)

    def _answer_frames(self) -> None:
        while len(self._received) >= FRAME_HEADER_BYTES:
            high, low, kind, flags, stream = struct.unpack_from(">BHBBI", self._received)
            end = FRAME_HEADER_BYTES + (high << 16 | low)
            if len(self._received) < end:
                return
            payload, self._received = self._received[FRAME_HEADER_BYTES:end], self._received[end:]
            if kind == SETTINGS and not flags & ACK:
                self.socket.sendall(_frame(SETTINGS, ACK, 0, b""))
            elif kind == PING and not flags & ACK:
                self.socket.sendall(_frame(PING, ACK, 0, payload))
            elif kind == RST_STREAM or (kind == HEADERS and flags & END_STREAM):
                self.ended.add(stream)


def _keep_alive(connections: list[Connection]) -> None:
    """Answer the server's settings and pings until every connection has ended."""
    selector = selectors.DefaultSelector()
    for connection in connections:
        selector.register(connection.socket, selectors.EVENT_READ, connection)
    while selector.get_map():
        for key, _ in selector.select():
            if not key.data.answer():
                selector.unregister(key.fileobj)
                key.data.socket.close()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    size = len(payload)
    return struct.pack(">BHBBI", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def _headers(address: str) -> bytes:
    """Return a gRPC call's headers in HPACK without its tables or Huffman's code."""
    # Indexed: ":method POST" and ":scheme http" of the static table; literal: names 4, 1 and 31 of
    # it, and one name in full (RFC 7541, 6.2.2 and appendix A).
    return b"".join(
        (
            b"\x83\x86",
            b"\x04" + _text(METHOD),
            b"\x01" + _text(address),
            b"\x0f\x10" + _text("application/grpc"),
            b"\x00" + _text("te") + _text("trailers"),
        )
    )


def _text(text: str) -> bytes:
    return bytes([len(text)]) + text.encode()


def _request(seed: int) -> bytes:
    spec = tensors_pb2.TensorSpec(name="w", shape=[TENSOR_ELEMENTS], seed=seed)
    spec.dtype = tensors_pb2.DTYPE_FLOAT32
    spec.initializer.random_uniform.SetInParent()
    tensor = tensors_pb2.TensorRequest(spec=spec)
    return service_pb2.SampleTensorsRequest(
        tensors=[tensor], numerics=tensors_pb2.NUMERICS_SEEDBED_1
    ).SerializeToString()
