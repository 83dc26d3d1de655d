"""Checks the README's requests, and grpcurl's answers to them.

``check.py requests`` parses every request of the README with protobuf's own parser.
``check.py answer COMMAND CODE`` reads what a command printed, and how it ended.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import xxhash
from google.protobuf import json_format

from seedbed.v1 import service_pb2, tensors_pb2

HERE = Path(__file__).parent
CALL = re.compile(r"seedbed\.v1\.SeedbedService/(\w+) <(\S+)$", re.MULTILINE)

# Of tensors.json and small.json, by numerics seedbed-1.
LIMIT = (6 / 4096) ** 0.5
DIGESTS = ["19cf3b35f228e0b4184e5893785c3a28", "a086a8e1553b9d52f91d38f8d9bb7f57"]
SMALL_DIGEST = "5721cfb87fc9572a98de4c51e781adce"


def check_requests() -> None:
    """Parse each request as the message of the method that the README sends it to."""
    calls = CALL.findall((HERE / "README.md").read_text())
    if len(calls) != 5:
        sys.exit(f"the README has {len(calls)} calls with a request, not 5")
    for method, file in calls:
        message = getattr(service_pb2, f"{method}Request")()
        json_format.Parse((HERE / file).read_text(), message)
        print(f"{file} is a {method}Request")


def check_answer(command: str, code: int, answer: str) -> None:
    """Compare one command's answer with what it must say."""
    if command.endswith("<refused.json"):
        wanted = '"reason":"INVALID_VALUE"', "initializer.variance_scaling.scale"
        if code == 0 or any(text not in answer for text in wanted):
            sys.exit(f"it ended with {code}: {answer}")
        return
    if code != 0:
        sys.exit(f"it ended with {code}: {answer}")
    call = re.search(r"SeedbedService/(\w+)", command)
    if call is None:
        if "seedbed.v1.SeedbedService" not in answer and "fixed64 seed = 5" not in answer:
            sys.exit(f"no schema: {answer}")
        return
    # Names of fields come in either form, as grpcurl's release has it; a parser takes both.
    response = getattr(service_pb2, f"{call[1]}Response")
    messages = [json_format.ParseDict(one, response()) for one in documents(answer)]
    CHECKS[call[1]](messages)


def documents(text: str) -> list[Any]:
    """Return the JSON objects of a text that holds one after the other."""
    found, decoder, text = [], json.JSONDecoder(), text.lstrip()
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].lstrip()
    return found


def check_info(messages: list[Any]) -> None:
    """Check that the server has the numerics that the requests name."""
    due(list(messages[0].numerics), [tensors_pb2.NUMERICS_SEEDBED_1])


def check_list(messages: list[Any]) -> None:
    """Check that the initializers of the requests are there."""
    fields = {info.field for info in messages[0].initializers}
    due({"constant", "glorot_uniform", "random_normal"} - fields, set())


def check_descriptions(messages: list[Any]) -> None:
    """Check what decides the content of both tensors."""
    matrix, vector = (one for message in messages for one in message.tensors)
    due((list(matrix.shape), matrix.fans.fan_in, matrix.uniform.maxval), ([4, 512], 2048.0, LIMIT))
    due((vector.size_bytes, vector.constant.real), (64, 0.5))


def check_digests(messages: list[Any]) -> None:
    """Check the digests of both tensors."""
    due([one.digest.value.hex() for message in messages for one in message.tensors], DIGESTS)


def check_bytes(messages: list[Any]) -> None:
    """Check the bytes of both tensors."""
    tensors: dict[int, bytes] = defaultdict(bytes)
    for part in (part for message in messages for part in message.parts):
        tensors[part.tensor_index] += part.chunk.data
    due([xxhash.xxh3_128_hexdigest(data) for data in tensors.values()], DIGESTS)


def check_small(messages: list[Any]) -> None:
    """Check the bytes of the small tensor."""
    due(xxhash.xxh3_128_hexdigest(messages[0].data), SMALL_DIGEST)


def due(found: object, expected: object) -> None:
    """End with a message unless both are equal."""
    if found != expected:
        sys.exit(f"{found} came, {expected} is right")


CHECKS = {
    "GetServerInfo": check_info,
    "ListInitializers": check_list,
    "DescribeTensors": check_descriptions,
    "DigestTensors": check_digests,
    "SampleTensors": check_bytes,
    "SampleSmallTensor": check_small,
}

if __name__ == "__main__":
    if sys.argv[1] == "requests":
        check_requests()
    else:
        check_answer(sys.argv[2], int(sys.argv[3]), sys.stdin.read())
