"""One declaration of a setting makes its flag, variable, key, errors, help and docs."""

import argparse
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from seedbed.spec.info import Limits
from seedbed_server.cli import main, read_arguments
from seedbed_server.settings import SETTINGS, Settings
from seedbed_server.settings.sources import CONFIG_VARIABLE, OTHER_VARIABLES
from tools import write_settings

# For each setting: its texts, and its value.
EXAMPLES: dict[str, tuple[list[str], Any]] = {
    "listen": (["[::1]:0", "unix:///run/s.sock"], ("[::1]:0", "unix:///run/s.sock")),
    "unix_mode": (["660"], 0o660),
    "tls_cert": (["/run/server.crt"], Path("/run/server.crt")),
    "tls_key": (["/run/server.key"], Path("/run/server.key")),
    "tls_client_ca": (["/run/ca.crt"], Path("/run/ca.crt")),
    "insecure": (["true"], True),
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
    "admin_listen": (["localhost:9464"], "localhost:9464"),
    "lame_duck_seconds": (["2"], 2.0),
    "grace_seconds": (["1e1"], 10.0),
    "tokens": (["/run/tokens"], Path("/run/tokens")),
    "policy": (["/run/policy.yaml"], Path("/run/policy.yaml")),
    "reflection": (["false"], False),
    "log_level": (["debug"], "debug"),
    "log_format": (["json"], "json"),
    "tracing": (["true"], True),
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
    "max_stream_seconds": ("0", "more than 0, and at most 86400"),
    "grace_seconds": ("1_0", "from 0 to 86400"),
    "lame_duck_seconds": ("\u0663", "from 0 to 86400"),
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
    "admin_listen": ("unix:///run/m.sock", "host:port or [ipv6]:port"),
    "reflection": ("maybe", "true, false, 1 or 0"),
    "log_format": ("xml", "text or json"),
    "max_request_message_bytes": ("2147483648", "from 1 to 2147483647"),
    "max_tensor_bytes": ("9223372036854775808", "from 1 to 9223372036854775807"),
    "max_request_bytes": ("8388608 TiB", "from 1 to 9223372036854775807"),
}


def flags(name: str, texts: list[str]) -> list[str]:
    """Return the words of a command line that sets one setting."""
    flag = "--" + name.replace("_", "-")
    if isinstance(EXAMPLES[name][1], bool):
        return [flag if texts == ["true"] else flag.replace("--", "--no-")]
    return [word for text in texts for word in (flag, text)]


def settings_of(*arguments: str, **environment: str) -> Settings:
    return read_arguments(arguments, environment).settings


def errors_of(capsys: pytest.CaptureFixture[str], *arguments: str, **environment: str) -> list[str]:
    with pytest.raises(SystemExit) as caught:
        settings_of(*arguments, **environment)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()


def error_of(capsys: pytest.CaptureFixture[str], *arguments: str, **environment: str) -> str:
    (said,) = errors_of(capsys, *arguments, **environment)
    return said


def config(folder: Path, text: str) -> str:
    path = folder / "seedbed.yaml"
    path.write_text(text)
    return str(path)


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
    assert f"Received: {text!r}" in said
    if name != "reflection":  # its flags take no value
        assert error_of(capsys, f"{flag}={text}") == said.replace(f"${variable}", flag)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_key_of_the_file_sets_its_setting_alone(tmp_path: Path, name: str) -> None:
    texts, value = EXAMPLES[name]
    file = config(tmp_path, f"{name}: {texts if len(texts) > 1 else texts[0]}\n")
    assert settings_of("--config", file) == Settings(**{name: value})
    assert settings_of(SEEDBED_CONFIG=file) == Settings(**{name: value})


def test_a_flag_goes_before_a_variable_and_both_before_the_file(tmp_path: Path) -> None:
    file = config(tmp_path, "threads: 4\nworkers: 4\nchunk_bytes: 32\nlisten: a:1\n")
    environment = {"SEEDBED_THREADS": "3", "SEEDBED_WORKERS": "3", "SEEDBED_CONFIG": file}
    found = settings_of("--threads", "2", **environment)
    assert found == Settings(listen=("a:1",), threads=2, workers=3, chunk_bytes=32)


def test_the_flag_names_the_file_before_the_variable(tmp_path: Path) -> None:
    file = config(tmp_path, "threads: 4\n")
    assert settings_of("--config", file, SEEDBED_CONFIG="/none").threads == 4


def test_a_key_without_a_value_sets_nothing(tmp_path: Path) -> None:
    assert settings_of("--config", config(tmp_path, "threads:\nlisten:\n")) == Settings()


def test_a_relative_path_begins_from_the_folder_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "etc").mkdir()
    config(tmp_path / "etc", "shared_memory_dir: shm\n")
    monkeypatch.chdir(tmp_path)
    found = settings_of("--config", "etc/seedbed.yaml")
    assert found.shared_memory_dir == tmp_path / "etc" / "shm"
    assert settings_of("--shared-memory-dir", "shm").shared_memory_dir == tmp_path / "shm"


def test_the_file_in_the_docs_is_read(tmp_path: Path) -> None:
    page = write_settings.PAGE.read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.*?)```", page.partition("## Configuration")[2], re.DOTALL)[:1]
    found = settings_of("--config", config(tmp_path, text))
    assert found.max_inflight_bytes == 2**30
    assert found.shared_memory_dir == tmp_path / "shm"


WRONG = """\
treads: 4
Workers: 2
max-tensor-bytes: 5
nonsense: 1
threads: [1, 2]
grace_seconds: {a: 1}
listen: []
workers: -3
log_format: xml
"""


def test_all_that_is_wrong_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = config(tmp_path, WRONG)
    said = errors_of(
        capsys, "--config", file, "--device=tpu", SEEDBED_TREADS="4", SEEDBED_GRACE_SECONDS="x"
    )
    assert all(line.startswith("seedbed-server: error: ") for line in said)
    assert sorted(line.removeprefix("seedbed-server: error: ") for line in said) == sorted(
        [
            "$SEEDBED_TREADS is no setting; did you mean $SEEDBED_THREADS?",
            f"{file}:treads is no setting; did you mean 'threads'?",
            f"{file}:Workers is no setting; did you mean 'workers'?",
            f"{file}:max-tensor-bytes is no setting; did you mean 'max_tensor_bytes'?",
            f"{file}:nonsense is no setting",
            f"{file}:threads must be one value. Received a list",
            f"{file}:grace_seconds must be a value",
            f"{file}:listen must be a value, or a list of them",
            f"{file}:workers must be an integer from 1 to 1024. Received: '-3'",
            f"{file}:log_format must be text or json. Received: 'xml'",
            "$SEEDBED_GRACE_SECONDS must be from 0 to 86400. Received: 'x'",
            "--device must be auto, cpu, gpu or gpu:N. Received: 'tpu'",
        ]
    )


@pytest.mark.parametrize("text", [None, "- a\n", "threads: 1\nthreads: 2\n"])
def test_a_file_that_cannot_be_read_is_one_line_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    file = str(tmp_path / "none.yaml") if text is None else config(tmp_path, text)
    assert file in error_of(capsys, "--config", file)


# What Kubernetes makes of services called seedbed, seedbed-admin and seedbed-tokens.
KUBERNETES = [
    f"SEEDBED_{service}{rest}"
    for service in ("", "ADMIN_", "TOKENS_", "WORKERS_")
    for rest in ("PORT", "SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_GRPC", "PORT_50051_TCP_ADDR")
]


@pytest.mark.parametrize("variable", [*OTHER_VARIABLES, *KUBERNETES, "SEED_BED", "THREAD"])
def test_a_variable_of_others_is_left_alone(variable: str) -> None:
    assert settings_of(**{variable: "x"}) == Settings()


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("SEEDBED_CONFG", "SEEDBED_CONFIG"),
        ("SEEDBED_MAX_STREAMS_SECONDS", "SEEDBED_MAX_STREAM_SECONDS"),
        ("SEEDBED_SHARED_MEM_DIR", "SEEDBED_SHARED_MEMORY_DIR"),
    ],
)
def test_a_variable_that_looks_like_one_of_the_servers_is_refused(
    capsys: pytest.CaptureFixture[str], variable: str, meant: str
) -> None:
    said = error_of(capsys, **{variable: "1"})
    assert said.endswith(f"error: ${variable} is no setting; did you mean ${meant}?")


def test_the_variables_that_are_no_settings_are_those_that_the_code_reads() -> None:
    known = {CONFIG_VARIABLE, *OTHER_VARIABLES, *(each.variable for each in SETTINGS)}
    root = Path(__file__).parents[2]
    files = [*root.glob("client/seedbed/**/*.py"), *root.glob("server/seedbed_server/**/*.py")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert set(re.findall(r"\"\$?(SEEDBED_[A-Z_]*[A-Z])\b", text)) <= known


def test_no_flag_may_be_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    said = errors_of(capsys, "--thread", "2")
    assert said == [
        "usage: seedbed-server [option ...]",
        "seedbed-server: error: there is no option --thread; did you mean '--threads'?",
    ]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["--print-config", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_printed_gives_the_same_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments = flags(name, EXAMPLES[name][0])
    text = printed(capsys, *arguments)
    assert settings_of("--config", config(tmp_path, text)) == settings_of(*arguments)
    assert len(text.splitlines()) == len(SETTINGS)


def test_what_is_printed_tells_where_each_value_came_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = config(tmp_path, "device: cpu\nthreads: 4\n")
    monkeypatch.setenv("SEEDBED_THREADS", "3")
    text = printed(capsys, "--config", file, "--no-reflection", "--listen=[::1]:1", "--listen=b:2")
    lines = [re.sub(" {2,}#", " #", line) for line in text.splitlines()]
    assert {
        "listen: ['[::1]:1', 'b:2'] # --listen",
        f"device: cpu # {file}:device",
        "threads: 3 # $SEEDBED_THREADS",
        "workers: # default: 1; with --device gpu, one for each GPU",
        "reflection: false # --reflection",
        "unix_mode: 600 # default",
    } <= set(lines)
    assert len({line.index("  # ") for line in text.splitlines() if line.endswith("default")}) == 1


SECRETS = re.compile("token|key|password|secret|credential")


def test_no_setting_is_a_secret_only_paths_of_files_with_one() -> None:
    suspects = [each for each in SETTINGS if SECRETS.search(each.name)]
    assert all(each.kind.parse("x") == Path("x") for each in suspects)


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
        write_settings.with_table("### Settings\n\nNone.\n")


@pytest.mark.parametrize("setting", ["listen", "admin_listen"])
@pytest.mark.parametrize("host", ["..", "a..b", "a" * 64, "a\0b"], ids=repr)
def test_a_host_that_no_name_server_could_know_is_refused_by_its_flag(
    capsys: pytest.CaptureFixture[str], setting: str, host: str
) -> None:
    flag = "--" + setting.replace("_", "-")
    assert error_of(capsys, flag, f"{host}:80").startswith(f"seedbed-server: error: {flag} must be")


def test_a_stream_that_may_take_no_time_would_be_no_stream(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "more than 0" in error_of(capsys, "--stream-idle-seconds", "0.0")
    assert settings_of("--shared-memory-idle-seconds", "0").shared_memory_idle_seconds == 0


@pytest.mark.parametrize("path", ["", "a\0b"], ids=repr)
def test_what_no_file_can_be_called_is_refused_by_its_flag(
    capsys: pytest.CaptureFixture[str], path: str
) -> None:
    assert "--tokens must be a path. Received: " in error_of(capsys, "--tokens", path)
