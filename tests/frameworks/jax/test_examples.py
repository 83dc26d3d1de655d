"""The examples for JAX and the Python of docs/jax.md and of the docstrings run."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jax
import pytest

import seedbed as sb
import seedbed.jax
from tests.servers import ServerProcess

ROOT = Path(__file__).parents[3]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MODULES = [
    "seedbed.jax",
    *(info.name for info in pkgutil.walk_packages(seedbed.jax.__path__, "seedbed.jax.")),
]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Return how a Python program ended."""
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, check=False, timeout=600
    )


def examples(name: str, *arguments: list[str]) -> list[list[str]]:
    """Return the lines that an example prints, run several times, two at once."""
    program = str(ROOT / "examples" / name)
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda each: run(program, *each), arguments))
    for done in ended:
        assert done.returncode == 0, done.stdout + done.stderr
    return [done.stdout.splitlines() for done in ended]


def test_a_model_on_a_mesh_has_one_digest(server: ServerProcess) -> None:
    before = server.metric("seedbed_bytes_served_total")
    printed = examples("jax_mesh.py", *([str(count), server.address] for count in (1, 2, 4, 8)))
    assert server.metric("seedbed_bytes_served_total") - before == 4 * 6_787_072
    assert {digest for _, digest in printed} == {
        "digest xxh3_128:c54a297a969ca670f46fa1180df57671:6787072"
    }
    assert printed[3][0] == "mesh {'data': 4, 'model': 2}: 856,064 of 6,787,072 bytes on a device"


def test_a_model_of_flax_has_one_digest() -> None:
    one, four = examples("flax_nnx.py", ["1"], ["4"])
    assert one[:2] == four[:2]
    assert re.fullmatch(r"model xxh3_128:[0-9a-f]{32}:68608", one[1])
    assert four[2:] == [
        "blocks/0/linear/kernel: (16, 64) of (64, 64) on a device",
        "output (2, 64)",
    ]


def test_the_python_of_the_document_runs() -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "jax.md").read_text(encoding="utf-8"))
    assert len(blocks) == 11
    for code in blocks:
        # Where JAX is missing, the blocks that import it are passed over: each is complete.
        assert re.search(r"^import jax$", code, re.MULTILINE)
        exec(compile(code, "docs/jax.md", "exec"), {"__name__": "__main__"})


def test_the_tutorial_prints_its_digest_on_each_mesh(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "tutorials" / "jax-mesh.md").read_text(encoding="utf-8")
    (program,) = BLOCK.findall(page)
    (tmp_path / "model.py").write_text(program)
    for devices in (1, 4):
        done = run(str(tmp_path / "model.py"), str(devices))
        assert done.returncode == 0, done.stderr
        assert f"$ python model.py {devices}\n{done.stdout}" in page


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_docstring_run(name: str) -> None:
    module = importlib.import_module(name)
    public: dict[str, Any] = {key: getattr(sb, key) for key in sb.__all__}
    failed, _ = doctest.testmod(
        module, extraglobs={**public, "jax": jax, **vars(module)}, optionflags=doctest.ELLIPSIS
    )
    assert failed == 0


def test_everything_public_is_documented() -> None:
    for name in MODULES:
        module = importlib.import_module(name)
        assert module.__doc__
        own = [
            value for value in vars(module).values() if getattr(value, "__module__", None) == name
        ]
        assert all(
            value.__doc__ for value in own if callable(value) and not value.__name__.startswith("_")
        )


def test_a_missing_jax_is_one_line_that_names_the_extra() -> None:
    done = run("-c", "import sys; sys.modules['jax'] = None; import seedbed.jax")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "JAX is not installed (jax): pip install 'seedbed[jax]'"
    )
