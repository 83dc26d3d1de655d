"""An Arrow Flight server of a ready buffer: one column of random float32 numbers.

    python -m benchmarks.peers.flight_server '{"total_bytes": N, "location": "grpc://127.0.0.1:0"}'

The ticket is the number of bytes in a batch. The stream runs in C++, without Python.
"""

import functools
import json
import sys
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import flight

ITEM_BYTES = 4


class ReadyBuffer(flight.FlightServerBase):  # type: ignore[misc]  # pyarrow has no annotations
    """Sends a table in batches of the size that a ticket names."""

    def __init__(self, location: str, total_bytes: int) -> None:
        super().__init__(location)
        numbers = np.random.Generator(np.random.SFC64(0)).random(
            total_bytes // ITEM_BYTES, np.float32
        )
        self._column = pa.array(numbers)

    def do_get(self, context: object, ticket: Any) -> Any:
        """Start a stream."""
        del context
        return flight.RecordBatchStream(self._table(int(ticket.ticket)))

    @functools.cache  # noqa: B019  # the server lives as long as its process
    def _table(self, batch_bytes: int) -> Any:
        rows = batch_bytes // ITEM_BYTES
        chunks = [self._column[begin : begin + rows] for begin in range(0, len(self._column), rows)]
        return pa.table({"w": pa.chunked_array(chunks)})


def main(*, total_bytes: int, location: str) -> None:
    """Serve until standard input ends."""
    server = ReadyBuffer(location, total_bytes)
    address = location.replace(":0", f":{server.port}") if location.endswith(":0") else location
    print(f"listening address={address}", flush=True)
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
