"""Packages for frameworks: their one shape, and what is said where a framework is missing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import seedbed as sb
from seedbed.frameworks import require

PACKAGES = ("torch", "jax", "keras", "mlx")
PLACE = ["seed", "rules", "prefix", "partial", "draw"]
FETCH = ["client", "local", "progress", "timeout_seconds"]
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
    loaded = f"[name for name in {FRAMEWORKS} if name in sys.modules]"
    script = f"import sys, seedbed, seedbed.cli; print({loaded})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", PACKAGES)
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


def functions(package: str, module: str) -> dict[str, ast.FunctionDef]:
    """Return the functions of a framework's module; the framework may be missing here."""
    path = Path(sb.__path__[0], package, f"{module}.py")
    found = ast.parse(path.read_text(encoding="utf-8")).body
    return {each.name: each for each in found if isinstance(each, ast.FunctionDef)}


def defaults(function: ast.FunctionDef) -> dict[str, str | None]:
    """Return the keyword-only arguments of a function, and what stands for each default."""
    values = function.args.kw_defaults
    return {
        argument.arg: None if value is None else ast.unparse(value)
        for argument, value in zip(function.args.kwonlyargs, values, strict=True)
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_whole_model_takes_the_same_arguments_in_every_framework(package: str) -> None:
    model = functions(package, "model")
    initialize = defaults(model["initialize_" if package == "torch" else "initialize"])
    # Only torch's modules have buffers, tensors without memory, and wrappers that rename.
    own = ("buffers", "device", "rename")
    assert [name for name in initialize if name not in own] == PLACE + FETCH
    assert initialize["seed"] is None, "it has no default"
    assert {name: initialize[name] for name in [*PLACE[1:], *FETCH]} == {
        "rules": "None",
        "prefix": "''",
        "partial": "False",
        "draw": "0",
        "client": "None",
        "local": "False",
        "progress": "False",
        "timeout_seconds": "None",
    }
    manifest_of = defaults(model["manifest_of"])
    manifest_of.pop("rename", None)
    assert manifest_of == {name: initialize[name] for name in PLACE}


@pytest.mark.parametrize("package", PACKAGES)
def test_digests_take_the_same_arguments_in_every_framework(package: str) -> None:
    for function in ("digest", "digests"):
        assert defaults(functions(package, "digests")[function]) == {"prefix": "''"}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_door_of_every_framework_has_these_names(package: str) -> None:
    text = Path(sb.__path__[0], package, "__init__.py").read_text(encoding="utf-8")
    (names,) = (
        ast.literal_eval(each.value)
        for each in ast.parse(text).body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "__all__"
    )
    initialize = "initialize_" if package == "torch" else "initialize"
    assert {"digest", "digests", initialize, "manifest_of"} <= set(names)
