"""`make audit`: it fails for what can be mended, and never passes for what was not asked."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tools import audit_image
from tools.lock_image import ALL, Lock


def known(name: str, **vulnerability: Any) -> dict[str, Any]:
    return {"name": name, "version": "1.0", "vulns": [vulnerability] if vulnerability else []}


UNKNOWN = {"name": "other", "skip_reason": "Dependency not found on PyPI"}
MENDED = known("some", id="PYSEC-1", fix_versions=["1.1"])
UNMENDED = known("some", id="PYSEC-2", fix_versions=[])


@pytest.mark.parametrize(
    ("packages", "is_run", "is_failed"),
    [
        pytest.param([known("some")], True, False, id="clean"),
        pytest.param([known("some"), UNKNOWN], True, False, id="one unknown"),
        pytest.param([UNKNOWN, UNKNOWN], False, False, id="all unknown"),
        pytest.param([MENDED, UNKNOWN], True, True, id="another version mends it"),
        pytest.param([UNMENDED], True, False, id="no version mends it"),
        pytest.param([UNMENDED, MENDED], True, True, id="both"),
    ],
)
def test_a_vulnerability_that_can_be_mended_fails(
    packages: list[dict[str, Any]], is_run: bool, is_failed: bool
) -> None:
    verdict = audit_image.judge(json.dumps({"dependencies": packages}), "")
    assert (verdict.is_run, verdict.is_failed) == (is_run, is_failed)


def test_what_could_not_be_asked_is_said() -> None:
    verdict = audit_image.judge("", "Traceback\nConnectionError: refused\n")
    assert verdict.lines == ["not run: ConnectionError: refused"]
    assert not verdict.is_failed


@pytest.fixture
def service() -> Iterator[str]:
    """A vulnerability service of the form of OSV's, which knows one thing about grpcio."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            is_it = asked["package"]["name"] == "grpcio"
            body = json.dumps({"vulns": [vulnerability(asked)]} if is_it else {}).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def vulnerability(asked: dict[str, Any]) -> dict[str, Any]:
    events = [{"introduced": "0"}, {"fixed": "999.0"}]
    return {
        "id": "GHSA-of-the-test",
        "summary": "of the test",
        "affected": [{**asked, "ranges": [{"type": "ECOSYSTEM", "events": events}]}],
    }


def test_pip_audit_asks_about_a_lock(
    service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit_image, "ALL", [named("server")])
    code = audit_image.main(["--vulnerability-service", "osv", "--osv-url", service])
    output = capsys.readouterr().out
    assert "GHSA-of-the-test, mended in 999.0: make lock" in output
    assert code == 1


def test_a_service_that_does_not_answer_fails_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = "http://127.0.0.1:9/"
    assert audit_image.main(["--vulnerability-service", "osv", "--osv-url", closed]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("build.txt: not run: ")


def named(name: str) -> Lock:
    (lock,) = (lock for lock in ALL if lock.name == name)
    return lock
