"""Every argument of a channel or server is one that gRPC knows: it ignores the others silently."""

import importlib
import re
from pathlib import Path

import pytest

import seedbed
import seedbed_server

_NAME = re.compile(r"\"(grpc\.[a-z0-9_.]+)\"")


def named() -> dict[str, list[str]]:
    """Return the arguments that our code names, and in which files."""
    found: dict[str, list[str]] = {}
    for package in (seedbed, seedbed_server):
        root = Path(package.__path__[0])
        for path in sorted(root.rglob("*.py")):
            if not path.stem.endswith(("_pb2", "_pb2_grpc")):
                for name in _NAME.findall(path.read_text(encoding="utf-8")):
                    found.setdefault(name, []).append(str(path.relative_to(root)))
    return found


NAMED = named()


def is_known(name: str) -> bool:
    """Return whether gRPC's library has a name, as the whole of a string."""
    library = importlib.import_module("grpc._cython.cygrpc").__file__
    assert library is not None
    # What stands before it there may be anything but a letter.
    whole = rb"(?<![a-z_.])" + re.escape(name.encode()) + rb"\0"
    return re.search(whole, Path(library).read_bytes()) is not None


@pytest.mark.parametrize("name", NAMED)
def test_grpc_knows_the_argument(name: str) -> None:
    assert is_known(name), f"{name} in {NAMED[name]}"


def test_a_misspelt_argument_would_be_found() -> None:
    assert len(NAMED) > 5
    assert not is_known("grpc.http2.min_recv_ping_interval_without_data_ms")
