"""Modules for frameworks: what is said where the framework is missing, and that the SDK imports none."""

import subprocess
import sys

import pytest

import seedbed as sb
from seedbed.frameworks import require

FRAMEWORKS = ("cupy", "flax", "jax", "keras", "mlx", "tensorflow", "tf_keras", "torch")


def test_a_missing_framework_gives_one_line_that_names_the_extra() -> None:
    with pytest.raises(sb.FrameworkNotInstalledError) as caught:
        require("sys", "no_such_framework", title="NoSuch", extra="nosuch")
    message = "NoSuch is not installed (no_such_framework): pip install 'seedbed[nosuch]'"
    assert str(caught.value) == message
    assert isinstance(caught.value, ImportError)
    require("sys", title="Python", extra="python")


def test_importing_seedbed_imports_no_framework() -> None:
    script = f"import sys, seedbed, seedbed.cli; print([name for name in {FRAMEWORKS} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
