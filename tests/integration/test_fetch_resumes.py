"""A fetch that is interrupted goes on where it was, and what it finds is checked."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import safetensors.numpy

import seedbed as sb
from seedbed.cli import fetch, main
from tests.command_line import PROGRAM
from tests.integration.test_interrupts import END_SECONDS, started
from tests.waiting import wait_until

ROWS = 64
LAYERS = 12
MANIFEST = "\n".join(
    [
        "seedbed_manifest: 1",
        "numerics: seedbed-1",
        "seed: 5",
        "dtype: float32",
        "rules: [{match: '*', initializer: random_normal}]",
        "tensors:",
        *(f"  layer.{i}: [{ROWS}, 1024]" for i in range(LAYERS)),
    ]
)
LARGE = MANIFEST.replace(f"[{ROWS}, 1024]", "[8192, 1024]")
TENSOR_BYTES = ROWS * 1024 * 4
HIDDEN = ".out.safetensors.part"
LIMIT = ("--max-shard-size", str(3 * TENSOR_BYTES))
# A fetch that is killed after so many files have their places.
KILLED = """
import os, signal, sys
from pathlib import Path
from seedbed.cli import main
left, replace = int(sys.argv[1]), Path.replace

def replace_or_die(path, target):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return replace(path, target)

Path.replace = replace_or_die
main(["fetch", "m.yaml", *sys.argv[2:]])
os.kill(os.getpid(), signal.SIGKILL)
"""
# A command that stops before it samples, when it has what it locks.
STOPPED = """
import os, signal, sys
import seedbed as sb
from seedbed.cli import main

def stop(*_, **__):
    os.kill(os.getpid(), signal.SIGSTOP)

sb.Client.sample_all = sb.Client.sample = stop
main(sys.argv[1:])
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, with a manifest; a batch is one tensor."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(fetch, "BATCH_BYTES", TENSOR_BYTES)
    Path("m.yaml").write_text(MANIFEST)
    return tmp_path


class Interrupts:
    """Lets some calls of a function through, then raises."""

    def __init__(self, function: Any, after: int, error: BaseException) -> None:
        self._function, self._left, self._error = function, after, error
        self.calls = 0

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self.calls += 1
        if self.calls > self._left:
            raise self._error
        return self._function(*arguments, **options)


def fetched(monkeypatch: pytest.MonkeyPatch, after: int, *arguments: str) -> tuple[int, int]:
    """Fetch, interrupted after some batches; return the exit code and the batches asked for."""
    calls = Interrupts(sb.Client.sample_all, after, KeyboardInterrupt())
    with monkeypatch.context() as patched:

        def sample_all(*given: Any, **options: Any) -> Any:
            return calls(*given, **options)

        patched.setattr(sb.Client, "sample_all", sample_all)
        code = main(["fetch", "m.yaml", "-o", "out.safetensors", "--json", *arguments])
    return code, calls.calls


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name != "m.yaml")


def digest() -> str:
    with sb.connect("embedded:") as client:
        return str(sb.digest_of(client.digest_all(sb.Manifest.load("m.yaml"))))


def test_an_interrupted_fetch_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetched(monkeypatch, 5) == (130, 6)
    assert files() == [HIDDEN]
    capsys.readouterr()
    assert fetched(monkeypatch, 99) == (0, LAYERS - 5)
    report = json.loads(capsys.readouterr().out)
    assert report["resumed_bytes"] == 5 * TENSOR_BYTES
    assert report["model_digest"] == digest()
    assert files() == ["out.safetensors"]
    assert main(["verify", "out.safetensors", "m.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["model_digest"] == digest()


def test_what_was_damaged_meanwhile_is_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched(monkeypatch, 5)
    with Path(HIDDEN, "out.safetensors").open("r+b") as file:
        file.seek(-LAYERS * TENSOR_BYTES + 2 * TENSOR_BYTES + 17, os.SEEK_END)
        file.write(b"\xff" * 3)
    assert fetched(monkeypatch, 99) == (0, LAYERS - 4)
    assert main(["verify", "out.safetensors", "m.yaml"]) == 0


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b'["layer.1", "xxh3',
        b"\x00\xff\n",
        b"5\n",
        b'[["layer.1"], "xxh3"]\n',
        b'["layer.1", "xxh3", 1]\n',
        b"[" * 100_000,
    ],
    ids=lambda cut: repr(cut[:30]),
)
def test_a_journal_that_was_cut_counts_as_far_as_it_goes(
    monkeypatch: pytest.MonkeyPatch, cut: bytes
) -> None:
    fetched(monkeypatch, 5)
    journal = Path(HIDDEN, "journal")
    lines = [line for line in journal.read_bytes().splitlines(keepends=True) if line.strip()]
    journal.write_bytes(b"".join(lines[:4]) + cut)
    assert fetched(monkeypatch, 99) == (0, LAYERS - 3)
    assert main(["verify", "out.safetensors", "m.yaml"]) == 0


def test_nothing_of_other_content_is_taken_and_it_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched(monkeypatch, 5)
    Path("m.yaml").write_text(MANIFEST.replace("seed: 5", "seed: 6"))
    assert fetched(monkeypatch, 99) == (0, LAYERS)
    assert files() == ["out.safetensors"]
    assert main(["verify", "out.safetensors", "m.yaml"]) == 0


def test_a_fetch_that_ends_before_its_last_step_has_all_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(fetch, "replaced", Interrupts(None, 0, KeyboardInterrupt()))
        assert fetched(monkeypatch, 99) == (130, LAYERS)
    assert fetched(monkeypatch, 99) == (0, 0)
    assert files() == ["out.safetensors"]
    assert main(["inspect", "out.safetensors", "--digests"]) == 0


def test_a_fetch_that_never_began_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fetched(monkeypatch, 0) == (130, 1)
    assert files() == []


def test_a_folder_goes_on_as_well(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fetched(monkeypatch, 5, "-o", "model/", *LIMIT) == (130, 6)
    assert fetched(monkeypatch, 99, "-o", "model/", *LIMIT) == (0, LAYERS - 5)
    assert main(["verify", "model", "m.yaml"]) == 0
    assert len(list(Path("model").iterdir())) == 5
    capsys.readouterr()
    assert main(["inspect", "model", "--digests", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["metadata"]["model_digest"] == digest()


def test_two_at_a_time_do_not_write_the_same_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    codes: list[int | None] = []
    sample_all = sb.Client.sample_all

    def meanwhile(*arguments: Any, **options: Any) -> Any:
        if not codes:
            codes.append(None)
            codes.append(main(["fetch", "m.yaml", "-o", "out.safetensors"]))
        return sample_all(*arguments, **options)

    monkeypatch.setattr(sb.Client, "sample_all", meanwhile)
    assert main(["fetch", "m.yaml", "-o", "out.safetensors"]) == 0
    assert codes[1] == 1
    assert f"process {os.getpid()} on " in capsys.readouterr().err
    assert main(["verify", "out.safetensors", "m.yaml"]) == 0


@pytest.mark.parametrize(
    ("renamed", "force"), [(0, ()), (1, ()), (4, ()), (5, ()), (0, ("--force",))]
)
def test_a_fetch_that_is_killed_between_its_last_renames_is_finished_without_being_asked(
    monkeypatch: pytest.MonkeyPatch, renamed: int, force: tuple[str, ...]
) -> None:
    if force:
        assert main(["fetch", "m.yaml", "-o", "model", *LIMIT]) == 0
    killed(renamed, "-o", "model", *LIMIT, *force)
    left = {path.name for path in Path("model").iterdir()}
    assert ".model.safetensors.part" in left
    assert len(left) == 1 + renamed
    assert fetched(monkeypatch, 99, "-o", "model", *LIMIT) == (0, 0)
    assert len(list(Path("model").iterdir())) == 5
    assert main(["verify", "model", "m.yaml"]) == 0


@pytest.mark.parametrize("renamed", [0, 1])
def test_a_file_that_is_killed_at_its_last_step_is_finished_as_well(
    monkeypatch: pytest.MonkeyPatch, renamed: int
) -> None:
    killed(renamed, "-o", "out.safetensors")
    assert Path("out.safetensors").exists() == bool(renamed)
    assert fetched(monkeypatch, 99) == (0, 0)
    assert files() == ["out.safetensors"]
    assert main(["verify", "out.safetensors", "m.yaml"]) == 0


@pytest.mark.parametrize("name", ["model-00002-of-00004.safetensors", "model.safetensors"])
def test_weights_that_somebody_put_there_meanwhile_are_not_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    killed(2, "-o", "model", *LIMIT)
    Path("model", name).write_bytes(b"other")
    capsys.readouterr()
    assert fetched(monkeypatch, 99, "-o", "model", *LIMIT) == (1, 0)
    assert f"weights already ({name})" in capsys.readouterr().err
    assert Path("model", name).read_bytes() == b"other"
    Path("model", name).unlink()
    code, _ = fetched(monkeypatch, 99, "-o", "model", *LIMIT)
    assert (code, main(["verify", "model", "m.yaml"])) == (0, 0)


@pytest.mark.parametrize("arguments", [("-o", "model", *LIMIT), ("-o", "model/m.safetensors")])
def test_what_was_edited_after_a_fetch_was_killed_at_its_end_stays(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    Path("model").mkdir()
    killed(5, *arguments)  # all have their places
    edited = min(Path("model").glob("*.safetensors"))
    with edited.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(b"\1\2\3\4")
    there = {path: path.read_bytes() for path in Path("model").iterdir() if path.is_file()}
    away = ("--target", "127.0.0.1:1", "--patience-seconds", "0")
    for target in ((), away):
        assert main(["fetch", "m.yaml", *arguments, *target]) == 1
        assert "--force replaces" in capsys.readouterr().err
        assert {path: path.read_bytes() for path in there} == there


def killed(renamed: int, *arguments: str) -> None:
    """Fetch in a process that is killed after so many files have their places."""
    last = "import seedbed.cli.parts as parts\nparts.clear = lambda folder: None\n"
    done = subprocess.run(
        [sys.executable, "-c", last + KILLED, str(renamed), *arguments],
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


class TestTwoProcesses:
    @pytest.mark.parametrize(
        ("arguments", "output"),
        [
            (("fetch", "m.yaml", "-o", "out.safetensors"), "out.safetensors"),
            (("fetch", "m.yaml", "-o", "model", *LIMIT), "model"),
            (("sample", "RandomNormal", "--shape", "9,9", "-o", "x.npy"), "x.npy"),
        ],
        ids=["file", "folder", "sample"],
    )
    def test_the_second_is_told_who_has_it(self, arguments: tuple[str, ...], output: str) -> None:
        hidden = {"model": Path("model/.model.safetensors.part")}
        lock = hidden.get(output, Path(f".{output}.part")) / "lock"
        with subprocess.Popen([sys.executable, "-c", STOPPED, *arguments]) as first:
            try:
                wait_until(lambda: lock.exists() and lock.read_text())
                second = subprocess.run(
                    [PROGRAM, *arguments], capture_output=True, text=True, check=False
                )
            finally:
                first.kill()
        assert (second.returncode, second.stdout) == (1, "")
        assert f"error: process {first.pid} on " in second.stderr
        assert second.stderr.count("\n") == 1
        assert not any(path.suffix in {".safetensors", ".npy"} for path in Path().iterdir())
        # A kill frees it, and the next run sweeps what was left.
        assert lock.exists()
        subprocess.run([PROGRAM, *arguments], capture_output=True, check=True, timeout=120)
        assert files() == [output]
        if "fetch" in arguments:
            assert main(["verify", output, "m.yaml"]) == 0

    def test_of_many_that_begin_at_once_one_writes_the_right_file(self) -> None:
        Path("other.yaml").write_text(MANIFEST.replace("seed: 5", "seed: 6"))
        running = [
            subprocess.Popen(
                [PROGRAM, "fetch", manifest, "-o", "model", *LIMIT, "--force"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for manifest in ("m.yaml", "other.yaml") * 3
        ]
        errors = [process.communicate(timeout=120)[1] for process in running]
        for process, error in zip(running, errors, strict=True):
            assert process.returncode == bool(error)
            assert not error or "at the moment" in error
        assert not all(errors)
        assert len(list(Path("model").iterdir())) == 5
        codes = [main(["verify", "model", manifest]) for manifest in ("m.yaml", "other.yaml")]
        assert sorted(codes) == [0, 1]


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=str)
def test_a_signal_at_any_moment_leaves_what_the_next_run_finishes(
    name: signal.Signals, folder: Path
) -> None:
    Path("m.yaml").write_text(LARGE)
    arguments = ("fetch", "m.yaml", "-o", "out.safetensors", "--no-progress")
    for moment in (0.5, 1.0, 1.5, 2.0):
        process = started(*arguments)
        time.sleep(moment)
        process.send_signal(name)
        _, error = process.communicate(timeout=END_SECONDS)
        assert "Traceback" not in error
        if process.returncode == 0:
            break
    if files() != ["out.safetensors"]:  # also where its last step was broken off
        command = [PROGRAM, *arguments]
        subprocess.run(command, check=True, capture_output=True, timeout=END_SECONDS)
    assert files() == ["out.safetensors"]
    assert main(["verify", "out.safetensors", "m.yaml"]) == 0


def test_standard_output_gets_the_same_tensors(folder: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "fetch", "m.yaml", "-o", "-", "--json"], capture_output=True, check=True
    )
    report = json.loads(done.stderr)
    assert report["model_digest"] == digest()
    found = safetensors.numpy.load(done.stdout)
    with sb.connect("embedded:") as client:
        for key, array in client.sample_all(sb.Manifest.load("m.yaml")).items():
            assert found[key].tobytes() == array.tobytes()
    assert files() == []


def test_a_reader_that_has_enough_is_no_error(folder: Path) -> None:
    command = f"{PROGRAM} fetch m.yaml -o - | head -c 1000 | wc -c"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (done.stdout.strip(), done.stderr) == ("1000", "")


def test_standard_output_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    assert main(["fetch", "m.yaml", "-o", "-"]) == 1
    assert "standard output is a terminal" in capsys.readouterr().err


def test_a_file_says_where_it_comes_from(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched(monkeypatch, 99, "--shard", "1/4:0")
    with safetensors.safe_open("out.safetensors", "numpy") as file:
        metadata = file.metadata()
    assert (metadata["format"], metadata["numerics"]) == ("pt", "seedbed-1")
    assert (metadata["seed"], metadata["shard"]) == ("5", "1/4:0")
    capsys.readouterr()
    assert main(["inspect", "out.safetensors", "--digests"]) == 0
    text = capsys.readouterr().out
    assert metadata["model_digest"] in text
    assert "layer.11" in text
    # A value that is changed is found by the digest.
    with Path("out.safetensors").open("r+b") as changed:
        changed.seek(-1, os.SEEK_END)
        changed.write(b"\x00")
    assert main(["inspect", "out.safetensors", "--digests"]) == 1
    assert f"says {metadata['model_digest']}" in capsys.readouterr().err
