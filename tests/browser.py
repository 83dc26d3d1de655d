"""A headless Chromium for tests, over the pipe of its DevTools protocol: no package is needed."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

WAIT_SECONDS = 120.0
# Bash gives Chromium the descriptors that it wants, 3 and 4.
COMMAND = 'exec "$@" 3<&"$FROM_TEST" 4>&"$TO_TEST"'
# A sandbox needs rights that root in a container does not have.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


@dataclass
class Tab:
    """A page in a browser, and what it did that somebody may complain about."""

    to_browser: IO[bytes]
    from_browser: IO[bytes]
    session: str = ""
    console: list[str] = field(default_factory=list)
    """What its scripts wrote or ran into, and what the browser said of them."""
    requests: list[str] = field(default_factory=list)
    """The addresses that it asked for anything."""
    last_id: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return the result of a command of the protocol."""
        self.last_id += 1
        message: dict[str, Any] = {"id": self.last_id, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        self.to_browser.write(json.dumps(message).encode() + b"\0")
        self.to_browser.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self.last_id:
                assert "error" not in answer, (method, answer["error"])
                return dict(answer["result"])
            self._heard(answer)

    def attach(self) -> None:
        """Open a page of its own."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Log", "Network", "Page", "Runtime"):
            self.call(f"{domain}.enable")

    def look_as(self, *, width: int, height: int, scheme: str, factor: float = 1.0) -> None:
        """Have a size in CSS pixels, and the scheme ``light`` or ``dark``."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=factor,
            mobile=False,
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def open(self, url: str, *, with_scripts: bool = True) -> None:
        """Load a page."""
        self.call("Emulation.setScriptExecutionDisabled", value=not with_scripts)
        self.call("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Return once an expression of JavaScript is true."""
        until = time.monotonic() + WAIT_SECONDS
        while not self.evaluate(expression):
            assert time.monotonic() < until, f"{expression} does not become true"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Press a key by its name, such as ``Tab``."""
        codes = {"Tab": 9, "ArrowLeft": 37}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=codes[key],
            )

    def _next(self) -> dict[str, Any]:
        received = bytearray()
        while (byte := self.from_browser.read(1)) != b"\0":
            assert byte, "the browser has ended"
            received += byte
        return dict(json.loads(received))

    def _heard(self, event: dict[str, Any]) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.console.append(json.dumps(parameters))
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """Yield a tab of a browser whose profile is in a folder."""
    program = shutil.which("chromium")
    assert program is not None, "these tests need Chromium: apt-get install chromium"
    from_test, ours = os.pipe()
    theirs, to_test = os.pipe()
    command = ["bash", "-c", COMMAND, "bash", program, *FLAGS, f"--user-data-dir={profile}"]
    descriptors = {"FROM_TEST": str(from_test), "TO_TEST": str(to_test)}
    with (
        os.fdopen(ours, "wb") as to_browser,
        os.fdopen(theirs, "rb") as from_browser,
        (profile / "browser.log").open("wb") as log,
        subprocess.Popen(
            command,
            stdout=log,
            stderr=log,
            pass_fds=(from_test, to_test),
            env={**os.environ, **descriptors},
        ) as process,
    ):
        os.close(from_test)
        os.close(to_test)
        try:
            tab = Tab(to_browser, from_browser)
            tab.attach()
            yield tab
            tab.session = ""
            tab.call("Browser.close")
            process.wait(WAIT_SECONDS)
        finally:
            process.kill()
