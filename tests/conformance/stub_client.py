"""A client of nothing but generated stubs: it verifies, tries again and resumes.

    python -m tests.conformance.stub_client

It is what a client in another language does, line by line, and serves the Python SDK's adapter
where the SDK has no way to say what a case asks for.
"""

import contextlib
import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import grpc
import xxhash
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import seedbed as sb
from seedbed.v1 import service_pb2, streams_pb2, tensors_pb2
from tests.conformance.answering import ClientError, Request, answer_requests
from tests.conformance.tensors import same

R = TypeVar("R")

SERVICE = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"].full_name
XXH3_128 = tensors_pb2.DIGEST_ALGORITHM_XXH3_128
MOST_FAILURES = 6
FIRST_BYTES = 16
TAG_OF_CHECKSUM = b"\x79"
# These end a call at once, unless it is another request that they refuse.
FINAL = {"INVALID_ARGUMENT", "OUT_OF_RANGE", "UNIMPLEMENTED"}
RETRIED = {"UNAVAILABLE", "RESOURCE_EXHAUSTED", "DATA_LOSS", "UNKNOWN", "INTERNAL", "CANCELLED"}


def lost(what: str) -> ClientError:
    """Return the error for an answer that is not what was asked for."""
    return ClientError("DATA_LOSS", what)


def new_hasher(algorithm: int) -> Any:
    """Return what hashes bytes piece by piece."""
    return xxhash.xxh3_128() if algorithm == XXH3_128 else hashlib.sha256()


def check_understood(
    asked: tensors_pb2.TensorRequest, understood: tensors_pb2.TensorRequest
) -> None:
    """Raise unless an answer is for the tensor that was asked for."""
    with contextlib.suppress(sb.InvalidArgumentError):
        if same(asked, understood):
            return
    raise lost(f"an answer for another tensor: {json_format.MessageToDict(understood)}")


def check_header(asked: tensors_pb2.TensorRequest, header: streams_pb2.TensorHeader) -> None:
    """Raise unless a header announces what was asked for."""
    check_understood(asked, header.request)
    shape = asked.slice.lengths if asked.HasField("slice") else asked.spec.shape
    dtype = tensors_pb2.Dtype.Name(asked.spec.dtype).removeprefix("DTYPE_").lower()
    size_bytes = math.prod(shape) * sb.Dtype(dtype).itemsize
    if (
        list(header.shape) != list(shape)
        or header.dtype != asked.spec.dtype
        or header.total_bytes != size_bytes
        or header.numerics != tensors_pb2.NUMERICS_SEEDBED_1
    ):
        raise lost("a header that does not fit its tensor")


def verified_content(data: bytes) -> bytes:
    """Return a serialized answer without the checksum at its end; raise unless that is right."""
    content, end = data[:-9], data[-9:]
    if end != TAG_OF_CHECKSUM + xxhash.xxh3_64_intdigest(content).to_bytes(8, "little"):
        raise lost("an answer whose checksum is wrong")
    return content


@dataclass(slots=True)
class Tensor:
    """What has been verified of a tensor, in however many streams."""

    index: int
    algorithm: int
    total: Any
    """Hashes all of it, from where the request begins."""
    size_bytes: int = 0
    first: bytes = b""

    def add(self, data: bytes) -> None:
        """Add the next bytes."""
        self.total.update(data)
        self.size_bytes += len(data)
        self.first += data[: FIRST_BYTES - len(self.first)]

    @property
    def result(self) -> dict[str, Any]:
        """What is told of it."""
        return {
            "tensor_index": self.index,
            "size_bytes": self.size_bytes,
            "algorithm": tensors_pb2.DigestAlgorithm.Name(self.algorithm),
            "digest": self.total.hexdigest(),
            "first_bytes": self.first.hex(),
        }


def check_small(response: service_pb2.SampleSmallTensorResponse, tensor: Tensor) -> None:
    """Raise unless the bytes of an answer are all that it announces, and those of its digest."""
    digest, size_bytes = response.digest, response.header.total_bytes
    said = (digest.algorithm, digest.value, digest.size_bytes, size_bytes)
    if said != (tensor.algorithm, tensor.total.digest(), tensor.size_bytes, tensor.size_bytes):
        raise lost("bytes that are not those of their digest")


class Assembler:
    """Verifies the streams of one request, each of which begins where the last one broke."""

    def __init__(self, request: service_pb2.SampleTensorsRequest) -> None:
        self._request = request
        self._algorithm = request.digest_algorithm or XXH3_128
        self._offset = request.resume.byte_offset
        self._next_index = request.resume.tensor_index
        self._stream = new_hasher(self._algorithm)
        self._stream_bytes = 0
        self._header: streams_pb2.TensorHeader | None = None
        self._tensor = self._new_tensor()
        self.tensors: list[Tensor] = []
        """Those that are whole."""

    def _new_tensor(self) -> Tensor:
        return Tensor(self._next_index, self._algorithm, new_hasher(self._algorithm))

    @property
    def progress(self) -> tuple[int, int]:
        """Where the first byte is that has not been verified."""
        return self._next_index, self._offset

    def begin_stream(self) -> service_pb2.SampleTensorsRequest:
        """Return the request for all that is missing."""
        self._begin_tensor()
        if not self._tensor.size_bytes and not self.tensors:
            return self._request
        request = service_pb2.SampleTensorsRequest()
        request.CopyFrom(self._request)
        request.resume.tensor_index = self._next_index
        request.resume.byte_offset = self._offset
        return request

    def _begin_tensor(self) -> None:
        self._stream = new_hasher(self._algorithm)
        self._stream_bytes = 0
        self._header = None

    def feed(self, part: streams_pb2.TensorPart) -> None:
        """Take the next part; raise if it does not fit."""
        if part.tensor_index != self._next_index or self._next_index >= len(self._request.tensors):
            raise lost(f"tensor {part.tensor_index} where {self._next_index} is due")
        if part.HasField("header"):
            check_header(self._request.tensors[self._next_index], part.header)
            self._header = part.header
        if self._header is None:
            raise lost("a part before its tensor's header")
        match part.WhichOneof("content"):
            case "chunk" if part.chunk.data:
                self._take_chunk(part.chunk)
            case "fill":
                self._take_fill(part, self._header.total_bytes)
            case "segment":
                raise lost("a segment that nobody asked for")
        if part.HasField("digest"):
            self._finish_tensor(part.digest, self._header)

    def _take_chunk(self, chunk: streams_pb2.Chunk) -> None:
        if chunk.byte_offset != self._offset:
            raise lost(f"bytes from {chunk.byte_offset} on where {self._offset} is due")
        self._stream.update(chunk.data)
        self._check(chunk.digest)
        self._stream_bytes += len(chunk.data)
        self._offset += len(chunk.data)
        self._tensor.add(chunk.data)

    def _take_fill(self, part: streams_pb2.TensorPart, total_bytes: int) -> None:
        data = part.fill * (total_bytes // len(part.fill)) if part.fill else b""
        self._stream.update(data)
        self._check(part.digest.value)
        self._stream_bytes += len(data)
        self._offset += len(data)
        self._tensor.add(data)

    def _check(self, digest: bytes) -> None:
        if digest != self._stream.digest():
            raise lost("bytes that are not those of their digest")

    def _finish_tensor(self, digest: tensors_pb2.Digest, header: streams_pb2.TensorHeader) -> None:
        self._check(digest.value)
        sizes = (digest.size_bytes, self._offset)
        if digest.algorithm != self._algorithm or sizes != (
            self._stream_bytes,
            header.total_bytes,
        ):
            raise lost("a digest that does not fit its tensor")
        self.tensors.append(self._tensor)
        self._next_index += 1
        self._offset = 0
        self._tensor = self._new_tensor()
        self._begin_tensor()

    def finish(self) -> None:
        """Raise unless all has come."""
        if self._next_index != len(self._request.tensors):
            raise lost(f"the stream ended before tensor {self._next_index} was whole")


@dataclass(slots=True)
class StubClient:
    """Answers the kit's requests by calls of generated stubs."""

    target: str
    channel: Any = field(default=None)

    def close(self) -> None:
        """Close the connection."""
        if self.channel is not None:
            self.channel.close()
        self.channel = None

    def answer(self, request: Request) -> dict[str, Any]:
        """Return the result that a request asks for."""
        match request.op:
            case "info":
                return self.info()
            case "list":
                response = self._checked("ListInitializers", service_pb2.ListInitializersRequest())
                return {"initializers": [each.field for each in response[0].initializers]}
            case "describe":
                return self.describe(request.message(service_pb2.DescribeTensorsRequest()))
            case "digest":
                return self.digest(request.message(service_pb2.DigestTensorsRequest()))
            case "fetch":
                return self.fetch(request.message(service_pb2.SampleTensorsRequest()))
            case "fetch_small":
                return self.fetch_small(request.message(service_pb2.SampleSmallTensorRequest()))
        raise ClientError("UNIMPLEMENTED", f"no operation of this client: {request.op}")

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        (found,) = self._checked("GetServerInfo", service_pb2.GetServerInfoRequest())
        document = json_format.MessageToDict(found, preserving_proto_field_name=True)
        lists = ("numerics", "capabilities", "digest_algorithms")
        return {"version": found.version, **{key: document.get(key, []) for key in lists}}

    def describe(self, request: service_pb2.DescribeTensorsRequest) -> dict[str, Any]:
        """Return the descriptions of tensors."""

        def read(responses: list[Any]) -> list[Any]:
            found = [tensor for response in responses for tensor in response.tensors]
            self._check_all(request.tensors, [each.request for each in found], responses)
            return found

        described = []
        for each in self._checked("DescribeTensors", request, read):
            each.ClearField("request")
            described.append(json_format.MessageToDict(each, preserving_proto_field_name=True))
        return {"tensors": described}

    def digest(self, request: service_pb2.DigestTensorsRequest) -> dict[str, Any]:
        """Return the digests of tensors."""
        algorithm = request.digest_algorithm or XXH3_128

        def read(responses: list[Any]) -> list[Any]:
            found = [tensor for response in responses for tensor in response.tensors]
            self._check_all(request.tensors, [each.request for each in found], responses)
            for index, each in enumerate(found):
                if (each.tensor_index, each.digest.algorithm) != (index, algorithm):
                    raise lost("a digest of another tensor, or by another algorithm")
            return found

        return {
            "digests": [
                {
                    "algorithm": tensors_pb2.DigestAlgorithm.Name(each.digest.algorithm),
                    "value": each.digest.value.hex(),
                    "size_bytes": each.digest.size_bytes,
                }
                for each in self._checked("DigestTensors", request, read)
            ]
        }

    @staticmethod
    def _check_all(asked: Any, understood: list[Any], responses: list[Any]) -> None:
        if len(asked) != len(understood):
            raise lost(f"{len(understood)} answers for {len(asked)} tensors")
        if any(each.numerics != tensors_pb2.NUMERICS_SEEDBED_1 for each in responses):
            raise lost("an answer by another numerics version")
        for ours, theirs in zip(asked, understood, strict=True):
            check_understood(ours, theirs)

    def fetch(self, request: service_pb2.SampleTensorsRequest) -> dict[str, Any]:
        """Return what came of tensors."""
        assembler = Assembler(request)

        def attempt() -> None:
            for data in self._responses("SampleTensors", assembler.begin_stream()):
                for part in service_pb2.SampleTensorsResponse.FromString(data).parts:
                    assembler.feed(part)
            assembler.finish()

        self._tried(attempt, lambda: assembler.progress)
        return {"tensors": [tensor.result for tensor in assembler.tensors]}

    def fetch_small(self, request: service_pb2.SampleSmallTensorRequest) -> dict[str, Any]:
        """Return what came of a small tensor."""
        algorithm = request.digest_algorithm or XXH3_128

        def attempt() -> Tensor:
            (data,) = self._responses("SampleSmallTensor", request)
            response = service_pb2.SampleSmallTensorResponse.FromString(data)
            check_header(request.tensor, response.header)
            tensor = Tensor(0, algorithm, new_hasher(algorithm))
            tensor.add(response.data)
            check_small(response, tensor)
            return tensor

        return {"tensors": [self._tried(attempt).result]}

    def _checked(
        self, method: str, request: Message, read: Callable[[list[Any]], list[Any]] = list
    ) -> list[Any]:
        """Return what an answer with checksums holds."""
        parse: Any = getattr(service_pb2, f"{method}Response").FromString

        def attempt() -> list[Any]:
            answers = self._responses(method, request)
            responses = [parse(verified_content(data)) for data in answers]
            if not responses:
                raise lost("no answer")
            return read(responses)

        return self._tried(attempt)

    def _responses(self, method: str, request: Message) -> Iterator[bytes]:
        """Yield the serialized messages of a call's answer."""
        if self.channel is None:
            self.channel = grpc.insecure_channel(self.target)
        data = request.SerializeToString()
        ask: Any = self.channel.unary_stream(f"/{SERVICE}/{method}")
        call = ask(data)
        try:
            yield from call
        except grpc.RpcError as error:
            raise client_error(error, data) from None
        finally:
            call.cancel()

    def _tried(self, attempt: Callable[[], R], progress: Callable[[], object] = int) -> R:
        """Return what an attempt returns that succeeds; give up after six failures in a row."""
        failures = 0
        while True:
            before = progress()
            try:
                return attempt()
            except (DecodeError, ValueError) as error:
                failure = lost(f"an answer that makes no sense: {error}")
            except ClientError as error:
                if error.code not in RETRIED:
                    raise
                failure = error
            failures = failures + 1 if progress() == before else 1
            if failures == MOST_FAILURES:
                raise failure
            self.close()
            time.sleep(failure.retry_seconds or (0.02 * 2.0**failures if failures > 1 else 0.0))


def client_error(error: grpc.RpcError, request: bytes) -> ClientError:
    """Return what is told of a failed call; damage if it is another request that was refused."""
    code, message = error.code().name, error.details() or "no reason given"
    # An RpcError of a call is the call.
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    info, wrong, retry = (
        error_details_pb2.ErrorInfo(),
        error_details_pb2.BadRequest(),
        error_details_pb2.RetryInfo(),
    )
    seconds = None
    for detail in status.details if status is not None else ():
        detail.Unpack(info)
        detail.Unpack(wrong)
        if detail.Unpack(retry):
            seconds = retry.retry_delay.ToNanoseconds() / 1e9
    refused = info.metadata.get("request_xxh3_64")
    if code in FINAL and refused != xxhash.xxh3_64_hexdigest(request):
        return lost(f"another request than the one that was sent is refused: {message}")
    fields = tuple(violation.field for violation in wrong.field_violations)
    return ClientError(code, message, info.reason, fields, seconds)


class Connected:
    """A client for each request's target; the last one is kept."""

    def __init__(self) -> None:
        self._client = StubClient("")

    def __call__(self, request: Request) -> dict[str, Any]:
        """Answer a request."""
        if request.target != self._client.target:
            self._client.close()
            self._client = StubClient(request.target)
        return self._client.answer(request)


if __name__ == "__main__":
    answer_requests(Connected())
