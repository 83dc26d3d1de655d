"""Clients that are wrong on purpose, each in one way: the kit must find them.

python -m tests.conformance.liars trusting|whole|constant|restarting|hasty|credulous
"""

import math
import sys
from collections.abc import Callable
from typing import Any

from seedbed.v1 import service_pb2, streams_pb2
from tests.conformance import stub_client
from tests.conformance.answering import ClientError, Request, answer_requests
from tests.conformance.stub_client import Assembler, Connected

Answer = Callable[[Request], dict[str, Any]]


def trusting() -> Answer:
    """Compare nothing of what comes with its digests, its checksum or what was asked for."""

    def feed(self: Assembler, part: streams_pb2.TensorPart) -> None:
        if self._tensor.index != part.tensor_index:
            self.tensors.append(self._tensor)
            self._next_index = part.tensor_index
            self._offset = 0
            self._tensor = self._new_tensor()
        count = math.prod(self._request.tensors[part.tensor_index].spec.shape)
        self._tensor.add(part.chunk.data or part.fill * count)
        self._offset += len(part.chunk.data)

    def finish(self: Assembler) -> None:
        self.tensors.append(self._tensor)

    Assembler.feed, Assembler.finish = feed, finish  # type: ignore[method-assign]
    stub_client.check_understood = lambda *_: None
    stub_client.check_header = lambda *_: None
    stub_client.verified_content = lambda data: data[:-9]
    stub_client.check_small = lambda *_: None
    return Connected()


def whole() -> Answer:
    """Leave out what part of a tensor is wanted."""
    answer = Connected()

    def wrong(request: Request) -> dict[str, Any]:
        document = dict(request.document)
        if "tensor" in document:
            document["tensor"] = {"spec": document["tensor"]["spec"]}
        if "tensors" in document:
            document["tensors"] = [{"spec": each["spec"]} for each in document["tensors"]]
        return answer(Request(document))

    return wrong


def constant() -> Answer:
    """Tell one digest for everything."""
    answer = Connected()

    def wrong(request: Request) -> dict[str, Any]:
        result = answer(request)
        for each in (*result.get("tensors", []), *result.get("digests", [])):
            each.update({key: "0" * 32 for key in ("digest", "value") if key in each})
        return result

    return wrong


def restarting() -> Answer:
    """Begin anew where a stream broke."""

    def begin_stream(self: Assembler) -> service_pb2.SampleTensorsRequest:
        Assembler.__init__(self, self._request)
        return self._request

    Assembler.begin_stream = begin_stream  # type: ignore[method-assign]
    return Connected()


def hasty() -> Answer:
    """Never try again."""
    stub_client.MOST_FAILURES = 1
    return Connected()


def credulous() -> Answer:
    """Take every refusal for one of the request that was sent."""
    honest = stub_client.client_error

    def wrong(error: Any, request: bytes) -> ClientError:
        found = honest(error, request)
        if found.code == "DATA_LOSS" and error.code().name != "DATA_LOSS":
            return ClientError(error.code().name, str(found))
        return found

    stub_client.client_error = wrong
    return Connected()


LIARS = {each.__name__: each for each in (trusting, whole, constant, restarting, hasty, credulous)}

if __name__ == "__main__":
    answer_requests(LIARS[sys.argv[1]]())
