"""``seedbed describe``: one tensor, manifests and what fills them, warnings, narrow terminals."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from seedbed.cli import main
from seedbed.reports.fitted_table import text_width
from tests.command_line import (
    NAMES,
    PROGRAM,
    printed_json,
)


def in_a_terminal(arguments: list[str], columns: int, encoding: str) -> str:
    """Return what a command prints into a terminal of so many columns."""
    main_end, command_end = pty.openpty()
    fcntl.ioctl(command_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    finished = subprocess.Popen(
        [PROGRAM, *arguments],
        stdout=command_end,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )
    os.close(command_end)
    output = b""
    with suppress(OSError):  # so a terminal says that nobody writes to it any more
        while data := os.read(main_end, 65536):
            output += data
    os.close(main_end)
    assert finished.wait() == 0
    return output.decode(encoding)


def test_an_initializer_is_described_with_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "GlorotUniform", "--shape", "3,3,64,32", "--dtype", "bfloat16"]) == 0
    text = capsys.readouterr().out
    assert "in 576, out 288" in text
    assert "36,864 (36.0 KiB)" in text
    assert "uniform on [" in text


def test_a_manifest_is_described_with_its_total(
    manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", manifest]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in NAMES)
    assert "5 tensors, 89 numbers, 236 bytes" in text
    assert main(["describe", manifest, "--json"]) == 0
    document = printed_json(capsys)
    assert [tensor["name"] for tensor in document["tensors"]] == NAMES
    assert document["total"] == {"tensors": 5, "elements": 89, "size_bytes": 236}


def test_a_tensor_too_large_for_any_memory_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "GlorotUniform", "--shape", "1048576,1048576", "--json"]) == 0
    assert printed_json(capsys)["tensors"][0]["size_bytes"] == 2**42


def test_a_manifest_is_described_with_initializers_rules_seeds_and_fans(
    manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["describe", manifest, "--json"]) == 0
    document = printed_json(capsys)
    tensors = {each["name"]: each for each in document["tensors"]}
    kernel = tensors["dense.kernel"]
    assert kernel["initializer"] == {"class_name": "GlorotUniform", "config": {}}
    assert (kernel["rule"], kernel["seed"], kernel["draw"]) == (None, 3, 0)
    assert (kernel["fan_in"], kernel["fan_out"], kernel["fan_axes"]) == (6, 4, None)
    assert tensors["dense.bias"]["rule"] == "*.bias"
    assert document["warnings"] == []
    assert main(["describe", manifest]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.startswith("dense.kernel ")]
    shown = ["dense.kernel", "6,4", "float32", "GlorotUniform", "(its own)", "3", "6, 4", "96"]
    assert re.split("  +", row)[:8] == shown


def test_rules_that_fill_nothing_are_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text(
        "seedbed_manifest: 1\nseed: 1\ndtype: float32\nrules:\n  '*.w': ones\n"
        "  'a.*': zeros\n  '*': ones\ntensors: {a.w: [2], b.w: [2]}\n"
    )
    assert main(["describe", "m.yaml"]) == 0
    text = "rules[1], 'a.*', fills nothing: its tensors are filled by '*.w'"
    assert capsys.readouterr().err == f"seedbed: warning: m.yaml: {text}\n"
    assert main(["describe", "m.yaml", "--json"]) == 0
    assert printed_json(capsys)["warnings"] == [text]
    for command in (["fetch", "m.yaml", "-o", "m.safetensors"], ["digest", "m.yaml"]):
        assert main(command) == 0
        assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("columns", "encoding"),
    [(20, "utf-8"), (40, "utf-8"), (80, "utf-8"), (80, "ascii"), (120, "utf-8"), (200, "utf-8")],
)
def test_a_terminals_width_is_kept(columns: int, encoding: str) -> None:
    name = "model.decoder.layers.11.self_attention.query_projection.weight"
    Path("m.yaml").write_text(
        "seedbed_manifest: 1\nseed: 1\ndtype: float32\nrules: {'*': he_normal}\n"
        f'tensors: {{{name}: [2, 3], "重み.🌱": [4, 4], b: {{shape: [2], initializer: ones}}}}\n'
    )
    output = in_a_terminal(["describe", "m.yaml"], columns, encoding)
    lines = output.splitlines()
    assert max(map(text_width, lines)) <= columns
    assert re.fullmatch("[- ]+", lines[1])
    first, second, third = lines[2:5]
    assert first.startswith("model.d") and third.split()[0] == "b"
    assert name in first if columns == 200 else ("…" if encoding == "utf-8" else "...") in first
    if encoding == "utf-8":
        assert second.startswith("重み.🌱")
    if columns >= 40:
        assert " 2,3" in first and " 4,4" in second
    if columns >= 80:
        assert all("HeNormal" in line for line in (first, second)) and "Ones" in third
        assert "float32" in (first if columns == 200 else lines[6])


def test_each_error_of_a_manifest_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    Path("m.yaml").write_text("seedbed_manifest: 1\nsede: 1\ndtype: float32\ntensors:\n  w: [-1]\n")
    assert main(["describe", "m.yaml"]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("seedbed: error: m.yaml:2: `sede` must be a key of a manifest: ")
    assert first.endswith("; did you mean 'seed'?")
    assert second.startswith("seedbed: error: m.yaml:5: tensors.w: `shape[0]` must be 0 or more")
