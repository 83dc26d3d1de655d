"""One model, many layouts: several processes, each of which fetches its own bytes and no others."""

import json
import re
import runpy
import sys
from pathlib import Path

import pytest

import seedbed as sb
import seedbed.torch as sbt
from tests.frameworks.torch.model import RULES, Model, OwnCode
from tests.frameworks.torch.torchrun import python, torchrun
from tests.servers import ServerProcess

RANKS = Path(__file__).with_name("ranks.py")
EXAMPLE = Path(__file__).parents[3] / "examples" / "torch_fsdp2.py"


def metrics_address(server: ServerProcess) -> str:
    return "http://" + server.wait_for(r" INFO admin address=(\S+)") + "/metrics"


@pytest.mark.parametrize("processes", [2, 4])
def test_every_layout_has_the_same_content_and_every_rank_fetches_its_own(
    processes: int, server: ServerProcess, tmp_path: Path
) -> None:
    environment = {"SEEDBED_TARGET": server.address, "METRICS": metrics_address(server)}
    said = json.loads(
        python(str(RANKS), str(processes), str(tmp_path), environment=environment).splitlines()[-1]
    )
    layouts = ["plain", "fsdp", "fsdp_other_dimension", "tensor_parallel"]
    layouts += ["hybrid", "fsdp_and_tensor_parallel"] if processes == 4 else []
    own_layouts = ["plain", "replicated", "fsdp_whole", "own_tensor_parallel"]
    own_layouts += ["expert_parallel", "experts_by_column"]
    own_layouts += ["own_hybrid"] if processes == 4 else []
    # The one-process models, of the engine in this process.
    expected = str(sbt.digest(sbt.initialize_(Model(), seed=1, rules=RULES)))
    expected_own = str(sbt.digest(sbt.initialize_(OwnCode(), seed=1)))
    assert said["digests"] == {
        **{case: expected for name in layouts for case in (name, f"{name} after to_empty")},
        **{f"own code {name}": expected_own for name in own_layouts},
    }
    assert (
        len(said["cases"])
        == (5 + 6 * (processes == 4)) * 7
        + 2
        + (1 + (processes == 4))
        + 2
        + 2 * len(layouts)
        + len(own_layouts)
        + 3
        + 4
    )
    assert "partial" in said["cases"]


@pytest.mark.parametrize(
    ("processes", "arguments"), [(1, ()), (2, ()), (4, ("--tensor-parallel", "2"))]
)
def test_the_example_prints_one_digest_for_every_layout(
    processes: int, arguments: tuple[str, ...], server: ServerProcess
) -> None:
    before = server.metric("seedbed_bytes_served_total")
    output = torchrun(
        processes, EXAMPLE, *arguments, environment={"SEEDBED_TARGET": server.address}
    )
    assert "its scores are finite" in output
    assert "the server's own digest is the same" in output
    # As the program says for one process without torchrun, and the engine in it.
    assert "digest: xxh3_128:068065b5bacba8b25b1b7f4b4c95bcc8:656384" in output
    (held,) = re.findall(r"bytes held by each rank: \[(.*)\]", output)
    assert server.metric("seedbed_bytes_served_total") - before == sum(map(int, held.split(", ")))


def test_the_tutorial_prints_its_digest_in_each_layout(tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "docs" / "tutorials" / "torch-fsdp2.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    program = tmp_path / "train.py"
    program.write_text(code)
    environment = {"SEEDBED_TARGET": ""}
    assert f"$ python train.py\n{python(str(program), environment=environment)}" in page
    printed = torchrun(2, program, environment=environment)
    assert f"$ torchrun --nproc-per-node 2 train.py\n{printed}" in page


def test_the_example_runs_without_torchrun_and_without_a_server(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments, sys.argv = sys.argv, [str(EXAMPLE)]
    try:
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    finally:
        sys.argv = arguments
    output = capsys.readouterr().out
    assert "layout: one process, plain" in output
    assert "digest: xxh3_128:068065b5bacba8b25b1b7f4b4c95bcc8:656384" in output
    assert sb.get_default_client().target == "embedded:"
