"""Files that change are read again, and connections made anew; what is under way goes on."""

import logging
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

import seedbed as sb
from seedbed.errors import InvalidValueError
from seedbed.spec.errors import bad_value
from seedbed.spec.tls import Tls
from seedbed.transports import watched
from seedbed.transports.calls import Calls
from seedbed.transports.cancellation import Cancellation
from seedbed.transports.grpc_calls import GrpcCalls
from seedbed.transports.http2.connections import Connections
from seedbed.transports.security import Security
from seedbed.transports.try_limits import ALONE
from seedbed.transports.watched import LOOK_SECONDS, Watched
from tests.certificates import Authority, Issued, authority
from tests.http2_server import METHOD, Exchange, ScriptedServer, prefixed, scripted_server
from tests.left_open import nothing_left_open
from tests.security.conftest import TlsServers

SMALL = sb.TensorSpec("s", (7, 5), "float32", sb.GlorotUniform(seed=1))


@pytest.fixture
def _always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the files at each call."""
    monkeypatch.setattr(watched, "LOOK_SECONDS", 0.0)


# A value from files.


class Clock:
    """A clock that a test winds."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The clock by which files are looked at."""
    return Clock()


def text_in(path: Path) -> Callable[[], str]:
    """Return what reads a file that may not be empty."""

    def load() -> str:
        text = path.read_text() if path.exists() else ""
        if not text:
            raise bad_value("file", "full", str(path))
        return text

    return load


def test_a_file_is_looked_at_once_a_second(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    value = Watched([path], text_in(path), clock)
    path.write_text("second")
    assert value() == "one"
    clock.seconds += LOOK_SECONDS
    assert value() == "second"
    path.write_text("third, longer")
    clock.seconds += LOOK_SECONDS / 2
    assert value() == "second"
    clock.seconds += LOOK_SECONDS / 2
    assert value() == "third, longer"


def test_a_file_that_has_not_changed_is_not_read(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    value = Watched([path], object, clock)
    first = value()
    clock.seconds += LOOK_SECONDS
    assert value() is first


def test_a_thread_that_is_late_leaves_no_old_value(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    has_read, may_end = threading.Event(), threading.Event()

    def load() -> str:
        text = path.read_text()
        if text == "second":
            has_read.set()
            assert may_end.wait(60)
        return text

    class WithLateThread(Watched[str]):
        """Lets the late thread end when another has taken note of a part of what it has seen."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, value)
            if has_read.is_set() and name != "_looked_at" and threading.current_thread() is main:
                may_end.set()
                late.join()

    value, main = WithLateThread([path], load, clock), threading.current_thread()
    late = threading.Thread(target=value)
    path.write_text("second")
    clock.seconds += LOOK_SECONDS
    late.start()
    assert has_read.wait(60)
    path.write_text("third, longer")
    clock.seconds += LOOK_SECONDS
    value()
    clock.seconds += LOOK_SECONDS
    assert value() == "third, longer"


def test_a_link_that_is_swapped_is_followed(tmp_path: Path, clock: Clock) -> None:
    """As Kubernetes updates the files of a secret."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "one")
    value = Watched([link / "file"], text_in(link / "file"), clock)
    assert value() == "one"
    (tmp_path / "new").symlink_to(tmp_path / "two")
    (tmp_path / "new").rename(link)
    clock.seconds += LOOK_SECONDS
    assert value() == "two"


def test_what_cannot_be_read_is_told_once_and_the_old_value_stays(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "file"
    with pytest.raises(InvalidValueError):
        Watched([path], text_in(path), clock)
    path.write_text("one")
    value = Watched([path], text_in(path), clock)
    path.unlink()
    for _ in range(3):
        clock.seconds += LOOK_SECONDS
        assert value() == "one"
    assert [each.levelno for each in caplog.records] == [logging.WARNING]
    assert "what was read before stays in use" in caplog.text
    path.write_text("two")
    clock.seconds += LOOK_SECONDS
    assert value() == "two"


def test_a_forked_child_reads_anew(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    value = Watched([path], object, clock)
    first = value()
    value.forget()
    assert value() is not first


# Certificates.


@pytest.fixture
def _nothing_is_left_open() -> Iterator[None]:
    with nothing_left_open():
        yield


def _asked(calls: Calls) -> list[bytes]:
    found = []
    with calls.call(METHOD, b"", ALONE, Cancellation()) as call:
        while (size_bytes := call.next_message()) is not None:
            found.append(call.read(size_bytes))
    return found


@pytest.fixture
def context(server_files: Issued) -> ssl.SSLContext:
    """A server's side of TLS."""
    found = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.load_cert_chain(server_files.cert, server_files.key)
    found.set_alpn_protocols(["h2"])
    return found


@pytest.fixture
def trusted(ca: Authority, tmp_path: Path) -> Path:
    """A file of its own with the authority's certificate."""
    return ca.write(tmp_path / "trusted.crt")


def _tls_calls(server: ScriptedServer, trusted: Path) -> Calls:
    return GrpcCalls(server.target, {}, Security.of(Tls(ca=trusted), None))


@pytest.mark.usefixtures("_always_looks", "_nothing_is_left_open")
def test_a_call_after_a_change_has_a_new_connection_and_one_before_goes_on(
    context: ssl.SSLContext, trusted: Path
) -> None:
    def long(exchange: Exchange) -> None:
        exchange.start()
        exchange.data(prefixed(b"before"))
        exchange.line.server.wait_for(lambda: len(exchange.line.server.exchanges) == 4)
        exchange.data(prefixed(b"after"))
        exchange.end()

    def short(exchange: Exchange) -> None:
        exchange.answer(b"short")

    with (
        scripted_server(short, long, short, tls=context) as server,
        closing(_tls_calls(server, trusted)) as calls,
    ):
        assert _asked(calls) == [b"short"]
        with calls.call(METHOD, b"", ALONE, Cancellation()) as call:
            assert call.read(call.next_message() or 0) == b"before"
            os.utime(trusted, (1, 1))
            assert _asked(calls) == [b"short"]
            assert _asked(calls) == [b"short"]
            assert call.read(call.next_message() or 0) == b"after"
            assert call.next_message() is None
        assert [exchange.line for exchange in server.exchanges] == [
            server.lines[each] for each in (0, 0, 1, 1)
        ]
        server.wait_for(lambda: server.lines[0].is_closed)
        assert not server.lines[1].is_closed


@pytest.mark.usefixtures("_always_looks", "_nothing_is_left_open")
def test_a_new_file_of_no_use_changes_nothing(
    context: ssl.SSLContext, trusted: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def short(exchange: Exchange) -> None:
        exchange.answer(b"short")

    with (
        scripted_server(short, tls=context) as server,
        closing(_tls_calls(server, trusted)) as calls,
    ):
        _asked(calls)
        trusted.write_text("half a certif")
        for _ in range(2):
            assert _asked(calls) == [b"short"]
        assert len(server.lines) == 1
    assert caplog.text.count("`tls.ca` must be a file with PEM certificates") == 1


@pytest.mark.usefixtures("_always_looks")
def test_a_new_authority_and_a_new_certificate_are_taken_without_a_restart(
    servers: TlsServers, ca: Authority, ca_file: Path, tmp_path: Path
) -> None:
    new = authority("new authority")
    old_server = servers.start(ca.issue(tmp_path, "old"), ca_file)
    new_server = servers.start(new.issue(tmp_path, "new"), new.write(tmp_path / "new-ca.crt"))
    trusted = tmp_path / "trusted.crt"
    trusted.write_bytes(ca_file.read_bytes())
    own = ca.issue(tmp_path, "own")
    tls = Tls(ca=trusted, cert=own.cert, key=own.key)
    with (
        sb.connect(old_server, tls=tls) as to_old,
        sb.connect(new_server, tls=tls) as to_new,
    ):
        to_old.sample(SMALL)
        with pytest.raises(sb.TlsError, match="not signed by a CA in"):
            to_new.sample(SMALL)
        # Both authorities for a while, as it is done; then the client's own certificate.
        trusted.write_bytes(ca_file.read_bytes() + (tmp_path / "new-ca.crt").read_bytes())
        with pytest.raises(sb.TlsError, match="does not accept the client certificate"):
            to_new.sample(SMALL)
        _replace(own, new.issue(tmp_path, "another"))
        assert to_new.sample(SMALL).tobytes() == sb.connect("embedded:").sample(SMALL).tobytes()
        with pytest.raises(sb.TlsError, match="does not accept the client certificate"):
            to_old.sample(SMALL)


def _replace(issued: Issued, by: Issued) -> None:
    """Replace a certificate and its key, one after the other."""
    by.key.replace(issued.key)
    time.sleep(0.01)
    by.cert.replace(issued.cert)


# Tokens.


def _bulk(server: ScriptedServer, security: Security) -> Calls:
    return Connections(server.address, security.authorization)


def _grpc(server: ScriptedServer, security: Security) -> Calls:
    return GrpcCalls(server.target, {}, security)


@pytest.mark.parametrize("calls_to", [_bulk, _grpc], ids=["bulk", "gRPC"])
@pytest.mark.usefixtures("_always_looks")
def test_a_new_token_goes_with_the_next_call_over_the_same_connection(
    calls_to: Callable[[ScriptedServer, Security], Calls],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = tmp_path / "token"
    path.write_text("first\n")
    with scripted_server(lambda exchange: exchange.answer()) as server:
        with closing(calls_to(server, Security.of(None, path))) as calls:
            _asked(calls)
            path.write_text("second-one\n")
            _asked(calls)
            path.write_text("not a token")
            _asked(calls)
            path.unlink()
            _asked(calls)
            path.write_text("third")
            _asked(calls)
        told = [dict(exchange.headers)["authorization"] for exchange in server.exchanges]
        assert told == ["Bearer first", *["Bearer second-one"] * 3, "Bearer third"]
        assert len(server.lines) == 1
    assert caplog.text.count("what was read before stays in use") == 2
    assert "not a token" not in caplog.text
