"""A server that asks who calls, for whoever asks for it."""

from collections.abc import Iterator

import grpc
import pytest

from tests.servers import ServerProcess, serving
from tests.token_calls import Files, files_in


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return files_in(tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module")
def server(files: Files) -> Iterator[ServerProcess]:
    arguments = ("--max-concurrent-streams", "16", "--admin-listen", "127.0.0.1:0")
    with serving(*files.arguments, *arguments) as process:
        yield process


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.address) as opened:
        yield opened
