"""What gRPC itself can do: a server of ready bytes, without protobuf, checksums or digests.

    python -m benchmarks.peers.bare_server '{"total_bytes": N, "message_bytes": N}'

``Send`` streams random bytes that it holds as ready messages; ``Echo`` gives back what it gets.
"""

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import numpy as np

SERVICE = "bare.Bytes"
SEND, ECHO = f"/{SERVICE}/Send", f"/{SERVICE}/Echo"


def main(*, total_bytes: int = 0, message_bytes: int = 1) -> None:
    """Serve until standard input ends."""
    random = np.random.default_rng(0)
    payloads = [random.bytes(message_bytes) for _ in range(total_bytes // message_bytes)]

    def send(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        del request, context
        yield from payloads

    def echo(request: bytes, context: grpc.ServicerContext) -> bytes:
        del context
        return request

    methods: dict[str, Any] = {
        "Send": grpc.unary_stream_rpc_method_handler(send),
        "Echo": grpc.unary_unary_rpc_method_handler(echo),
    }
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening address=127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
