"""A client checks every argument before it asks anybody."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

import seedbed as sb
from seedbed.spec.tensors import TensorRequest

SPEC = sb.TensorSpec("w", (4, 3), "float32", sb.RandomNormal(seed=1))
PLAIN = sb.TensorSpec("", (4, 3), "float32", sb.RandomNormal(seed=1))
MODEL = sb.Manifest(
    [
        SPEC,
        sb.TensorSpec("b", (3,), "bfloat16", sb.Ones()),
        sb.TensorSpec("scale", (), "float64", sb.Constant(2.5)),
    ]
)


@pytest.fixture(scope="module")
def client() -> sb.Client:
    """The embedded engine."""
    return sb.connect("embedded:")


def test_out_is_filled_and_returned(client: sb.Client) -> None:
    out = np.full((4, 3), 9, np.float32)
    assert client.sample(SPEC, out=out) is out
    assert out.tobytes() == client.sample(SPEC).tobytes()


@pytest.mark.parametrize("shape", [(), (0, 3), (5,)], ids=str)
def test_out_may_be_a_scalar_or_empty(client: sb.Client, shape: tuple[int, ...]) -> None:
    out = np.zeros(shape, np.float32)
    spec = sb.TensorSpec("w", shape, "float32", sb.Ones())
    assert client.sample(spec, out=out) is out
    assert (out == 1).all()


def test_out_may_be_a_contiguous_part_of_an_array(client: sb.Client) -> None:
    stack = np.zeros((3, 4, 3), np.float32)
    client.sample(SPEC, out=stack[1])
    assert stack[1].tobytes() == client.sample(SPEC).tobytes()
    assert not stack[0].any()
    assert not stack[2].any()


def test_out_may_be_anywhere_in_memory(client: sb.Client) -> None:
    memory = np.zeros(4 * 12 + 1, np.uint8)
    out = memory[1:].view(np.float32).reshape(4, 3)
    assert not out.flags.aligned
    client.sample(SPEC, out=out)
    assert out.tobytes() == client.sample(SPEC).tobytes()


def read_only() -> Any:
    out = np.zeros((4, 3), np.float32)
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (
            np.zeros((3, 4), np.float32),
            "of shape [4, 3] and dtype float32. Received: [3, 4], float32",
        ),
        (np.zeros(12, np.float32), "of shape [4, 3]"),
        (np.zeros((4, 3), np.float64), "float32. Received: [4, 3], float64"),
        (np.zeros((4, 3), ">f4"), "dtype float32"),
        (np.zeros((4, 3), ml_dtypes.bfloat16), "dtype float32"),
        (np.zeros((3, 4), np.float32).T, "not c_contiguous"),
        (np.zeros((4, 6), np.float32)[:, ::2], "not c_contiguous"),
        (read_only(), "not writeable"),
    ],
    ids=["shape", "rank", "dtype", "byte order", "bfloat16", "transposed", "strided", "read-only"],
)
def test_an_out_that_does_not_fit_is_refused(client: sb.Client, out: Any, words: str) -> None:
    before = out.tobytes()
    with pytest.raises(sb.InvalidValueError) as caught:
        client.sample(PLAIN, out=out)
    assert words in str(caught.value)
    assert caught.value.field == "out"
    assert out.tobytes() == before
    with pytest.raises(sb.InvalidValueError, match=r"`out\['w'\]`"):
        client.sample(SPEC, out=out)


@pytest.mark.parametrize(
    "out", [[0.0] * 12, bytearray(48), memoryview(bytearray(48)), 5], ids=lambda v: type(v).__name__
)
def test_an_out_that_is_no_array_is_a_type_error(client: sb.Client, out: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`out` must be a numpy array"):
        client.sample(PLAIN, out=out)


def test_the_shape_of_out_is_the_slices(client: sb.Client) -> None:
    out = np.zeros((2, 3), np.float32)
    client.sample(SPEC, slice=sb.shard(1, 2), out=out)
    assert out.tobytes() == client.sample(SPEC)[2:].tobytes()
    with pytest.raises(sb.InvalidValueError, match=r"of shape \[2, 3\]"):
        client.sample(SPEC, slice=sb.shard(1, 2), out=np.zeros((4, 3), np.float32))


METHODS = ["sample", "chunks", "describe", "digest"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [[0], 3, "all", np.array([0])], ids=repr)
def test_a_slice_is_a_slice(client: sb.Client, method: str, value: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`slice` must be a TensorSlice"):
        getattr(client, method)(SPEC, slice=value)


@pytest.mark.parametrize("method", METHODS)
def test_a_slice_lies_inside_the_tensor(client: sb.Client, method: str) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"`slice\.lengths\[0\]`"):
        getattr(client, method)(SPEC, slice=sb.TensorSlice((2, 0), (3, 3)))
    with pytest.raises(sb.InvalidValueError, match="`axis` must be from -2 to 1"):
        getattr(client, method)(SPEC, slice=sb.shard(0, 2, axis=2))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "spec", [None, "w", sb.Zeros(), (4, 3), TensorRequest(SPEC)], ids=lambda v: type(v).__name__
)
def test_a_spec_is_a_spec(client: sb.Client, method: str, spec: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`spec` must be a TensorSpec"):
        getattr(client, method)(spec)


@pytest.mark.parametrize("method", ["sample_all", "digest_all", "describe_all"])
@pytest.mark.parametrize("manifest", [None, "w", {"w": SPEC}, SPEC], ids=lambda v: type(v).__name__)
def test_a_manifest_is_a_manifest(client: sb.Client, method: str, manifest: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`manifest` must be a Manifest"):
        getattr(client, method)(manifest)


@pytest.mark.parametrize("method", ["sample_all", "digest_all", "describe_all"])
def test_a_list_of_specs_is_a_manifest(client: sb.Client, method: str) -> None:
    call = getattr(client, method)
    for specs in ([SPEC, PLAIN], (SPEC, PLAIN)):
        assert repr(call(specs)) == repr(call(sb.Manifest(specs)))
    with pytest.raises(sb.InvalidTypeError, match=r"`manifest\[1\]` must be a TensorSpec"):
        call([SPEC, "w"])
    with pytest.raises(sb.InvalidValueError, match="`manifest` must be specs with different names"):
        call([SPEC, SPEC])


@pytest.mark.parametrize("method", METHODS)
def test_an_index_of_slices_is_a_slice(client: sb.Client, method: str) -> None:
    def result(part: Any) -> str:
        found = getattr(client, method)(SPEC, slice=part)
        return repr([bytes(each.data) for each in found] if method == "chunks" else found)

    assert result(np.s_[-2:, 1:]) == result(sb.TensorSlice((2, 1), (2, 2)))


ALL_METHODS: dict[str, Any] = dict.fromkeys(METHODS, SPEC) | dict.fromkeys(
    ["sample_all", "digest_all", "describe_all"], MODEL
)


@pytest.mark.parametrize("method", ALL_METHODS)
@pytest.mark.parametrize("seconds", [0, -1, -0.5, float("nan"), float("inf")], ids=str)
def test_a_timeout_is_positive_and_finite(client: sb.Client, method: str, seconds: float) -> None:
    with pytest.raises(sb.InvalidValueError, match="`timeout_seconds` must be"):
        getattr(client, method)(ALL_METHODS[method], timeout_seconds=seconds)


@pytest.mark.parametrize("method", ALL_METHODS)
@pytest.mark.parametrize("seconds", ["1", True, [1], 1j], ids=repr)
def test_a_timeout_is_a_number(client: sb.Client, method: str, seconds: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`timeout_seconds` must be a real number"):
        getattr(client, method)(ALL_METHODS[method], timeout_seconds=seconds)


def test_calls_without_a_tensor_check_their_timeout_too(client: sb.Client) -> None:
    calls: list[Any] = [client.server_info, client.list_initializers, client.wait_ready]
    for call in calls:
        call(timeout_seconds=np.float32(3))
        with pytest.raises(sb.InvalidValueError, match="`timeout_seconds` must be positive"):
            call(timeout_seconds=0)


@pytest.mark.parametrize("first_byte", [-4, 2, 52, 10**30], ids=str)
def test_an_iteration_begins_at_an_element(client: sb.Client, first_byte: int) -> None:
    with pytest.raises(
        sb.InvalidValueError, match="`first_byte` must be a multiple of 4 from 0 to 48"
    ):
        client.chunks(SPEC, first_byte=first_byte)


@pytest.mark.parametrize("first_byte", [4.0, "4", None, True], ids=repr)
def test_a_first_byte_is_an_integer(client: sb.Client, first_byte: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`first_byte` must be an integer"):
        client.chunks(SPEC, first_byte=first_byte)


@pytest.mark.parametrize("algorithm", ["md5", "", "XXH3_128", None, 5], ids=repr)
def test_a_digest_algorithm_is_a_known_one(client: sb.Client, algorithm: Any) -> None:
    for method, what in (("digest", SPEC), ("digest_all", MODEL)):
        with pytest.raises(
            sb.InvalidValueError, match="`algorithm` must be one of xxh3_128, sha256"
        ):
            getattr(client, method)(what, algorithm=algorithm)


@pytest.mark.parametrize(
    "target", ["", "a b", "http://host", "grpc://host:1", "host:1\n"], ids=repr
)
def test_a_target_is_an_address(target: str) -> None:
    with pytest.raises(sb.InvalidValueError, match="`target` must be host:port"):
        sb.connect(target)


@pytest.mark.parametrize("target", [50051, b"host:1"], ids=repr)
def test_a_target_is_text(target: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`target` must be a string"):
        sb.connect(target)


@pytest.mark.parametrize("client", [5, "embedded:", sb.Client], ids=repr)
def test_a_call_takes_a_client(client: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match="`client` must be a Client or None"):
        sb.Zeros()((2,), client=client)


@pytest.mark.parametrize("connect", [sb.connect, sb.aio.connect])
def test_a_client_without_a_target_is_of_the_environments(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_TARGET", "embedded:")
    assert connect().target == "embedded:"
    monkeypatch.delenv("SEEDBED_TARGET")
    with pytest.raises(
        sb.InvalidValueError, match=r"`target` must be given, or in \$SEEDBED_TARGET"
    ):
        connect()
