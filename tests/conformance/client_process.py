"""The client under test: a program that answers requests, a line of JSON for each."""

import contextlib
import json
import queue
import shlex
import subprocess
import threading
from collections.abc import Sequence
from os import environ
from typing import Any

END_SECONDS = 60.0


class ClientFailedError(Exception):
    """The program broke the protocol: it said nothing, something else, or ended."""


class ClientProcess:
    """A program that is started when it is first asked, and again after it has failed."""

    def __init__(self, command: str) -> None:
        self._command: Sequence[str] = shlex.split(command)
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._last_id = 0

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """Return the answer to a request.

        Raises:
            ClientFailedError: if none comes in time, or not one of the protocol.
        """
        self._last_id += 1
        try:
            self._send({"id": self._last_id, **request})
            return self._answer(self._receive(seconds))
        except ClientFailedError:
            self.kill()
            raise

    def end(self) -> int:
        """Return the exit code of the program after the end of its input."""
        if self._process is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            return self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            raise ClientFailedError(
                f"the client runs on {END_SECONDS:g} s after the end of its input"
            ) from None
        finally:
            self.kill()

    def kill(self) -> None:
        """End the program, whatever it is doing; the next request starts another one."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()  # type: ignore[union-attr]  # both are pipes
        self._process = None

    def _start(self) -> None:
        self._lines = queue.SimpleQueue()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            # gRPC's C core tells of every connection that ends, which is what the kit is about.
            env={"GRPC_VERBOSITY": "ERROR", **environ},
        )
        reader = threading.Thread(target=_read, args=(self._process, self._lines), daemon=True)
        reader.start()

    def _send(self, request: dict[str, Any]) -> None:
        if self._process is None:
            self._start()
        assert self._process is not None and self._process.stdin is not None
        # If it has ended, what it said before tells more.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()

    def _receive(self, seconds: float) -> str:
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            raise ClientFailedError(f"no answer within {seconds:g} s") from None
        if not line:
            raise ClientFailedError("the client ended without an answer")
        return line

    def _answer(self, line: str) -> dict[str, Any]:
        try:
            answer = json.loads(line)
        except ValueError:
            raise ClientFailedError(f"the answer is not JSON: {line[:200]!r}") from None
        if not isinstance(answer, dict) or answer.get("id") != self._last_id:
            raise ClientFailedError(f"the answer has another id than {self._last_id}: {line[:200]}")
        if ("result" in answer) == ("error" in answer):
            raise ClientFailedError(f"neither result nor error, or both: {line[:200]}")
        return answer


def _read(process: subprocess.Popen[str], lines: "queue.SimpleQueue[str]") -> None:
    """Pass the lines of a program's output on; an empty one at its end."""
    assert process.stdout is not None
    with contextlib.suppress(ValueError):  # closed meanwhile
        for line in process.stdout:
            lines.put(line)
    lines.put("")
