"""The parts of `make gpu-check`: its list, its comparisons, its report, and how it bears faults."""

import json
import sys
import time
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedbed.spec.dtypes import FLOATING
from seedbed_server.backends import cuda_kernels
from seedbed_server.backends.cuda_kernels import ptx_of
from seedbed_server.kernels.blocks import BLOCK_KERNELS
from tests.stub_cupy import Libraries
from tools.gpu_check import environment as environments
from tools.gpu_check import report, runner, wheels
from tools.gpu_check.checks import arrays, device, exhaustive, sanitizer, throughput
from tools.gpu_check.element_kernels import ELEMENT_KERNELS, ElementKernel, spread_word
from tools.gpu_check.environment import Environment, environment
from tools.gpu_check.rate import gigabytes_per_second
from tools.gpu_check.result import NotRunError, Passed, Result, StoppedError
from tools.gpu_check.rig import Rig
from tools.gpu_check.runner import Runner
from tools.gpu_check.steps import DTYPES, GROUPS, KERNELS, Group

BROKEN = Group(
    "broken",
    "tests.broken_checks",
    60.0,
    ("passes", "fails", "is_not_run", "is_stopped", "crashes", "hangs", "never comes"),
)
DEVICE = GROUPS[0]


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    """A rehearsal in this process."""
    kernels = [element.kernel for element in ELEMENT_KERNELS.values()]
    libraries = Libraries(kernels=[*BLOCK_KERNELS.values(), *kernels])
    monkeypatch.setitem(sys.modules, "cupy", libraries.cupy())
    monkeypatch.setattr(cuda_kernels, "machine_code", libraries.machine_code)
    monkeypatch.setattr(cuda_kernels, "cache_directory", lambda: None)
    return Rig(time.monotonic() + 600, rehearses=True)


def result(name: str, status: Any = "passed", group: str = "golden", **more: Any) -> Result:
    """Return a result."""
    return Result(group, name, status, **more)


# The list.


def test_the_list_has_every_kernel_and_every_dtype() -> None:
    assert set(KERNELS) == set(BLOCK_KERNELS)
    assert set(DTYPES) == {dtype.value for dtype in FLOATING}
    (checks,) = [group.checks for group in GROUPS if group.name == "exhaustive"]
    assert checks == tuple(ELEMENT_KERNELS)


def test_it_takes_less_than_eight_minutes() -> None:
    # A group that hangs takes its own time and that which was saved before it; installing wheels,
    # half a minute at most.
    assert sum(group.seconds for group in GROUPS) + runner.LAST_STEPS_SECONDS + 30 < 480


# The exhaustive checks.


@pytest.mark.parametrize("element", ELEMENT_KERNELS.values(), ids=ELEMENT_KERNELS)
def test_an_element_kernel_compiles_for_a_device(element: ElementKernel) -> None:
    ptx = ptx_of(element.kernel, (9, 0))
    assert ".visible .entry" in ptx
    assert ".local" not in ptx
    assert "call" not in ptx.replace(".callprototype", "")


def test_the_spread_words_come_from_everywhere() -> None:
    split = 2**63
    words = [int(spread_word(np.uint64(i), np.uint64(split))) for i in range(2**14)]
    lengths = {word.bit_length() for word in words}
    from_above = {(2**64 - 1 - word).bit_length() for word in words}
    next_to_split = {abs(word - split).bit_length() for word in words}
    for found in (lengths, from_above, next_to_split):
        assert found >= set(range(3, 63))
    # A fourth of them are spread evenly.
    hit = np.bincount([word >> 58 for word in words[::4]], minlength=64)
    assert hit.min() > 0.8 * hit.mean()


def test_a_word_whose_value_differs_is_named(rig: Rig) -> None:
    element = ELEMENT_KERNELS["rounding to float16"]

    def other(first: Any, split: Any, params: Any, out: Any) -> None:
        for i in range(out.size):
            out[i] = (i * 0) if first + np.uint64(i) != np.uint64(2050) else 77

    wrong = replace(element, loop=other)
    with pytest.raises(AssertionError, match=r"^\d+ words differ; number 2050 gives 0x0 on the"):
        exhaustive.compare(rig, rig.device(), wrong, 1)


def test_words_that_differ_only_once_are_said_to(rig: Rig) -> None:
    element = ELEMENT_KERNELS["rounding to float16"]
    lane = exhaustive.Lane(rig.device(), element, element.compiled(), 8)
    assert lane.example(16, 8) == "those from 16 on were right the second time"


def test_all_words_agree_also_where_the_last_chunk_is_short(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    element = replace(ELEMENT_KERNELS["uniform float32"], words=2500)
    assert exhaustive.compare(rig, rig.device(), element, 1).detail == "2500 of 2500 words"


def test_a_comparison_whose_time_is_up_is_stopped_and_not_passed(rig: Rig) -> None:
    rig.deadline = time.monotonic() - 1
    element = ELEMENT_KERNELS["rounding to float16"]
    with pytest.raises(StoppedError, match=r"^after 0 of 4096$"):
        exhaustive.compare(rig, rig.device(), element, 2)


# The runner.


def run(groups: Sequence[Group], folder: Path, **variables: str) -> tuple[list[Result], list[str]]:
    """Return the results of some groups, and the lines that were printed."""
    lines: list[str] = []
    with environment(None, rehearses=True) as where:
        there = Environment(folder, {**where.variables, **variables}, [])
        told = Runner(there, lambda result: lines.append(report.line(result)), rehearses=True)
        return list(told.run(groups)), lines


def test_what_fails_crashes_or_is_left_out_is_said_by_name_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    results, lines = run((BROKEN, DEVICE), tmp_path)
    found = {r.name: (r.status, r.detail) for r in results}
    assert found["passes"] == ("passed", "one and one is two")
    assert found["fails"] == ("failed", "ValueError: the bits are others")
    assert found["is_not_run"] == ("not run", "abacus is not installed")
    assert found["is_stopped"] == ("stopped", "after 3 of 7")
    for name in ("crashes", "hangs", "never comes"):
        assert found[name] == ("failed", "the process ended with -11")
    assert found["it opens"][0] == "passed"
    assert list(found) == [*BROKEN.checks, *DEVICE.checks]
    assert [line.split(": ")[1] for line in lines] == list(found)
    crashed = next(r for r in results if r.name == "crashes")
    assert "a last word" in crashed.trace
    assert "Traceback" in next(r for r in results if r.name == "fails").trace
    assert report.exit_code(results) == 1


def test_a_group_that_hangs_is_ended_and_its_checks_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LAST_STEPS_SECONDS", 1.0)
    monkeypatch.setattr(runner, "REHEARSAL_TIMES", 1)
    short = replace(BROKEN, seconds=20.0)
    results, _ = run((short, replace(DEVICE, seconds=60.0)), tmp_path, TEST_HANGS="1")
    found = {r.name: (r.status, r.detail) for r in results}
    assert found["passes"][0] == "passed"
    for name in ("crashes", "hangs", "never comes"):
        assert found[name] == ("stopped", "the process did not end in time")
    assert found["it opens"][0] == "passed"


def test_a_process_that_ends_badly_after_its_checks_has_failed(tmp_path: Path) -> None:
    without_last = replace(BROKEN, checks=BROKEN.checks[:4])
    results, _ = run((without_last,), tmp_path)
    assert (results[-1].name, results[-1].status) == ("end of its process", "failed")
    assert results[-1].detail == "the process ended with -11"


def test_a_group_that_lacks_a_library_fails_by_its_name(tmp_path: Path) -> None:
    without = replace(BROKEN, module="tests.no_such_module")
    results, _ = run((without, DEVICE), tmp_path)
    assert {(r.status, r.detail) for r in results[:-1]} == {
        ("failed", "ModuleNotFoundError: No module named 'tests.no_such_module'")
    }
    assert [r.name for r in results] == [*BROKEN.checks, *DEVICE.checks]


def test_checks_whose_turn_comes_too_late_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "LAST_STEPS_SECONDS", 120.0)
    results, _ = run((replace(BROKEN, seconds=0.0, checks=BROKEN.checks[:5]),), tmp_path)
    assert [(r.status, r.detail) for r in results] == [("stopped", "after 0 of 1")] * 5


# The report.


def test_a_line_says_what_a_reader_wants() -> None:
    assert report.line(result("whole file", detail="670 vectors", seconds=1.25)) == (
        "golden: whole file: passed: 670 vectors (1.2 s)"
    )
    assert (
        report.line(result("x", "not run", detail="no device")) == "golden: x: not run: no device"
    )


def test_the_table_counts_and_sets_rates_beside_the_bandwidth() -> None:
    results = [
        result("write", group="throughput", figures={"GB/s": 2000.0}),
        result("normal_float32", group="throughput", figures={"GB/s": 1700.0}),
        result("torch normal_", group="throughput", figures={"GB/s": 850.0}),
        result("whole file", "failed", detail="1 of 670"),
        result("kernel", "stopped", detail="after 1 of 2"),
    ]
    text = report.table(results, {"device": "a card", "libraries": {}})
    assert text.startswith("device: a card\n")
    assert "golden               0       1        1        0" in text
    assert "normal_float32                                1700         85%" in text
    assert "normal_float32 is 2.00 times as fast as torch normal_" in text
    assert text.endswith(
        "golden: whole file: failed: 1 of 670\ngolden: kernel: stopped: after 1 of 2"
    )


@pytest.mark.parametrize(
    ("statuses", "detail", "code"),
    [
        (("passed", "not run"), "", 0),
        (("passed", "failed"), "", 1),
        (("passed", "stopped"), "", 1),
        (("not run", "not run"), "no device: a GPU needs cupy", 2),
        (("not run", "failed"), "no device: a GPU needs cupy", 1),
    ],
)
def test_the_exit_code(statuses: tuple[str, str], detail: str, code: int) -> None:
    first = result("it opens", statuses[0], group="device", detail=detail)
    assert report.exit_code([first, result("x", statuses[1])]) == code


def test_the_json_file_holds_everything(tmp_path: Path) -> None:
    results = [result("write", figures={"GB/s": 2.5}), result("x", "failed", trace="Traceback")]
    report.write(tmp_path / "out.json", results, {"device": "a card"})
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["machine"] == {"device": "a card"}
    assert [Result(**each) for each in content["results"]] == results


# The environment.


def wheel(folder: Path, name: str, version: str = "1.0", tag: str = "py3-none-any") -> Path:
    """Write a wheel of one module."""
    path = folder / f"{name}-{version}-{tag}.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        file.writestr(f"{info}/METADATA", head)
        file.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n")
        file.writestr(f"{info}/RECORD", "")
    return path


def test_what_is_missing_is_installed_into_the_temporary_folder_only(tmp_path: Path) -> None:
    wheel(tmp_path, "gpu_check_probe")
    wheel(tmp_path, "numpy", "0.1")  # is there already, and this one is no wheel to want
    with environment(tmp_path, rehearses=False) as where:
        assert where.results[0].status == "passed", where.results[0]
        assert where.results[0].detail == "installed gpu_check_probe-1.0-py3-none-any.whl"
        site = Path(where.variables["PYTHONPATH"].split(":")[0])
        assert (site / "gpu_check_probe.py").exists()
        assert not (site / "numpy.py").exists()
    assert not site.exists()


def test_wheels_for_another_python_are_passed_over_and_the_newest_is_taken(
    tmp_path: Path,
) -> None:
    wheel(tmp_path, "gpu_check_probe", "1.10")
    wheel(tmp_path, "gpu_check_probe", "1.9")
    wheel(tmp_path, "gpu_check_probe", "2.0", "cp27-cp27m-win32")
    assert [path.name for path in wheels.chosen(tmp_path)] == [
        "gpu_check_probe-1.10-py3-none-any.whl"
    ]


def test_a_wheel_that_is_refused_is_named_and_the_others_are_installed(tmp_path: Path) -> None:
    wheel(tmp_path, "gpu_check_probe")
    (tmp_path / "gpu_check_other-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    with environment(tmp_path, rehearses=False) as where:
        assert where.results[0].status == "failed"
        assert "gpu_check_other-1.0-py3-none-any.whl: ERROR" in where.results[0].detail
        site = Path(where.variables["PYTHONPATH"].split(":")[0])
        assert (site / "gpu_check_probe.py").exists()


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with environment(tmp_path / "nowhere", rehearses=False) as where:
        assert where.results[0].detail == f"{tmp_path / 'nowhere'} is no folder"


def test_missing_and_old_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ["gpu-check-probe>=1", "numpy>=9000", "xxhash>=3"]
    monkeypatch.setattr(wheels, "requirements", lambda: needed)
    (libraries,) = [environments._libraries(Path("/nowhere"))]
    assert libraries.status == "failed"
    version = np.__version__
    assert libraries.detail == (
        f"missing: gpu-check-probe>=1 (not installed), numpy>=9000 ({version})"
    )


def test_a_wheel_of_what_is_too_old_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "requirements", lambda: ["numpy>=9000", "xxhash>=3"])
    newer = wheel(tmp_path, "numpy", "9001")
    wheel(tmp_path, "xxhash", "4.0")
    assert wheels.chosen(tmp_path) == [newer]


def test_wheels_for_another_python_are_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    wheel(there, "gpu_check_probe", "1.1", "cp313-cp313-manylinux_2_28_x86_64")
    wheel(there, "gpu_check_probe", "1.2", "cp311-cp311-manylinux_2_28_x86_64")
    monkeypatch.setattr(wheels, "requirements", lambda: ["gpu-check-probe>=1"])
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(there))
    assert wheels.download(here, "3.13") == 0
    assert [path.name for path in here.iterdir()] == [
        "gpu_check_probe-1.1-cp313-cp313-manylinux_2_28_x86_64.whl"
    ]


def test_the_requirements_are_those_of_the_server() -> None:
    names = {wheels.name_of(each) for each in wheels.requirements()}
    assert names >= {"xxhash", "hpack", "grpcio", "numba", "grpcio-reflection", "pytest"}
    assert "seedbed" not in names


# What needs a library or a program that is not there.


def test_a_check_without_its_library_names_it(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(NotRunError, match=r"^torch is not installed$"):
        throughput.Bench(rig).torch("normal_")
    with pytest.raises(NotRunError, match=r"^torch is not installed$"):
        arrays.handed(arrays.to_torch, rig.device().result(8), "float32")


def test_an_array_that_is_refused_is_handed_over_as_integers(rig: Rig) -> None:
    array = rig.device().result(8).view(np.float16)

    def hand_over(array: Any) -> int:
        if array.dtype.kind == "f":
            raise BufferError("not this one")
        return int(array.data.ptr)

    assert arrays.handed(hand_over, array, "bfloat16") == (
        array.data.ptr,
        ", as uint16; as it is refused: BufferError: not this one",
    )
    with pytest.raises(BufferError):
        arrays.handed(hand_over, array, "float16")


def test_a_library_without_cuda_is_not_given_an_array_on_a_gpu() -> None:
    class OnGpu:
        def __dlpack_device__(self) -> tuple[int, int]:
            return arrays.CUDA, 0

    with pytest.raises(NotRunError, match=r"^this PyTorch has no CUDA$"):
        arrays._need_cuda(OnGpu(), "PyTorch", lambda: False)
    arrays._need_cuda(OnGpu(), "PyTorch", lambda: True)


SANITIZER = """#!/bin/sh
while [ "$1" != "--error-exitcode" ]; do shift; done
shift 2
echo "========= ERROR SUMMARY: 0 errors"
exit CODE
"""


@pytest.mark.parametrize(
    ("code", "end"), [(0, "passes"), (99, "it found errors"), (3, "ended with 3")]
)
def test_the_sanitizers_word_counts(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, end: str
) -> None:
    program = tmp_path / sanitizer.PROGRAM
    program.write_text(SANITIZER.replace("CODE", str(code)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    check = sanitizer.checks(rig)["memcheck"]
    if code == 0:
        assert check() == Passed("========= ERROR SUMMARY: 0 errors")
        return
    with pytest.raises(AssertionError, match=f"^{end}"):
        check()


def test_without_a_sanitizer_it_is_not_run(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sanitizer, "TOOLKIT", tmp_path)
    with pytest.raises(NotRunError, match=r"^compute-sanitizer is not installed$"):
        sanitizer.checks(rig)["memcheck"]()


def test_the_device_is_described_as_far_as_cuda_says_it() -> None:
    class Runtime:
        def getDeviceProperties(self, index: int) -> dict[str, Any]:  # noqa: N802  # CuPy's name
            return {
                "name": b"A card",
                "major": 9,
                "minor": 0,
                "totalGlobalMem": 2**36,
                "multiProcessorCount": 132,
            }

        def driverGetVersion(self) -> int:  # noqa: N802  # likewise
            return 13000

    cupy: Any = type("cupy", (), {"cuda": type("cuda", (), {"runtime": Runtime()})})
    facts = device.device_facts(cupy, 0)
    assert list(facts.values())[:4] == ["A card", "9.0", 2**36, 132]
    assert facts["CUDA of the driver"] == 13000


# Rates.


def test_a_rate_is_bytes_over_time() -> None:
    waited: list[int] = []
    rate = gigabytes_per_second(
        10**6, lambda: time.sleep(0.001), lambda: waited.append(1), seconds=0.004
    )
    assert 0 < rate <= 1
    # Once for the first call, once for each try at how often, once for each round.
    assert len(waited) >= 7


def test_a_rate_without_a_time_is_taken_all_the_same() -> None:
    assert gigabytes_per_second(1, lambda: None, seconds=0.0) > 0
