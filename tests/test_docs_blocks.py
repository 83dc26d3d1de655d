"""Every block of code in a document is of a kind that a test runs, or at least reads.

Python is run by test_docs_examples.py and by the frameworks' tests, the commands of guides by
page_commands.py. What cannot run here (containers, GPUs, other machines) is read by the programs
that it names: a misspelled option, extra, target or path is an error.
"""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

import seedbed as sb
from seedbed.cli.program import command_line
from seedbed.v1 import service_pb2
from seedbed_server.cli import read_arguments

ROOT = Path(__file__).parents[1]
DOCUMENTS = [
    path
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
    if "node_modules" not in path.parts
]
FENCE = re.compile(r"^```(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEREDOC = re.compile(r"<<'(\w+)'(.*?)\n.*?^\1$", re.MULTILINE | re.DOTALL)
REDIRECTION = re.compile(r"\d?[<>]+\s*\S+")
ASSIGNMENT = re.compile(r"\w+=")
# What a block is, if no test runs or reads it: output, drawings, a language of the page's own.
SHOWN = {"text", "mermaid"}
RUN = {"python"}


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a document."""

    page: str
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(path: Path) -> Iterator[Block]:
    """Yield the blocks of a document."""
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        yield Block(str(path.relative_to(ROOT)), line, match[1], match[2])


# The contract's own language is run by tests/golden/test_numerics_code.py.
BLOCKS = [
    block
    for path in DOCUMENTS
    if path != ROOT / "docs" / "numerics.md"
    for block in blocks_of(path)
]


def read_shell(text: str) -> None:
    """Read commands as bash does, and their options as the programs do that they name."""
    subprocess.run(["bash", "-n"], input=text, text=True, check=True, capture_output=True)
    for words in commands_of(text):
        READERS[words[0]](words[1:])


def commands_of(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, without assignments and redirections."""
    text = HEREDOC.sub(r"\2", text).replace("\\\n", " ")
    for line in text.splitlines():
        lexer = shlex.shlex(REDIRECTION.sub("", line), posix=True, punctuation_chars="();&|")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("();&|"):
                if words:
                    yield words
                words = []
            elif words or not ASSIGNMENT.match(word):
                words.append(word)


def read_client(words: list[str]) -> None:
    """Let the command line's own parser read its options."""
    command_line().parse_args(words)


def read_server(words: list[str]) -> None:
    """Let the server read its options."""
    if "--new-token" not in words:  # which would make one
        read_arguments(words, {})


def read_docker(words: list[str]) -> None:
    """Read the options of a server in a container."""
    images = [place for place, word in enumerate(words) if word.startswith("seedbed:")]
    if images:
        read_server(words[images[0] + 1 :])


def read_pip(words: list[str]) -> None:
    """Compare the extras with those of the package."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = re.findall(r"seedbed\[([\w,-]+)\]", " ".join(words))
    extras = {extra for each in asked for extra in each.split(",")}
    assert extras <= set(project["optional-dependencies"])


def read_make(words: list[str]) -> None:
    """Compare the target with the Makefile's."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(rf"^{words[0]}:", makefile, re.MULTILINE), words


def read_python(words: list[str]) -> None:
    """Compare a module's options with its help; find a program that is in the repository."""
    if words[:1] == ["-m"]:
        command = [sys.executable, "-m", words[1], "--help"]
        options = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        named = re.findall(r"--[\w-]+", " ".join(words))
        assert set(named) <= set(re.findall(r"--[\w-]+", options.stdout))
    else:
        for word in words:
            assert "/" not in word or (ROOT / word).exists(), word


def read_grpcurl(words: list[str]) -> None:
    """Find the schema and the method."""
    assert (ROOT / words[words.index("-protoset") + 1]).exists()
    service, _, method = words[-1].partition("/")
    described = service_pb2.DESCRIPTOR.services_by_name["SeedbedService"]
    assert service == described.full_name
    assert method in described.methods_by_name


def read_nothing(words: list[str]) -> None:
    """Read a program of the system, whose options are its own."""


READERS: dict[str, Callable[[list[str]], None]] = {
    "seedbed": read_client,
    "seedbed-server": read_server,
    "docker": read_docker,
    "pip": read_pip,
    "make": read_make,
    "python": read_python,
    "torchrun": read_python,
    "grpcurl": read_grpcurl,
    **dict.fromkeys(
        [
            "cat",
            "cp",
            "diff",
            "echo",
            "exit",
            "export",
            "fi",
            "grep",
            "if",
            "kill",
            "ln",
            "mkdir",
            "node",
            "npx",
            "openssl",
            "printf",
            "sed",
            "then",
            "umask",
            "wait",
            "$client",
            "$client/build.sh",
            "$REPOSITORY/examples/clients/go/build.sh",
        ],
        read_nothing,
    ),
}


def read_transcript(text: str) -> None:
    """Read the commands of a transcript, which have a prompt where there is output."""
    prompted = [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    read_shell("\n".join(prompted) if prompted else text)


def read_yaml(text: str) -> None:
    """Read rules as a manifest's, a container's options as the server's, others as YAML."""
    document: dict[str, Any] = yaml.safe_load(text)
    assert isinstance(document, dict)
    if "rules" in document:
        tensors = {pattern.replace("*", "x"): [4, 4, 4] for pattern in document["rules"]}
        sb.Manifest.from_dict(
            {"seedbed_manifest": 1, "seed": 1, "dtype": "float32", "tensors": tensors} | document
        )
    for container in document.get("containers", ()):
        environment = {each["name"]: each["value"] for each in container["env"]}
        read_arguments(container["args"], environment)


def read_program(text: str) -> None:
    """Compile Python that needs what is not here."""
    compile(text, "block", "exec")


KINDS: dict[str, Callable[[str], None]] = {
    "sh": read_shell,
    "console": read_transcript,
    "yaml": read_yaml,
    "py": read_program,
}


def test_every_block_is_of_a_kind_that_is_run_read_or_only_shown() -> None:
    assert {block.kind for block in BLOCKS} == {*KINDS, *RUN, *SHOWN}, [
        str(block) for block in BLOCKS if block.kind not in {*KINDS, *RUN, *SHOWN}
    ]


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.kind in KINDS], ids=str)
def test_a_block_is_understood_by_what_it_is_for(block: Block) -> None:
    KINDS[block.kind](block.text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("sh", "seedbed fetch model.yaml --shards 1/4:0 -o a"),
        ("sh", "if true; then"),
        ("sh", "sedbed info"),
        ("sh", "x=$(seedbed-server --listne 127.0.0.1:0 2> log)"),
        ("sh", "docker run --rm seedbed:dev \\\n    --thread 2"),
        ("sh", "pip install 'seedbed[servre]'"),
        ("sh", "make quikstart"),
        ("sh", "python -m tests.conformance --clients x"),
        ("sh", "torchrun --nproc-per-node 4 examples/torch_fsdp3.py"),
        ("sh", "grpcurl -protoset pyproject.toml a:1 seedbed.v1.SeedbedService/GetServer"),
        ("console", "$ seedbed inof\nserver"),
        ("yaml", 'rules: {"*": {class_name: he_norml}}'),
        ("yaml", "containers: [{args: [--threads, two], env: []}]"),
        ("py", "with sb.connect() as client\n    pass"),
    ],
)
def test_a_mistake_in_a_block_is_noticed(kind: str, text: str) -> None:
    mistakes = (
        AssertionError,
        KeyError,
        SyntaxError,
        SystemExit,
        sb.SeedbedError,
        subprocess.CalledProcessError,
    )
    with pytest.raises(mistakes):
        KINDS[kind](text)
