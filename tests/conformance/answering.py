"""The kit's side of a client in Python: requests from stdin, answers to stdout."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from seedbed.v1 import tensors_pb2

M = TypeVar("M", bound=Message)

FIELDS = ("tensor", "tensors", "digest_algorithm", "resume", "transfer", "numerics")
"""Keys of a request that are fields of its message."""


class ClientError(Exception):
    """A call that failed, as the kit is told of it."""

    def __init__(
        self,
        code: str,
        message: str,
        reason: str = "",
        fields: tuple[str, ...] = (),
        retry_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.fields = fields
        self.retry_seconds = retry_seconds

    def to_json(self) -> dict[str, Any]:
        """Return the ``error`` of an answer."""
        told: dict[str, Any] = {"code": self.code, "message": str(self)}
        if self.reason:
            told["reason"] = self.reason
        if self.fields:
            told["fields"] = list(self.fields)
        if self.retry_seconds is not None:
            told["retry_seconds"] = self.retry_seconds
        return told


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the kit's."""

    document: dict[str, Any]

    @property
    def op(self) -> str:
        """What is asked for."""
        return str(self.document["op"])

    @property
    def target(self) -> str:
        """Whom to ask."""
        return str(self.document["target"])

    def message(self, empty: M) -> M:
        """Return the request as a message of a method, pinned to the numerics that we know."""
        fields = {"numerics": tensors_pb2.NUMERICS_SEEDBED_1}
        fields |= {key: self.document[key] for key in FIELDS if key in self.document}
        json_format.ParseDict(fields, empty)
        return empty


def answer_requests(answer: Callable[[Request], dict[str, Any]]) -> None:
    """Answer each line of stdin by one of stdout, until stdin ends."""
    for line in sys.stdin:
        request = Request(json.loads(line))
        try:
            told = {"result": answer(request)}
        except ClientError as error:
            told = {"error": error.to_json()}
        print(json.dumps({"id": request.document["id"], **told}), flush=True)
