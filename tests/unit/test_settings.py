"""One declaration of a setting makes its flag, its variable, its errors, its help and its docs."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from seedbed.spec.info import Limits
from seedbed_server.cli import read_arguments
from seedbed_server.settings import SETTINGS, Settings
from tools import write_settings

# For each setting: its texts, and its value.
EXAMPLES: dict[str, tuple[list[str], Any]] = {
    "listen": (["[::1]:0", "unix:///run/s.sock"], ("[::1]:0", "unix:///run/s.sock")),
    "unix_mode": (["660"], 0o660),
    "tls_cert": (["server.crt"], Path("server.crt")),
    "tls_key": (["/run/server.key"], Path("/run/server.key")),
    "tls_client_ca": (["ca.crt"], Path("ca.crt")),
    "device": (["gpu:1"], "gpu:1"),
    "threads": (["3"], 3),
    "workers": (["2"], 2),
    "chunk_bytes": (["65536"], 65536),
    "max_inflight_bytes": (["8 MiB"], 8388608),
    "max_working_bytes": (["64KiB"], 65536),
    "max_request_cost_seconds": (["0.5"], 0.5),
    "stream_idle_seconds": (["3"], 3.0),
    "max_stream_seconds": (["86400"], 86400.0),
    "window_bytes": (["0"], 0),
    "shared_memory_dir": (["/dev/shm/x"], Path("/dev/shm/x")),
    "shared_memory_mode": (["640"], 0o640),
    "max_shared_memory_bytes": (["1"], 1),
    "shared_memory_idle_seconds": (["0"], 0.0),
    "metrics_listen": (["localhost:9464"], "localhost:9464"),
    "lame_duck_seconds": (["2"], 2.0),
    "grace_seconds": (["1e1"], 10.0),
    "reflection": (["false"], False),
    "log_level": (["debug"], "debug"),
    "log_format": (["json"], "json"),
    "max_request_message_bytes": (["1024"], 1024),
    "max_tensors_per_request": (["7"], 7),
    "max_tensor_bytes": (["9223372036854775807"], 2**63 - 1),
    "max_request_bytes": (["9"], 9),
    "max_orthogonal_elements": (["10"], 10),
    "max_chunk_bytes": (["16"], 16),
    "max_concurrent_streams": (["11"], 11),
}
# A text that a setting refuses, and part of what it says.
BAD = {
    "listen": ("localhost", "host:port"),
    "device": ("tpu", "auto, cpu, gpu or gpu:N"),
    "threads": ("0", "from 1 to"),
    "workers": ("1025", "from 1 to 1024"),
    "chunk_bytes": ("15", "from 16 to 4190208"),
    "max_inflight_bytes": ("0", "from 1 to"),
    "max_working_bytes": ("0", "from 1 to"),
    "stream_idle_seconds": ("nan", "from 0 to 86400"),
    "window_bytes": ("-1", "from 0 to"),
    "shared_memory_mode": ("777", "600, 640 or 644"),
    "max_shared_memory_bytes": ("1 GB", "such as 65536 or 64 MiB"),
    "unix_mode": ("644", "600, 660 or 666"),
    "metrics_listen": ("unix:///run/m.sock", "host:port or [ipv6]:port"),
    "reflection": ("maybe", "true, false, 1 or 0"),
    "log_format": ("xml", "text or json"),
    "max_request_message_bytes": ("2147483648", "from 1 to 2147483647"),
    "max_tensor_bytes": ("9223372036854775808", "from 1 to 9223372036854775807"),
    "max_request_bytes": ("8388608 TiB", "from 1 to 9223372036854775807"),
}


def flags(name: str, texts: list[str]) -> list[str]:
    """Return the words of a command line that sets one setting."""
    flag = "--" + name.replace("_", "-")
    if name == "reflection":
        return [flag if texts == ["true"] else flag.replace("--", "--no-")]
    return [word for text in texts for word in (flag, text)]


def settings_of(*arguments: str, **environment: str) -> Settings:
    return read_arguments(arguments, environment)[0]


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str, **environment: str) -> str:
    with pytest.raises(SystemExit) as caught:
        settings_of(*arguments, **environment)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


def test_every_setting_has_an_example() -> None:
    assert [each.name for each in SETTINGS] == list(EXAMPLES)


def test_without_a_source_the_settings_are_the_defaults() -> None:
    assert settings_of() == Settings()
    assert Settings().limits == Limits()


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_flag_sets_its_setting_alone(name: str) -> None:
    texts, value = EXAMPLES[name]
    assert settings_of(*flags(name, texts)) == Settings(**{name: value})


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_variable_sets_its_setting_alone(name: str) -> None:
    texts, value = EXAMPLES[name]
    variable = {f"SEEDBED_{name.upper()}": ", ".join(texts)}
    assert settings_of(**variable) == Settings(**{name: value})


def test_a_flag_goes_before_a_variable_even_a_bad_one() -> None:
    assert settings_of("--threads", "2", SEEDBED_THREADS="3").threads == 2
    assert settings_of("--listen", "a:1", SEEDBED_LISTEN="b:2,c:3").listen == ("a:1",)
    assert settings_of("--reflection", SEEDBED_REFLECTION="0").reflection is True
    assert settings_of("--threads", "2", SEEDBED_THREADS="none").threads == 2


def test_an_empty_variable_sets_nothing() -> None:
    assert settings_of(SEEDBED_LISTEN="", SEEDBED_THREADS="") == Settings()


def test_a_flag_with_a_comma_is_one_path() -> None:
    assert settings_of("--listen", "unix:///a,b").listen == ("unix:///a,b",)


@pytest.mark.parametrize("name", BAD)
def test_an_error_names_the_flag_or_the_variable(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    text, allowed = BAD[name]
    flag, variable = "--" + name.replace("_", "-"), f"SEEDBED_{name.upper()}"
    said = error_of(capsys, **{variable: text})
    assert said.startswith(f"seedbed-server: error: ${variable} must be ")
    assert allowed in said
    assert said.endswith(f"Received: {text!r}")
    if name != "reflection":  # its flags take no value
        assert error_of(capsys, f"{flag}={text}") == said.replace(f"${variable}", flag)


def test_the_help_tells_every_default_once_and_as_people_write_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as caught:
        settings_of("--help")
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert text.count("(default: ") == len(SETTINGS)
    assert "(default: 512 MiB)" in text
    assert "everyone (default: 600)" in text
    assert argparse.SUPPRESS not in text
    assert "None" not in text


def test_every_limit_that_the_contract_does_not_set_is_a_setting() -> None:
    limits = {field.name for field in fields(Limits)} - {
        "max_rank",
        "max_name_bytes",
        "max_small_tensor_bytes",
    }
    assert limits <= {each.name for each in SETTINGS}
    values: dict[str, Any] = dict.fromkeys(limits, 17)
    assert Settings(**values).limits == Limits(**values)


def test_the_docs_table_is_the_declarations() -> None:
    page = write_settings.PAGE.read_text(encoding="utf-8")
    assert page == write_settings.with_table(page), "run python tools/write_settings.py"


def test_a_page_without_the_table_is_refused() -> None:
    with pytest.raises(ValueError, match="no table"):
        write_settings.with_table("## Settings\n\nNone.\n")
