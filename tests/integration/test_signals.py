"""A signal at any moment, or a reader that has gone, ends a command quietly and leaves nothing."""

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from seedbed.cli import main
from tests.command_line import PROGRAM
from tests.integration.test_interrupts import END_SECONDS, started

MANIFEST = "\n".join(
    [
        "seedbed_manifest: 1",
        "seed: 5",
        "dtype: float32",
        "rules: [{match: '*', initializer: random_normal}]",
        "tensors:",
        *(f"  layer.{i}: [1024, 1024]" for i in range(12)),
    ]
)
COMMANDS: dict[str, tuple[str, ...]] = {
    "digest": ("digest", "{}/m.yaml"),
    "verify": ("verify", "{}/m.safetensors", "{}/m.yaml"),
    "inspect": ("inspect", "{}/m.safetensors", "--digests"),
    "sample": ("sample", "RandomNormal", "--shape", "3000,4000"),
    "sample -o": ("sample", "RandomNormal", "--shape", "3000,4000", "-o", "{}/x.safetensors"),
    "sample -o npy": ("sample", "RandomNormal", "--shape", "3000,4000", "-o", "{}/x.npy"),
}
ENDS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
# From the program's first line, while it imports, samples, writes and ends. Two at a time.
LAST_MOMENT = 1.5
RUNS = 10
AT_A_TIME = 2


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a manifest and its file."""
    folder = tmp_path_factory.mktemp("model")
    (folder / "m.yaml").write_text(MANIFEST)
    target = ("--target", "embedded:")
    output = str(folder / "m.safetensors")
    assert main(["fetch", str(folder / "m.yaml"), "-o", output, *target]) == 0
    return folder


def signalled(
    command: tuple[str, ...], number: signal.Signals, moment: float
) -> tuple[int, str, str]:
    """Run a command, send it a signal; return its exit code, output and errors."""
    process = started(*command)
    time.sleep(moment)
    process.send_signal(number)
    out, error = process.communicate(timeout=END_SECONDS)
    return process.returncode, out, error


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
@pytest.mark.parametrize("name", ["digest", "verify", "sample -o"])
def test_no_moment_of_a_signal_has_a_traceback_or_leaves_a_file(
    name: str, number: signal.Signals, model: Path
) -> None:
    before = sorted(model.iterdir())
    command = tuple(word.format(model) for word in COMMANDS[name])
    dice = random.Random(f"{name} {number}")
    moments = [dice.uniform(0, LAST_MOMENT) for _ in range(RUNS)]
    codes = []

    def one(place: int) -> None:
        # Each has a file of its own.
        mine = tuple(word.replace("/x.", f"/x{place}.") for word in command)
        code, out, error = signalled(mine, number, moments[place])
        codes.append(code)
        # A signal that comes before or after all that a program can catch ends the process itself.
        assert code in {0, 128 + number, -number}, (code, error)
        assert error == (f"seedbed: error: {ENDS[number]}\n" if code == 128 + number else "")
        assert bool(out) or code != 0
        written = [Path(word) for word in mine if "/x" in word]
        assert all(path.exists() for path in written) or code != 0
        for path in written:
            path.unlink(missing_ok=True)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(one, range(RUNS)))
    assert any(codes)
    assert sorted(model.iterdir()) == before


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_a_signal_while_a_sample_is_written_leaves_nothing(
    number: signal.Signals, tmp_path: Path
) -> None:
    dice = random.Random(str(number))
    codes = []
    for moment in (0.0, *(dice.uniform(0, 0.2) for _ in range(4))):
        command = COMMANDS["sample -o"]
        process = started(*(word.format(tmp_path) for word in command))
        deadline = time.monotonic() + END_SECONDS
        while True:
            has_ended = process.poll() is not None
            if any(tmp_path.iterdir()):
                break
            assert not has_ended and time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(moment)
        process.send_signal(number)
        _, error = process.communicate(timeout=END_SECONDS)
        codes.append(process.returncode)
        # One that comes after all that a program can catch finds the file complete.
        assert process.returncode in {0, 128 + number, -number}
        is_broken_off = process.returncode == 128 + number
        assert error == (f"seedbed: error: {ENDS[number]}\n" if is_broken_off else "")
        file = tmp_path / "x.safetensors"
        assert list(tmp_path.iterdir()) == ([] if is_broken_off else [file])
        file.unlink(missing_ok=True)
    assert 128 + number in codes


@pytest.mark.parametrize("name", COMMANDS)
def test_a_reader_that_has_gone_is_no_error(name: str, model: Path) -> None:
    before = sorted(model.iterdir())
    command = [word.format(model) for word in COMMANDS[name]]
    process = subprocess.Popen(
        [PROGRAM, *command],
        env={**os.environ, "SEEDBED_TARGET": "embedded:"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(END_SECONDS) == 128 + signal.SIGPIPE
    for word in command:
        if "/x." in word:  # it was complete before there was anything to say
            Path(word).unlink()
    assert sorted(model.iterdir()) == before


def test_a_reader_of_a_few_bytes_has_them(model: Path) -> None:
    command = f"{PROGRAM} digest {model}/m.yaml --target embedded: | head -c 10"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert (len(done.stdout), done.stdout[:9], done.stderr) == (10, "xxh3_128:", "")
