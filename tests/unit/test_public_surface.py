"""The public surface: names, documentation, the import's weight, the tree of errors."""

import importlib.metadata
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from types import ModuleType
from typing import Any

import pytest

import seedbed as sb
from seedbed import errors
from tests.sdk_modules import sdk_modules

HEAVY = {
    "cupy",
    "grpc",
    "jax",
    "keras",
    "matplotlib",
    "mlx",
    "numba",
    "scipy",
    "seedbed_server",
    "tensorflow",
    "tf_keras",
    "torch",
    "tqdm",
}

# Of the standard library: what only some calls need, and what comes along with it. With these,
# importing seedbed after numpy took 168 ms of a processor instead of 127.
SELDOM_NEEDED = {
    "argparse",
    "asyncio",
    "calendar",
    "concurrent.futures",
    "csv",
    "difflib",
    "email",
    "importlib.metadata",
    "logging",
    "secrets",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
}
# 117 when this was written, 68 of them seedbed's own.
MOST_MODULES = 150

TREE: dict[type[Exception], tuple[type[Exception], ...]] = {
    sb.InvalidArgumentError: (),
    sb.InvalidValueError: (sb.InvalidArgumentError, ValueError),
    sb.InvalidTypeError: (sb.InvalidArgumentError, TypeError),
    sb.TransportError: (),
    sb.UnavailableError: (sb.TransportError, ConnectionError),
    sb.TlsError: (sb.TransportError, ConnectionError),
    sb.DeadlineError: (sb.TransportError, TimeoutError),
    sb.OverloadedError: (sb.TransportError,),
    sb.CancelledError: (sb.TransportError,),
    sb.DataLossError: (sb.TransportError,),
    sb.AuthenticationError: (PermissionError,),
    sb.PermissionDeniedError: (PermissionError,),
    sb.UnsupportedError: (),
    sb.NoDeviceError: (),
    sb.DeviceError: (),
    sb.OutOfDeviceMemoryError: (MemoryError,),
    sb.ForkError: (RuntimeError,),
    sb.ServerError: (),
    sb.EngineNotInstalledError: (ImportError,),
    sb.FrameworkNotInstalledError: (ImportError,),
}


def python(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_names_are_sorted_unique_and_there() -> None:
    # As ruff sorts: names all in capitals first.
    assert list(sb.__all__) == sorted(set(sb.__all__), key=lambda name: (not name.isupper(), name))
    for name in sb.__all__:
        assert getattr(sb, name) is not None


def test_no_public_name_is_left_out() -> None:
    named = {
        name
        for name, value in vars(sb).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert named <= set(sb.__all__)


def test_a_star_import_gives_exactly_these_names() -> None:
    space: dict[str, Any] = {}
    exec("from seedbed import *", space)
    assert set(space) - {"__builtins__"} == set(sb.__all__)


def test_the_import_is_light() -> None:
    done = python("import sys, seedbed; print(*{name.partition('.')[0] for name in sys.modules})")
    assert done.returncode == 0, done.stderr
    assert HEAVY.isdisjoint(done.stdout.split())


# In an interpreter without site: an installed package may import there what it likes.
IMPORTED = """
import sys
sys.path[:0] = {path!r}
import numpy
before = set(sys.modules)
import seedbed
print(*set(sys.modules) - before)
"""


def test_the_import_loads_little_more_than_numpys() -> None:
    script = IMPORTED.format(path=sys.path)
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script], capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert SELDOM_NEEDED.isdisjoint(modules), SELDOM_NEEDED & modules
    assert len(modules) < MOST_MODULES, sorted(modules)


def test_embedded_use_needs_no_grpc() -> None:
    code = "print(seedbed.Ones()((2,)).tolist()); assert 'grpc' not in sys.modules"
    done = python(f"import os, sys, seedbed; os.environ.pop('SEEDBED_TARGET', None); {code}")
    assert (done.returncode, done.stdout) == (0, "[1.0, 1.0]\n"), done.stderr


BLOCKED = """
import os, sys
os.environ.pop("SEEDBED_TARGET", None)
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
import seedbed
assert seedbed.TensorSpec("w", (2,), "float32", seedbed.Zeros())
try:
    seedbed.Zeros()((2,))
except seedbed.EngineNotInstalledError as error:
    print(error)
"""


@pytest.mark.parametrize("name", ["numba", "mpmath"])
def test_an_engine_that_is_not_installed_is_an_error_that_names_the_extra(name: str) -> None:
    done = python(BLOCKED.format(name=name))
    assert done.returncode == 0, done.stderr
    assert f"needs {name}" in done.stdout
    assert "pip install 'seedbed[engine]'" in done.stdout


def test_an_engine_without_an_entry_point_is_an_error_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: ())
    with pytest.raises(sb.EngineNotInstalledError, match=r"pip install 'seedbed\[engine\]'"):
        sb.connect("embedded:")


def test_the_entry_point_is_there() -> None:
    (entry_point,) = importlib.metadata.entry_points(group="seedbed.transports", name="embedded")
    assert entry_point.load()().target == "embedded:"


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_an_error_has_its_place_in_the_tree(error: type[Exception]) -> None:
    assert issubclass(error, sb.SeedbedError)
    assert all(issubclass(error, parent) for parent in TREE[error])
    builtins = {parent for parent in error.__mro__ if parent.__module__ == "builtins"}
    assert builtins == {
        p
        for parent in (*TREE[error], Exception)
        for p in parent.__mro__
        if p.__module__ == "builtins"
    }


def test_the_tree_has_every_error() -> None:
    assert {getattr(errors, name) for name in errors.__all__} == {*TREE, sb.SeedbedError}
    assert {name for name in sb.__all__ if name.endswith("Error")} == set(errors.__all__)


def test_the_tree_that_the_module_draws_is_this_one() -> None:
    lines = [line for line in (errors.__doc__ or "").splitlines() if "──" in line]
    drawn = {line.lstrip("│├└─ ").split(" ")[0]: line for line in lines}
    assert set(drawn) == {error.__name__ for error in TREE}
    for error, parents in TREE.items():
        said = re.findall(r"also an? (\w+)", drawn[error.__name__])
        assert said == [parent.__name__ for parent in parents if parent.__module__ == "builtins"]
        depth = len(drawn[error.__name__]) - len(drawn[error.__name__].lstrip("│├└─ "))
        assert depth == 4 * sum(issubclass(error, other) for other in TREE)


def test_argument_errors_say_what_is_wrong_what_is_allowed_and_what_came() -> None:
    with pytest.raises(sb.InvalidValueError) as caught:
        sb.RandomNormal(stddev=-1.0)
    assert str(caught.value) == "`stddev` must be 0 or more. Received: -1.0"
    assert (caught.value.field, caught.value.reason) == ("stddev", "INVALID_VALUE")
    inner = caught.value.within("initializer").within("spec")
    assert type(inner) is sb.InvalidValueError
    assert (inner.field, str(inner)) == (
        "spec.initializer.stddev",
        f"spec: initializer: {caught.value}",
    )


def test_a_long_value_is_cut_in_a_message() -> None:
    values: list[Any] = ["x" * 10**6, [0] * 10**5, 10**5000]
    for value in values:
        with pytest.raises(sb.InvalidArgumentError) as caught:
            sb.RandomNormal(stddev=value)
        assert len(str(caught.value)) < 250


def test_type_checkers_see_the_types() -> None:
    assert resources.files("seedbed").joinpath("py.typed").is_file()


def test_completion_offers_every_public_name() -> None:
    """Those that are imported only when they are asked for, too."""
    finished = python("import seedbed; print(*dir(seedbed))")
    assert {*sb.__all__, "__version__"} <= set(finished.stdout.split())


WRAPPERS = (property, classmethod, staticmethod)


def public_members(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """Yield the public functions, classes and methods that a module defines, with their names."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            yield name, value
        elif inspect.isclass(value):
            yield name, value
            for inner, member in vars(value).items():
                if not inner.startswith("_") and (
                    isinstance(member, WRAPPERS) or inspect.isfunction(member)
                ):
                    yield f"{name}.{inner}", member


@pytest.mark.parametrize("module", list(sdk_modules()), ids=lambda module: module.__name__)
def test_everything_public_is_documented(module: ModuleType) -> None:
    assert module.__doc__
    bare = [name for name, value in public_members(module) if not inspect.getdoc(value)]
    assert bare == []


@pytest.mark.parametrize("name", sb.__all__)
def test_every_exported_name_is_documented(name: str) -> None:
    value = getattr(sb, name)
    text = inspect.getdoc(value) or ""
    assert text
    assert not text.startswith(f"{name}("), "not only what a dataclass writes by itself"
