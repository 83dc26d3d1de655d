"""How fast a client fetches 1 GiB over loopback, sampling included, beside a bare gRPC stream of ready bytes.

    python benchmarks/fetch.py [--mebibytes 1024] [--rounds 5] [--json]

Both fill a preallocated array from a server in another process, with messages of the same size, in turns. The bare
stream has no protobuf, no checksum, no digest, and sends one ready block again and again; it runs with gRPC's default
channel and with seedbed's channel settings. The ratio is taken round by round, to the faster of the two.
"""

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import IO, Any

import grpc
import numpy as np

import seedbed as sb
from seedbed.channel import DEFAULT_OPTIONS
from seedbed_server.settings import Settings

MESSAGE_BYTES = Settings().default_chunk_bytes
METHOD = "/bare.Bytes/Send"


def serve_bare(total_bytes: int) -> None:
    """Serve ready bytes until standard input ends; the port is the first line of standard output."""
    payload = np.random.default_rng(0).integers(0, 256, MESSAGE_BYTES, np.uint8).tobytes()

    def send(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        del request, context
        for _ in range(total_bytes // MESSAGE_BYTES):
            yield payload

    server = grpc.server(ThreadPoolExecutor(2))
    handler: Any = grpc.unary_stream_rpc_method_handler(send)
    service, method = METHOD.strip("/").split("/")
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"address=127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None)


def fetch_bare(address: str, out: memoryview, options: dict[str, int | str]) -> None:
    """Receive ready bytes into memory, as simply as gRPC allows."""
    with grpc.insecure_channel(address, list(options.items())) as channel:
        at = 0
        call: Any = channel.unary_stream(METHOD)
        for message in call(b""):
            out[at : at + len(message)] = message
            at += len(message)
    if at != len(out):
        raise SystemExit(f"the bare stream ended after {at} of {len(out)} bytes")


def address_of(stream: IO[str] | None) -> str:
    """Return the address that a server writes when it listens."""
    assert stream is not None
    for line in stream:
        if found := re.search(r"address=(127\.\S+)", line):
            return found.group(1)
    raise SystemExit("the server did not start")


def measure(mebibytes: int, rounds: int) -> list[dict[str, float]]:
    """Return GB/s of each way in every round."""
    total = mebibytes * 2**20 // MESSAGE_BYTES * MESSAGE_BYTES
    out = np.ones(total // 4, np.float32)
    memory = out.view(np.uint8).data
    bare_command = [sys.executable, __file__, "--serve-bare", str(total)]
    bare = subprocess.Popen(bare_command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    command = [sys.executable, "-m", "seedbed_server.cli", "--listen", "127.0.0.1:0"]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        bare_address, address = address_of(bare.stdout), address_of(server.stderr)
        spec = sb.TensorSpec("w", out.shape, "float32", sb.GlorotUniform(seed=1))
        with sb.connect(address) as client:
            client.wait_ready(120)
            client.sample(spec, out=out)

            def timed(fetch: Any) -> float:
                started = time.perf_counter()
                fetch()
                return total / (time.perf_counter() - started) / 1e9

            return [
                {
                    "seedbed": timed(lambda: client.sample(spec, out=out)),
                    "bare": timed(lambda: fetch_bare(bare_address, memory, {})),
                    "bare, tuned": timed(lambda: fetch_bare(bare_address, memory, DEFAULT_OPTIONS)),
                }
                for _ in range(rounds)
            ]
    finally:
        for process in (bare, server):
            process.terminate()
            process.communicate()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve-bare", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve_bare:
        serve_bare(options.serve_bare)
        return
    speeds = measure(options.mebibytes, options.rounds)
    if options.json:
        print(json.dumps(speeds))
        return
    for way in speeds[0]:
        each = [speed[way] for speed in speeds]
        print(f"{way:14}{median(each):6.2f} GB/s ({min(each):.2f}-{max(each):.2f})")
    ratios = [speed["seedbed"] / max(speed["bare"], speed["bare, tuned"]) for speed in speeds]
    print(f"{'ratio':14}{median(ratios):6.2f}      ({min(ratios):.2f}-{max(ratios):.2f})")


if __name__ == "__main__":
    main()
