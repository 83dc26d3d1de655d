"""What a newcomer installs, and then tries."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from tests.newcomer.environment import Environment, FailedError
from tests.newcomer.wheel import ROOT

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# A block of commands is bash's or says nothing; `py` is Python that is only read.
COMMANDS = {"", "sh"}
NOT_RUN = {
    "pip install": "each visit installs one of them",
    "seedbed-server --listen 127.0.0.1:50051": "the visit `server` starts one in its own folder",
    "seedbed-server --listen 0.0.0.0:50051": "needs certificates, as tests/security makes them",
    "client = sb.connect(": "needs that server",
}
"""Beginnings of the README's blocks that no visit runs, and why."""

SAMPLE = "import seedbed as sb; sb.GlorotUniform(seed=42)(shape=(1024, 512))"


@dataclass(frozen=True, slots=True)
class Visit:
    """Extras, and what is tried with them."""

    extras: tuple[str, ...]
    run: Callable[[Environment], None]
    is_heavy: bool = False
    """Whether it installs a framework."""
    beside: tuple[str, ...] = ()
    """Packages beside seedbed that the page says it uses."""
    installer: str = "pip"
    """One of ``INSTALLERS``."""


def _alone(environment: Environment) -> None:
    environment.step("say the version", "seedbed --version", words="seedbed ")
    environment.step("help", "seedbed --help", words="examples:")
    environment.cost("import numpy", "import numpy")
    environment.cost("import seedbed", "import seedbed")
    hint = "pip install 'seedbed[engine]'"
    environment.step("no engine", "seedbed sample Zeros --shape 2", code=1, words=hint)
    environment.step("no plots", "seedbed sample Zeros --shape 2 --plot a.png", code=1, words="pip")
    hint = "pip install 'seedbed[server]'"
    environment.step("no server", "seedbed-server --listen 127.0.0.1:0", code=1, words=hint)


def _versions(environment: Environment) -> None:
    for program in ("seedbed", "seedbed-server"):
        environment.step("say the version", f"{program} --version", words=f"{program} ")


def _engine(environment: Environment) -> None:
    environment.python("first sample, kernels to be compiled", SAMPLE)
    environment.cost("warm sample in a new process", SAMPLE)
    for document in ("README.md", "docs/report.md"):
        for line, commands in commands_of(document):
            environment.step(f"{document}:{line}", commands)
    environment.python("README.md's Python", python_of("README.md"))
    for command in ("seedbed completion bash", "seedbed warmup"):
        environment.step(f"README.md's {command}", command)


def _server(environment: Environment) -> None:
    environment.step("say the version", "seedbed-server --version", words="seedbed-server ")
    address = f"unix://{environment.home}/seedbed.sock"
    with environment.server("--listen", address):
        wait = f"sb.connect({address!r}).wait_ready(600)"
        environment.python("wait for a server's first start", f"import seedbed as sb; {wait}")
        environment.step("ask a server", f"seedbed info --target {address}", words="numerics")
        sample = f"seedbed sample HeNormal --shape 64,64 --seed 1 --target {address}"
        environment.step("sample by a server", sample, words="HeNormal")


def _framework(name: str) -> Callable[[Environment], None]:
    def run(environment: Environment) -> None:
        environment.python(f"docs/{name}.md's Python", python_of(f"docs/{name}.md"))

    return run


@dataclass(frozen=True, slots=True)
class Block:
    """What a document shows between two fences."""

    line: int
    language: str
    text: str


def blocks_of(document: str) -> list[Block]:
    """Return all blocks of a document, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [
        Block(text.count("\n", 0, match.start()) + 1, match[1], match[2])
        for match in BLOCK.finditer(text)
    ]


def commands_of(document: str) -> list[tuple[int, str]]:
    """Return the line and the text of each block of commands of the client alone."""
    return [
        (block.line, block.text)
        for block in blocks_of(document)
        if block.language in COMMANDS and block.text.startswith("seedbed ")
    ]


def python_of(document: str) -> str:
    """Return the Python of a document, in one piece."""
    found = [block.text for block in blocks_of(document) if block.language == "python"]
    if not found:
        raise FailedError(f"{document} has no Python")
    return "\n".join(found)


VISITS = {
    "alone": Visit((), _alone),
    "engine": Visit(("engine", "plot"), _engine),
    "server": Visit(("server", "tracing"), _server),
    "oldest-pip": Visit(("server",), _versions, installer="oldest pip"),
    "uv": Visit(("server",), _versions, installer="uv"),
    "torch": Visit(("torch",), _framework("torch"), is_heavy=True),
    "jax": Visit(("jax",), _framework("jax"), is_heavy=True, beside=("flax", "equinox")),
    "keras": Visit(
        ("keras",), _framework("keras"), is_heavy=True, beside=("tensorflow-cpu", "tf-keras")
    ),
    "mlx": Visit(("mlx",), _framework("mlx"), is_heavy=True),
}
"""By name."""
