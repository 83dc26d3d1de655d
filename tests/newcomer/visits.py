"""What a newcomer installs, and then tries."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.newcomer.environment import ROOT, Environment, FailedError

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SAMPLE = "import seedbed as sb; sb.GlorotUniform(seed=42)(shape=(1024, 512))"


@dataclass(frozen=True, slots=True)
class Visit:
    """Extras, and what is tried with them."""

    extras: tuple[str, ...]
    run: Callable[[Environment], None]
    is_heavy: bool = False
    """Whether it installs a framework."""


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


def _engine(environment: Environment) -> None:
    environment.python("first sample, kernels to be compiled", SAMPLE)
    environment.cost("warm sample in a new process", SAMPLE)
    for line, commands in _commands("README.md"):
        environment.step(f"README.md:{line}", commands)
    environment.python("README.md's Python", _python("README.md"))


def _server(environment: Environment) -> None:
    environment.step("say the version", "seedbed-server --version", words="seedbed-server ")
    address = f"unix://{environment.home}/seedbed.sock"
    with environment.server("--listen", address):
        wait = f"sb.connect({address!r}).wait_ready(120)"
        environment.python("wait for a server's first start", f"import seedbed as sb; {wait}")
        environment.step("ask a server", f"seedbed info --target {address}", words="numerics")
        sample = f"seedbed sample HeNormal --shape 64,64 --seed 1 --target {address}"
        environment.step("sample by a server", sample, words="HeNormal")


def _framework(name: str) -> Callable[[Environment], None]:
    def run(environment: Environment) -> None:
        environment.python(f"docs/{name}.md's Python", _python(f"docs/{name}.md"))

    return run


def _commands(document: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each block of commands of the client alone."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for match in BLOCK.finditer(text):
        if match[1] in {"", "sh"} and re.match(r"seedbed\s", match[2]):
            yield text.count("\n", 0, match.start()) + 1, match[2]


def _python(document: str) -> str:
    """Return the Python of a document, in one piece."""
    text = (ROOT / document).read_text(encoding="utf-8")
    found = [match[2] for match in BLOCK.finditer(text) if match[1] == "python"]
    if not found:
        raise FailedError(f"{document} has no Python")
    return "\n".join(found)


VISITS = {
    "alone": Visit((), _alone),
    "engine": Visit(("engine", "plot"), _engine),
    "server": Visit(("server", "tracing"), _server),
    "torch": Visit(("torch",), _framework("torch"), is_heavy=True),
    "jax": Visit(("jax",), _framework("jax"), is_heavy=True),
    "keras": Visit(("keras", "jax"), _framework("keras"), is_heavy=True),
    "mlx": Visit(("mlx",), _framework("mlx"), is_heavy=True),
}
"""By name."""
