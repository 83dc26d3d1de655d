"""A client refuses a call's bad argument by name, before it touches the network."""

import math
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.errors import InvalidArgumentError

TYPE, VALUE = sb.InvalidTypeError, sb.InvalidValueError

SPEC = sb.TensorSpec("w", (4, 6), "float32", sb.RandomUniform(seed=1))
MANIFEST = sb.Manifest([SPEC])
READ_ONLY = np.empty((4, 6), np.float32)
READ_ONLY.flags.writeable = False

ONE = ("sample", "chunks", "describe", "digest")
MANY = ("sample_all", "digest_all")
EVERY = (*ONE, *MANY, "describe_all", "server_info", "list_initializers")


@dataclass(frozen=True)
class Case:
    """A call with one bad argument, and the field that its error must name."""

    kind: type[InvalidArgumentError]
    field: str
    method: str
    """Of the client, or the name of an initializer's class."""
    argument: str
    """What is wrong; everything else is right."""
    value: Any

    def __str__(self) -> str:
        return f"{self.method}({self.argument}={str(self.value)[:40]} {type(self.value).__name__})"

    def call(self, client: sb.Client) -> None:
        arguments = {self.argument: self.value}
        if hasattr(sb, self.method):
            getattr(sb, self.method)()(**({"shape": (3,), "client": client} | arguments))
            return
        if self.method in ONE:
            arguments = {"spec": SPEC} | arguments
        elif self.method in {*MANY, "describe_all"}:
            arguments = {"manifest": MANIFEST} | arguments
        result = getattr(client, self.method)(**arguments)
        if self.method == "chunks":
            list(result)


def _cases(
    kind: type[InvalidArgumentError],
    methods: str | tuple[str, ...],
    argument: str,
    *values: Any,
    field: str = "",
) -> list[Case]:
    methods = (methods,) if isinstance(methods, str) else methods
    return [
        Case(kind, field or argument, method, argument, value)
        for method in methods
        for value in values
    ]


def _slice(starts: tuple[int, ...], lengths: tuple[int, ...], field: str) -> list[Case]:
    return _cases(VALUE, ONE, "slice", sb.TensorSlice(starts, lengths), field=field)


WRONG_ARRAYS = (
    np.empty((6, 4), np.float32),
    np.empty(24, np.float32),
    np.empty((4, 6), np.float64),
    np.empty((4, 6), ">f4"),
    np.empty((4, 6), np.float32, order="F"),
    np.empty((4, 12), np.float32)[:, ::2],
    READ_ONLY,
)

CASES = [
    *_cases(TYPE, ONE, "spec", "w", None, 3, {"shape": (3,)}, MANIFEST, [SPEC]),
    *_cases(TYPE, (*MANY, "describe_all"), "manifest", "w", None, 3, SPEC, [3], {"w": SPEC}),
    *_cases(TYPE, EVERY, "timeout_seconds", "3", True, [1], {1}, b"1", 1j, np.array([1.0, 2.0])),
    *_cases(VALUE, EVERY, "timeout_seconds", 0, -1, math.nan, math.inf, -math.inf, -0.0, 10**400),
    *_cases(TYPE, "wait_ready", "timeout_seconds", "3", True, [1], 1j),
    *_cases(VALUE, "wait_ready", "timeout_seconds", 0, -1, math.nan, math.inf),
    *_cases(TYPE, (*ONE, *MANY), "slice", 3, (0, 1), "w", {0: 1}, True),
    *_cases(TYPE, MANY, "slice", slice(0, 2), np.s_[0:2, :]),
    *_cases(TYPE, MANY, "slice", sb.TensorSlice((0, 0), (1, 1))),
    *_slice((0,), (1, 1), "slice.starts"),
    *_slice((0, 0), (1, 1, 1), "slice.lengths"),
    *_slice((-1, 0), (1, 1), "slice.starts[0]"),
    *_slice((0, 7), (1, 0), "slice.starts[1]"),
    *_slice((1, 0), (4, 1), "slice.lengths[0]"),
    *_slice((0, 0), (1, -1), "slice.lengths[1]"),
    *_slice((0, 0), (2**70, 1), "slice.lengths[0]"),
    *_cases(VALUE, ONE, "slice", sb.shard(0, 2, axis=2), field="axis"),
    *_cases(VALUE, ("digest", "digest_all"), "algorithm", "md5", "SHA256", ""),
    *_cases(TYPE, "chunks", "first_byte", "4", None, [4], {4}, b"4", 4.0, 1.5, True, 1j),
    *_cases(VALUE, "chunks", "first_byte", -4, 3, 97, 100, 2**70),
    *_cases(TYPE, "sample", "out", 3, [0.0], "w", b"w", bytearray(96), memoryview(bytearray(96))),
    *_cases(VALUE, "sample", "out", *WRONG_ARRAYS),
    *_cases(
        VALUE, "sample_all", "out", *({"w": array} for array in WRONG_ARRAYS), {"v": READ_ONLY}
    ),
    *_cases(TYPE, "sample_all", "out", [1], 3, "w", np.empty(24, np.float32), {1}, {"w": 3}),
    *_cases(TYPE, "Zeros", "name", 3, b"w", ["w"]),
    *_cases(TYPE, "RandomNormal", "draw", "1", 1.0, True, [1]),
    *_cases(TYPE, "HeNormal", "shape", None, "3", 3.5, (True,), {3}),
    *_cases(TYPE, "Zeros", "client", "localhost:1", 3, object()),
]


@pytest.fixture(scope="module")
def client() -> Iterator[sb.Client]:
    """A client of a port on which nobody listens: a call that gets there is an UnavailableError."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        with sb.connect(address, patience_seconds=0) as nobody:
            yield nobody


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bad_argument_is_refused_before_the_network(client: sb.Client, case: Case) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        case.call(client)
    assert type(caught.value) is case.kind
    assert caught.value.field.startswith(case.field)
    assert "Received" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_nobody_answers_what_is_right(client: sb.Client) -> None:
    for method in EVERY:
        with pytest.raises(sb.UnavailableError):
            Case(VALUE, "", method, "timeout_seconds", np.float32(0.1)).call(client)


@pytest.mark.parametrize("seconds", [1e10, 1e18, 1e300], ids=str)
def test_a_very_long_timeout_is_not_over_at_once(client: sb.Client, seconds: float) -> None:
    another = sb.Client(client._transport.another())
    stopping = threading.Timer(0.3, another._transport.cancel)
    stopping.start()
    with pytest.raises(sb.CancelledError):
        another.sample(SPEC, timeout_seconds=seconds)
    stopping.join()


@pytest.mark.parametrize("first_byte", [np.int64(8), np.uint8(8), 8], ids=repr)
def test_every_kind_of_integer_is_an_offset(client: sb.Client, first_byte: Any) -> None:
    with pytest.raises(sb.UnavailableError):
        list(client.chunks(SPEC, first_byte=first_byte))
