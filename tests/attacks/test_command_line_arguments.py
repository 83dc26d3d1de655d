"""Hostile command lines end with exit code 1 or 2 and one line that says why, no traceback."""

import os
import subprocess
from pathlib import Path

import pytest

from seedbed.cli import main
from tests.command_line import PROGRAM

RUN_SECONDS = 300
# A message quotes a path whole, but nothing else.
MAX_LINE = 6000

HUGE = str(10**100)
MANIFEST = (
    "seedbed_manifest: 1\nseed: 1\ndtype: float32\n"
    "rules:\n  - {match: '*', initializer: ones}\ntensors:\n"
)

FILES: dict[str, bytes] = {
    "good.yaml": (MANIFEST + "  w: [4, 3]\n").encode(),
    "good.safetensors": b"\x40\0\0\0\0\0\0\0"
    + b'{"w":{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]}}'.ljust(64)
    + bytes(48),
    "empty.yaml": b"",
    "empty.json": b"",
    "no_tensors.yaml": b"seedbed_manifest: 1\n",
    "null.yaml": b"null\n",
    "list.yaml": b"- 1\n- 2\n",
    "number.json": b"1",
    "broken.yaml": b"seedbed_manifest: [1\ntensors: {\n",
    "broken.json": b'{"seedbed_manifest": 1,',
    "tabs.yaml": b"tensors:\n\tw: [1]\n",
    "duplicate.yaml": (MANIFEST + "  w: [4]\n  w: [5]\n").encode(),
    "duplicate.json": b'{"seedbed_manifest": 1, "seedbed_manifest": 1, "tensors": {}}',
    "garbage.yaml": bytes(range(256)) * 16,
    "garbage.json": b"\xff\xfe\x00\x01" * 1000,
    "zeros.yaml": bytes(4096),
    "tag.yaml": b"!!python/object/apply:os.system ['touch owned']\n",
    "bomb.yaml": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(
        b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9))
        for c in range(ord("b"), ord("k"))
    ),
    "deep.json": b"[" * 100_000,
    "deep.yaml": b"[" * 20_000,
    "cycle.yaml": b"seedbed_manifest: 1\ntensors: &t {w: *t}\n",
    "version.yaml": b"seedbed_manifest: 2\ntensors: {}\n",
    "numerics.yaml": b"seedbed_manifest: 1\nnumerics: seedbed-999\ntensors: {}\n",
    "unknown_key.yaml": (MANIFEST + "  w: {shape: [4], color: red}\n").encode(),
    "negative.yaml": (MANIFEST + "  w: [-4]\n").encode(),
    "huge.yaml": (MANIFEST + f"  w: [{HUGE}]\n").encode(),
    "digits.json": b'{"seedbed_manifest": 1, "tensors": {"w": [' + b"9" * 5000 + b"]}}",
    "nan.yaml": (MANIFEST + "  w: [.nan]\n").encode(),
    "no_seed.yaml": b"seedbed_manifest: 1\ndtype: float32\n"
    b"tensors: {w: {shape: [4], initializer: glorot_uniform}}\n",
    "no_rule.yaml": b"seedbed_manifest: 1\nseed: 1\ndtype: float32\ntensors: {w: [4]}\n",
    "terabytes.yaml": (MANIFEST + "  w: [1048576, 1048576]\n").encode(),
    "reserved.yaml": (MANIFEST + "  __metadata__: [4]\n").encode(),
    "empty.safetensors": b"",
    "short.safetensors": b"\x10\0\0",
    "long_header.safetensors": b"\xff" * 8 + b"{}",
    "garbage.safetensors": b"\x08\0\0\0\0\0\0\0" + b"\xff" * 64,
    "not_json.safetensors": b"\x08\0\0\0\0\0\0\0" + b"nonsense",
    "list.safetensors": b"\x08\0\0\0\0\0\0\0" + b"[1, 2]  ",
    "negative.safetensors": b"\x40\0\0\0\0\0\0\0"
    + b'{"w":{"dtype":"F32","shape":[4,3],"data_offsets":[-8,40]}}'.ljust(64),
    "beyond.safetensors": b"\x40\0\0\0\0\0\0\0"
    + b'{"w":{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]}}'.ljust(64)
    + b"x",
}

FETCH = ("fetch", "good.yaml", "-o")
SAMPLE = ("sample", "GlorotUniform", "--shape", "4,3")
MANIFEST_ARGUMENTS: dict[str, tuple[str, ...]] = {
    name: ("describe", name)
    for name in FILES
    if name.endswith((".yaml", ".json")) and not name.startswith("good")
}
# Manifests that can be described, and are refused by the command that would write them.
for name in ("terabytes.yaml", "reserved.yaml"):
    MANIFEST_ARGUMENTS[name] = ("fetch", name, "-o", "out.safetensors")
FILE_ARGUMENTS = {
    name: ("verify", name, "good.yaml")
    for name in FILES
    if name.endswith(".safetensors") and not name.startswith("good")
}

CASES: dict[str, tuple[str, ...]] = {
    **MANIFEST_ARGUMENTS,
    **FILE_ARGUMENTS,
    "no command": (),
    "unknown command": ("explode",),
    "unknown option": (*SAMPLE, "--frobnicate"),
    "option without a value": ("sample", "GlorotUniform", "--shape"),
    "surplus argument": (*SAMPLE, "surplus"),
    "line breaks and escapes": (
        "sample",
        "Glorot\n\x1b[2JUniform\r\nseedbed: error: x",
        "--shape",
        "4",
    ),
    "a megabyte of name": ("sample", "x" * 100_000, "--shape", "4"),
    "a surrogate": ("sample", "\udcff", "--shape", "4"),
    "a surrogate as a tensor's name": (*SAMPLE, "--name", "\udcff"),
    "a long path as a manifest": ("describe", "x" * 5000 + ".yaml"),
    "a long path without a suffix": ("describe", "x" * 5000),
    "a long path as an output": (*SAMPLE, "-o", "x" * 5000 + ".npy"),
    "a long name as an output": (*SAMPLE, "-o", "x" * 250 + ".npy"),
    # Shapes.
    "no shape": ("sample", "GlorotUniform"),
    "a shape of words": ("sample", "Ones", "--shape", "a,b"),
    "a shape with a hole": ("sample", "Ones", "--shape", "4,,3"),
    "a negative dimension": ("sample", "Ones", "--shape=-1,4"),
    "a fractional dimension": ("sample", "Ones", "--shape", "4.5"),
    "a dimension of 10**100": ("sample", "Ones", "--shape", HUGE),
    "a dimension of 2**63": ("sample", "Ones", "--shape", str(2**63)),
    "a dimension of 5000 digits": ("sample", "Ones", "--shape", "9" * 5000),
    "a product beyond 2**63": ("sample", "Ones", "--shape", "4294967296,4294967296"),
    "33 axes": ("sample", "Ones", "--shape", ",".join(["1"] * 33)),
    "10,000 axes": ("sample", "Ones", "--shape", ",".join(["1"] * 10_000)),
    "digits of another script": ("sample", "Ones", "--shape", "\u0664,\u0663"),
    "4 TiB in memory": ("sample", "GlorotUniform", "--shape", "1048576,1048576"),
    "4 TiB in a file": ("sample", "GlorotUniform", "--shape", "1048576,1048576", "-o", "out.npy"),
    "4 EiB in memory": ("sample", "Ones", "--shape", "1073741824,1073741824", "--dtype", "float32"),
    "an orthogonal of 4 TiB": ("sample", "Orthogonal", "--shape", "1048576,1048576"),
    "an orthogonal vector": ("sample", "Orthogonal", "--shape", "4"),
    "an identity of three axes": ("sample", "Identity", "--shape", "4,3,2"),
    "a large memory for one row": (
        "sample",
        "Orthogonal",
        "--shape",
        "1048576,1048576",
        "--slice",
        "0:1",
    ),
    # What fills it.
    "an unknown initializer": ("sample", "GlorotUnifrom", "--shape", "4"),
    "an empty initializer": ("sample", "", "--shape", "4"),
    "an unknown dtype": (*SAMPLE, "--dtype", "float33"),
    "an empty dtype": (*SAMPLE, "--dtype", " "),
    "a random integer": (*SAMPLE, "--dtype", "int8"),
    "a constant out of range": (
        "sample",
        "Constant",
        "--shape",
        "4",
        "--dtype",
        "int8",
        "--param",
        "value=300",
    ),
    "an unknown parameter": (*SAMPLE, "--param", "stddev=1"),
    "a parameter without a value": ("sample", "RandomNormal", "--shape", "4", "--param", "stddev"),
    "a parameter of nothing": ("sample", "RandomNormal", "--shape", "4", "--param", "="),
    "a parameter given twice": (
        "sample",
        "RandomNormal",
        "--shape",
        "4",
        "--param",
        "mean=1",
        "--param",
        "mean=2",
    ),
    "a parameter named seed": ("sample", "RandomNormal", "--shape", "4", "--param", "seed=1"),
    "a parameter of words": ("sample", "RandomNormal", "--shape", "4", "--param", "stddev=wide"),
    "NaN as a parameter": ("sample", "RandomNormal", "--shape", "4", "--param", "stddev=nan"),
    "infinity as a parameter": ("sample", "RandomNormal", "--shape", "4", "--param", "mean=inf"),
    "minus infinity as a bound": (
        "sample",
        "RandomUniform",
        "--shape",
        "4",
        "--param",
        "minval=-inf",
    ),
    "1e999 as a parameter": ("sample", "RandomNormal", "--shape", "4", "--param", "stddev=1e999"),
    "10**100 as a parameter": (
        "sample",
        "RandomNormal",
        "--shape",
        "4",
        "--param",
        f"stddev={HUGE}",
    ),
    "a negative stddev": ("sample", "RandomNormal", "--shape", "4", "--param", "stddev=-1"),
    "bounds the wrong way round": (
        "sample",
        "RandomUniform",
        "--shape",
        "4",
        "--param",
        "minval=9",
    ),
    "an unknown mode": (
        "sample",
        "VarianceScaling",
        "--shape",
        "4",
        "--param",
        "mode=fan_sideways",
    ),
    "a scale of zero": ("sample", "VarianceScaling", "--shape", "4", "--param", "scale=0"),
    "a seed of words": (*SAMPLE, "--seed", "lucky"),
    "a seed of -(2**64)": (*SAMPLE, f"--seed=-{2**64}"),
    "a seed of 2**64": (*SAMPLE, "--seed", str(2**64)),
    "a seed of 5000 digits": (*SAMPLE, "--seed", "9" * 5000),
    "a negative draw": (*SAMPLE, "--draw=-1"),
    "a draw of 10**100": (*SAMPLE, "--draw", HUGE),
    "a name of 1025 bytes": (*SAMPLE, "--name", "x" * 1025),
    "an axis out of range": (*SAMPLE, "--in-axis", "7"),
    "an axis given twice": (*SAMPLE, "--in-axis", "0", "--out-axis", "0"),
    "an axis of words": (*SAMPLE, "--out-axis", "last"),
    # Parts.
    "a slice of words": (*SAMPLE, "--slice", "all"),
    "a slice with a step": (*SAMPLE, "--slice", "0:4:2"),
    "a negative slice": (*SAMPLE, "--slice=-2:-1"),
    "a slice backwards": (*SAMPLE, "--slice", "3:1"),
    "a slice beyond the end": (*SAMPLE, "--slice", "0:5"),
    "a slice that starts beyond the end": (*SAMPLE, "--slice", "9:"),
    "a slice with too many axes": (*SAMPLE, "--slice", "0:1,0:1,0:1"),
    "a slice of 10**100": (*SAMPLE, "--slice", f"0:{HUGE}"),
    "an empty slice": (*SAMPLE, "--slice", ""),
    "a slice and a shard": (*SAMPLE, "--slice", "0:1", "--shard", "0/2"),
    "a shard of words": (*SAMPLE, "--shard", "first"),
    "a shard without a count": (*SAMPLE, "--shard", "1"),
    "a shard of none": (*SAMPLE, "--shard", "0/0"),
    "a shard beyond the count": (*SAMPLE, "--shard", "4/4"),
    "a negative shard": (*SAMPLE, "--shard=-1/4"),
    "a shard of an axis that is not there": (*SAMPLE, "--shard", "0/2:9"),
    "a shard of a scalar": ("sample", "Ones", "--shape", "()", "--shard", "0/2"),
    "a manifest with a bad shard": ("digest", "good.yaml", "--shard", "2/2"),
    "a manifest with a slice": ("digest", "good.yaml", "--slice", "0:1"),
    "a manifest with a shape": ("digest", "good.yaml", "--shape", "4"),
    "a manifest described in shards": ("describe", "good.yaml", "--shard", "0/2"),
    "an unknown algorithm": ("digest", *SAMPLE[1:], "--algorithm", "md5"),
    # Files.
    "a missing manifest": ("fetch", "missing.yaml", "-o", "out.safetensors"),
    "a missing manifest to describe": ("describe", "missing.json"),
    "a folder as a manifest": ("describe", "folder"),
    "a folder with a suffix": ("fetch", "folder.yaml", "-o", "out.safetensors"),
    "a device as a manifest": ("digest", "/dev/zero"),
    "a missing file": ("verify", "missing.safetensors", "good.yaml"),
    "a folder as a file": ("verify", "folder", "good.yaml"),
    "a device as a file": ("verify", "/dev/zero", "good.yaml"),
    "a file with other content": ("verify", "good.safetensors", "good.yaml"),
    "a manifest as a file": ("verify", "good.yaml", "good.yaml"),
    "a file as a manifest": ("verify", "good.safetensors", "good.safetensors"),
    "no output": ("fetch", "good.yaml"),
    "an empty output": ("fetch", "good.yaml", "-o", ""),
    "an empty output with a size": ("fetch", "good.yaml", "-o", "", "--max-shard-size", "1GB"),
    "an output of another format to fetch": ("fetch", "good.yaml", "-o", "out.bin"),
    "a file of a limited size": (*FETCH, "out.safetensors", "--max-shard-size", "1GB"),
    "a folder that is a file": (*FETCH, "good.yaml", "--max-shard-size", "1GB"),
    "a folder below a file": (*FETCH, "good.yaml/out"),
    "a folder that cannot be made": (*FETCH, "/proc/out"),
    **{
        f"a size of {size!r}": (*FETCH, "out", "--max-shard-size", size)
        for size in ("", "0", "0.1B", "-1GB", "5 giga", "5G", "GB", "1e9", "inf", "9" * 99)
    },
    "an output without a suffix": (*SAMPLE, "-o", "out"),
    "an output of another format": (*SAMPLE, "-o", "out.pickle"),
    "an output that is only a suffix": (*SAMPLE, "-o", ".npy"),
    "a folder as an output": (*SAMPLE, "-o", "folder.npy"),
    "a folder as a plot": (*SAMPLE, "--plot", "folder.png"),
    "an output in a missing folder": (*SAMPLE, "-o", "missing/out.npy"),
    "an output below a file": (*SAMPLE, "-o", "good.yaml/out.npy"),
    "an output below a file to fetch": ("fetch", "good.yaml", "-o", "good.yaml/out.safetensors"),
    "an output that cannot be written": (*SAMPLE, "-o", "/proc/out.npy"),
    "a fetch that cannot be written": ("fetch", "good.yaml", "-o", "/proc/out.safetensors"),
    "a plot that cannot be written": (*SAMPLE, "--plot", "/proc/out.png"),
    "a plot of another format": (*SAMPLE, "--plot", "out.exe"),
    "a plot and an output in one": (*SAMPLE, "-o", "out.npy", "--plot", "out.npy"),
    "npy for bfloat16": (*SAMPLE, "--dtype", "bfloat16", "-o", "out.npy"),
    "npy for float8": (*SAMPLE, "--dtype", "float8_e5m2", "-o", "out.npy"),
    "an unknown nonlinearity": (
        "sample",
        "KaimingNormal",
        "--shape",
        "4,4",
        "--param",
        "nonlinearity=gelu",
    ),
    # Targets.
    "an unknown scheme": ("info", "--target", "ftp://127.0.0.1:1"),
    "an unknown scheme without slashes": (
        "info",
        "--target",
        "carrier-pigeon:coop",
        "--patience-seconds",
        "0",
    ),
    "an empty target": ("info", "--target", ""),
    "a target without a port": ("info", "--target", "127.0.0.1", "--patience-seconds", "0"),
    "a port of 99999": ("info", "--target", "127.0.0.1:99999", "--patience-seconds", "0"),
    "a port of words": ("info", "--target", "127.0.0.1:http", "--patience-seconds", "0"),
    "a socket that is not there": (
        "info",
        "--target",
        "unix:///nonexistent/socket",
        "--patience-seconds",
        "0",
    ),
    "line breaks as a target": ("info", "--target", "127.0.0.1:1\nx"),
    "a surrogate as a target": ("info", "--target", "\udcff:1"),
    "embedded with a rest": ("info", "--target", "embedded:gpu", "--patience-seconds", "0"),
    "a timeout of words": ("info", "--timeout-seconds", "soon"),
    "a timeout of zero": ("info", "--timeout-seconds", "0"),
    "a negative timeout": ("info", "--timeout-seconds=-1"),
    "a timeout of NaN": ("info", "--timeout-seconds", "nan"),
    "an infinite timeout": ("info", "--timeout-seconds", "inf"),
    "a patience of words": ("info", "--patience-seconds", "long"),
    "a negative patience": ("info", "--patience-seconds=-1"),
    "a patience of NaN": ("info", "--patience-seconds", "nan"),
    "an infinite patience": ("info", "--patience-seconds", "inf"),
    "a patience of many digits": ("info", "--patience-seconds", "9" * 5000),
}
# Some of them once more in a process of its own.
IN_A_PROCESS = (
    "broken.yaml",
    "tag.yaml",
    "a surrogate",
    "4 TiB in memory",
    "deep.yaml",
    "a surrogate as a target",
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in a folder with hostile files, with the embedded engine as the default target."""
    monkeypatch.delenv("SEEDBED_TARGET", raising=False)
    monkeypatch.delenv("SEEDBED_TRACEBACK", raising=False)
    monkeypatch.chdir(tmp_path)
    for name, content in FILES.items():
        Path(name).write_bytes(content)
    for name in ("folder", "folder.yaml", "folder.npy", "folder.png"):
        Path(name).mkdir()
    return tmp_path


def check_refusal(code: int, out: str, error: str) -> None:
    """Check that a refusal is an exit code and one short line that is no bug's."""
    assert code in {1, 2}, (code, out, error)
    assert error.startswith("seedbed: error: ") and error.endswith("\n"), error
    assert len(error.splitlines()) == 1, error
    assert len(error) <= MAX_LINE, len(error)
    assert all(character.isprintable() for character in error.rstrip("\n")), error
    assert "internal error" not in error, error
    assert "Traceback" not in error + out


@pytest.mark.parametrize("arguments", CASES.values(), ids=CASES.keys())
def test_a_hostile_command_line_is_one_line_and_a_code(
    arguments: tuple[str, ...], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    code = main(list(arguments))
    printed = capsys.readouterr()
    check_refusal(code, printed.out, printed.err)
    assert sorted(folder.rglob("*")) == before, "something was left behind"


@pytest.mark.parametrize("name", IN_A_PROCESS)
def test_a_process_ends_the_same_way(name: str, folder: Path) -> None:
    arguments = [os.fsencode(argument) for argument in CASES[name]]
    finished = subprocess.run(
        [os.fsencode(PROGRAM), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    check_refusal(finished.returncode, finished.stdout, finished.stderr)
    assert not (folder / "owned").exists()
