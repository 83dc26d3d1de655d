"""A clean environment with the wheel, and an empty folder to run commands in."""

import os
import shlex
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

TIMEOUT_SECONDS = 900
ROUNDS = 5
PIP_INSTALL = "pip install --quiet --disable-pip-version-check"
INSTALLERS = {
    "pip": PIP_INSTALL,
    # Those that the first release of each Python brought.
    "oldest pip": f"""{PIP_INSTALL} "pip==22.3; python_version < '3.12'" \
"pip==23.2.1; python_version == '3.12'" "pip==24.2; python_version > '3.12'"; {PIP_INSTALL}""",
    "uv": f'{PIP_INSTALL} uv; uv pip install --no-config --quiet --python "$(command -v python)"',
}
"""Commands that install what follows, by the name of what they install it with."""

# Where packages are found, and how servers are trusted, is the machine's matter.
OF_THE_MACHINE = ("PIP_", "UV_", "SSL_CERT_")


class FailedError(Exception):
    """A step that did not end as a newcomer expects."""


class Environment:
    """An environment of Python's, and the folder that its user is in.

    Args:
        folder: for both.
    """

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self._bin = folder / "env" / "bin"
        self.home.mkdir(parents=True)
        self._variables = {
            "HOME": str(self.home),
            "PATH": f"{self._bin}:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            **{name: text for name, text in os.environ.items() if name.startswith(OF_THE_MACHINE)},
        }

    @classmethod
    @contextmanager
    def made(
        cls, folder: Path, python: str, requirements: Sequence[str], installer: str = "pip"
    ) -> Iterator[Self]:
        """Yield an environment with what is required."""
        environment = cls(folder)
        environment.step("make an environment", f"{python} -m venv {folder / 'env'}")
        environment.step("install", f"{INSTALLERS[installer]} {shlex.join(requirements)}")
        yield environment

    def step(self, what: str, command: str, *, code: int = 0, words: str = "") -> str:
        """Run a command of a shell, print how long it took, and return what it printed.

        Args:
            what: what it is for.
            command: the command.
            code: its exit code.
            words: what it must print.

        Raises:
            FailedError: if it ends otherwise, leaves a traceback, or does not print the words.
        """
        begun = time.perf_counter()
        done = self._run(["bash", "-ceu", command])
        seconds = time.perf_counter() - begun
        printed = done.stdout + done.stderr
        if done.returncode != code or words not in printed or "Traceback" in printed:
            raise FailedError(f"{command}\nended with {done.returncode}:\n{printed}")
        print(f"  {seconds:8.2f} s  {what}", flush=True)
        return printed

    def python(self, what: str, code: str) -> None:
        """Run Python code as a step."""
        self.step(what, f"python -c {shlex.quote(code)}")

    def cost(self, what: str, code: str) -> None:
        """Print the median of the processor time of some runs of Python code in new processes."""
        program = (
            "import resource, sys\n"
            f"{code}\n"
            "used = resource.getrusage(resource.RUSAGE_SELF)\n"
            "sys.stderr.write(f'{used.ru_utime + used.ru_stime}\\n')"
        )
        costs = []
        for _ in range(ROUNDS):
            done = self._run(["python", "-c", program])
            if done.returncode:
                raise FailedError(f"{code}\nended with {done.returncode}:\n{done.stderr}")
            costs.append(float(done.stderr.split()[-1]))
        low, middle, high = min(costs), statistics.median(costs), max(costs)
        print(f"  {middle:8.2f} s  {what}, of a core ({low:.2f} to {high:.2f})", flush=True)

    @contextmanager
    def server(self, *arguments: str) -> Iterator[None]:
        """Run a server in the block; what it says is part of the error if a step fails."""
        command = [str(self._bin / "seedbed-server"), *arguments]
        said = self.home / "server.log"
        with (
            said.open("wb") as output,
            subprocess.Popen(command, cwd=self.home, env=self._variables, stderr=output) as process,
        ):
            try:
                yield
            except FailedError as error:
                raise FailedError(f"{error}\nThe server said:\n{said.read_text()}") from error
            finally:
                process.terminate()

    def _run(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.home,
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
