"""A tour of seedbed in a minute: two ranks fetch one model from a server and find the same bits.

    python examples/quickstart.py

Starts a server on a free loopback port and two rank processes. Each rank fetches all of GPT-2 small
and, as a sharded job would, its half of every tensor. Then the digests are compared, the halves are
put beside the whole, and a file and a picture are written to ``quickstart-output/``.
"""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import seedbed as sb

MANIFEST = Path(__file__).with_name("gpt2-small.yaml")
OUTPUT = Path("quickstart-output")
RANKS = 2
STEPS = 6


def main() -> int:
    """Run the tour and return the exit code."""
    if sys.argv[1:2] == ["--rank"]:
        run_rank(int(sys.argv[2]), sys.argv[3])
        return 0
    # Ctrl-C and a plain kill both unwind, so that no process is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return tour()
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running")
        return 130


def tour() -> int:
    """Show, step by step, that two ranks get the same model."""
    manifest = sb.Manifest.load(MANIFEST)
    numbers = sum(spec.element_count for spec in manifest.tensors)
    OUTPUT.mkdir(exist_ok=True)

    step(1, "starting a server (its first start compiles kernels, some ten seconds)")
    with server() as (address, startup):
        say(f"{startup}, listening on {address}")

        step(
            2,
            "two ranks, each a process of its own, fetch GPT-2 small: "
            f"{len(manifest)} tensors, {numbers:,} numbers",
        )
        ranks = run_ranks(address)
        for rank, report in enumerate(ranks):
            say(f"rank {rank}: {report['bytes'] / 1e6:,.0f} MB in {report['seconds']:.1f} s")

        step(3, "did they get the same bits?")
        first = ranks[0]["digests"]
        equal = all(report["digests"] == first for report in ranks)
        for name in ("wte.weight", "h.11.mlp.c_proj.weight", "ln_f.bias"):
            say(f"{name:24} {first[name]}")
        say(
            f"{len(first)} of {len(first)} digests are identical on all ranks"
            if equal
            else "THE DIGESTS DIFFER"
        )

        step(4, "is each rank's shard the slice of the whole?")
        shards = all(report["shards_match"] for report in ranks)
        verdict = "equal, bit for bit" if shards else "THEY DIFFER"
        say(f"every tensor in {RANKS} parts along axis 0: {verdict}")

        step(5, "a file for your framework, fetched and verified by the command line")
        file = OUTPUT / "gpt2-small.safetensors"
        written = command("fetch", str(MANIFEST), "-o", str(file), "--force", "--target", address)
        verified = command("verify", str(file), str(MANIFEST), "--target", address)
        say(f"{file}: {file.stat().st_size / 1e6:,.0f} MB" if written else "THE FETCH FAILED")
        say("every tensor of it has the server's digest" if verified else "THE FILE DIFFERS")

        step(6, "a picture: one tensor's histogram against the exact density")
        picture = OUTPUT / "glorot-normal.png"
        arguments = (
            "sample",
            "GlorotNormal",
            "--shape",
            "1024,512",
            "--seed",
            "42",
            "--force",
            "--plot",
            str(picture),
        )
        drawn = command(*arguments, "--target", address)
        say(f"{picture}" if drawn else "THE PICTURE FAILED")

    if not (equal and shards and written and verified and drawn):
        return 1
    print(NEXT)
    return 0


def run_rank(rank: int, address: str) -> None:
    """Be one rank: fetch the model, then this rank's shards, and report on standard output."""
    manifest = sb.Manifest.load(MANIFEST)
    shard = sb.shard(rank, RANKS, axis=0)
    with sb.connect(address) as client:
        started = time.perf_counter()
        model = client.sample_all(manifest)
        seconds = time.perf_counter() - started
        shards = client.sample_all(manifest, slice=shard)
    report = {
        "seconds": seconds,
        "bytes": manifest.size_bytes,
        "digests": {name: str(sb.digest_bytes(array.tobytes())) for name, array in model.items()},
        "shards_match": all(
            array.tobytes() == model[name][shard.of(manifest[name].shape).index].tobytes()
            for name, array in shards.items()
        ),
    }
    print(json.dumps(report))


def run_ranks(address: str) -> list[dict[str, Any]]:
    """Run all ranks at the same time and return their reports."""
    rank = [sys.executable, __file__, "--rank"]
    processes = [
        subprocess.Popen([*rank, str(index), address], stdout=subprocess.PIPE, text=True)
        for index in range(RANKS)
    ]
    try:
        reports = [process.communicate()[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
    if any(process.returncode for process in processes):
        raise SystemExit("a rank failed; its error is above")
    return [json.loads(report) for report in reports]


@contextmanager
def server() -> Iterator[tuple[str, str]]:
    """Run a server; yield its address and how long it took to start."""
    arguments = [
        sys.executable,
        "-m",
        "seedbed_server",
        "--listen",
        "127.0.0.1:0",
        "--lame-duck-seconds",
        "0",
        "--grace-seconds",
        "1",
    ]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    lines: list[str] = []
    try:
        assert process.stderr is not None
        for line in process.stderr:
            lines.append(line)
            if " serving " in line:
                break
        log = "".join(lines)
        address = re.search(r"address=(\S+)", log)
        seconds = re.search(r"start_seconds=(\S+)", log)
        if address is None or seconds is None:
            raise SystemExit(f"the server did not start:\n{log}")
        yield address.group(1), f"ready after {float(seconds.group(1)):.1f} s"
    finally:
        process.terminate()
        try:
            process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def command(*arguments: str) -> bool:
    """Run the ``seedbed`` command line, show it, and return whether it succeeded."""
    say(f"$ seedbed {' '.join(arguments)}")
    command_line = [
        sys.executable,
        "-c",
        "import sys; from seedbed.cli import main; sys.exit(main())",
        *arguments,
    ]
    finished = subprocess.run(command_line, capture_output=True, text=True, check=False)
    if finished.returncode:
        print(finished.stdout + finished.stderr)
    return finished.returncode == 0


def step(number: int, text: str) -> None:
    """Print the headline of a step."""
    print(f"\n[{number}/{STEPS}] {text}", flush=True)


def say(text: str) -> None:
    """Print a line below a headline."""
    print(f"      {text}", flush=True)


NEXT = """
All of it held. Where to go next:

      README.md                      what it is, and the Python API in one page
      .venv/bin/seedbed --help       sample, describe, fetch, digest, verify from the command line
      .venv/bin/seedbed-server       serve your own jobs (docs/operations.md)
      examples/gpt2-small.yaml       a manifest, to copy for your model
      docs/numerics.md               the contract behind the bits
"""


if __name__ == "__main__":
    sys.exit(main())
