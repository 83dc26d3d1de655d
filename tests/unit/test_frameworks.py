"""Framework modules name what is missing, and the SDK imports no framework."""

import subprocess
import sys
from pathlib import Path

import pytest

import seedbed as sb
from seedbed.frameworks import require

FRAMEWORKS = ("cupy", "flax", "jax", "keras", "mlx", "tensorflow", "tf_keras", "torch")


def test_a_missing_framework_gives_one_line_that_names_the_extra() -> None:
    with pytest.raises(sb.FrameworkNotInstalledError) as caught:
        require("no_such_framework.part", title="NoSuch", extra="nosuch")
    assert (
        str(caught.value)
        == "NoSuch is not installed (no_such_framework): pip install 'seedbed[nosuch]'"
    )
    assert isinstance(caught.value, ImportError)
    require("sys", title="Python", extra="python")


def test_a_framework_that_lacks_a_part_gives_one_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_a_framework.py").write_text("import no_such_backend")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(sb.FrameworkNotInstalledError) as caught:
        require("half_a_framework", title="Half", extra="half", also="a backend")
    remedy = "pip install 'seedbed[half]', and a backend"
    assert (
        str(caught.value)
        == f"Half cannot be imported (No module named 'no_such_backend'): {remedy}"
    )


def test_importing_seedbed_imports_no_framework() -> None:
    found = f"[name for name in {FRAMEWORKS} if name in sys.modules]"
    script = f"import sys, seedbed, seedbed.cli; print({found})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["torch", "jax", "keras", "mlx"])
def test_a_module_without_its_framework_says_what_to_install(module: str) -> None:
    script = f"""
import sys
sys.modules[{module!r}] = None
try:
    import seedbed.{module}
except ImportError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == 1
    assert f"is not installed ({module}): pip install 'seedbed[{module}]'" in done.stdout


def test_the_names_of_tensorflow_1_need_no_framework() -> None:
    blocked = ", ".join(repr(name) for name in FRAMEWORKS)
    script = f"import sys; sys.modules.update(dict.fromkeys([{blocked}]))\n"
    script += (
        "import seedbed.compat.v1 as v1; print(v1.glorot_normal_initializer(seed=1)((2, 2)).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "(2, 2)\n"
