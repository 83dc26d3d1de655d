"""HAProxy and nginx, as configured, before three servers: TLS, long streams, restarts, balance."""

import signal
import time
from collections.abc import Iterator
from itertools import islice

import pytest

import seedbed as sb
from seedbed.spec.digests import digest_array, digest_bytes, digest_of
from tests.deploy.stage import SERVERS, Stage, haproxy, nginx
from tests.faults.contents import MIB, Contents, spec_of
from tests.faults.load import load
from tests.waiting import wait_until

LARGE_BYTES = 192 * MIB
LARGE = spec_of(LARGE_BYTES, seed=7)
MANY_STREAMS = 12


@pytest.fixture(scope="module", params=[haproxy, nginx], ids=["HAProxy", "nginx"])
def proxy(request: pytest.FixtureRequest, stage: Stage) -> Iterator[None]:
    """A proxy before the servers, which listens at the stage's target."""
    with request.param(stage):
        yield


@pytest.mark.usefixtures("proxy")
def test_what_comes_through_is_right(stage: Stage, contents: Contents) -> None:
    with sb.connect(stage.target) as client, sb.connect("embedded:") as engine:
        spec = contents.specs[-1]
        assert digest_array(client.sample(spec)) == contents.digests[spec.name]
        arrays = client.sample_all(contents.manifest)
        digests = {name: digest_array(array) for name, array in arrays.items()}
        assert digest_of(digests) == contents.of_manifest
        assert client.digest(LARGE) == engine.digest(LARGE)


@pytest.mark.usefixtures("proxy")
def test_without_a_token_nobody_is_answered(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEEDBED_TOKEN")
    with sb.connect(stage.target) as client, pytest.raises(sb.AuthenticationError):
        client.server_info()


@pytest.mark.usefixtures("proxy")
def test_the_proxys_certificate_is_checked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_TLS_SERVER_NAME", "server-1")
    with sb.connect(stage.target) as client, pytest.raises(sb.SeedbedError, match="server-1"):
        client.server_info()


@pytest.mark.usefixtures("proxy")
def test_a_stream_outlives_a_reader_that_pauses(stage: Stage) -> None:
    with sb.connect(stage.target) as client, sb.connect("embedded:") as engine:
        chunks = client.chunks(LARGE)
        first = list(islice(chunks, 2))
        # Longer than a client may take for a request.
        time.sleep(12)
        data = b"".join(bytes(chunk.data) for chunk in (*first, *chunks))
        assert digest_bytes(data) == engine.digest(LARGE)
        assert client.stats().failures == 0


@pytest.mark.usefixtures("proxy")
def test_streams_are_spread_evenly(stage: Stage) -> None:
    # Those of the tests before may end a little later.
    wait_until(lambda: not any(streams_of(stage).values()))
    with sb.connect(stage.target) as client:
        streams = [client.chunks(LARGE) for _ in range(MANY_STREAMS)]
        for stream in streams:
            next(stream)
        loads = streams_of(stage).values()
    assert sum(loads) == MANY_STREAMS
    assert max(loads) - min(loads) <= 1


@pytest.mark.usefixtures("proxy")
def test_streams_end_when_their_client_is_gone(stage: Stage) -> None:
    with sb.connect(stage.target) as client:
        streams = [client.chunks(LARGE) for _ in range(MANY_STREAMS)]
        for stream in streams:
            next(stream)
    # They are still there, and nobody has closed them: only their connections are.
    assert streams
    wait_until(lambda: not any(streams_of(stage).values()))


@pytest.mark.usefixtures("proxy")
def test_a_stream_ends_at_a_server_that_drains(stage: Stage) -> None:
    with sb.connect(stage.target) as client:
        stream = client.chunks(LARGE)
        chunks = [next(stream)]
        (name,) = [name for name, streams in streams_of(stage).items() if streams]
        server = stage.servers[name]
        server.process.signal(signal.SIGTERM)
        server.process.wait_for(" INFO draining ")
        chunks += stream
        assert sum(len(chunk.data) for chunk in chunks) == LARGE_BYTES
        assert client.stats().failures == 0
    assert server.process.wait() == 0
    server.close()
    server.start()


@pytest.mark.usefixtures("proxy", "host_device")
def test_no_call_fails_while_every_server_is_restarted(stage: Stage, contents: Contents) -> None:
    with load(contents, [stage.target]) as outcomes:
        for name in SERVERS:
            stage.servers[name].stop(signal.SIGTERM)
            stage.servers[name].start()
            outcomes.counts["restarts"] += 1
        # Time for calls that all three answer again.
        time.sleep(2)
    print(outcomes)
    assert outcomes.failures == []


def streams_of(stage: Stage) -> dict[str, float]:
    """Return how many streams each server has."""
    return {
        name: server.process.metric("seedbed_inflight_streams")
        for name, server in stage.servers.items()
    }
