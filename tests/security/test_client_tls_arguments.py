"""What ``connect`` and the command line take for TLS and tokens, and what they refuse."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

import seedbed as sb
from seedbed import defaults
from seedbed.cli import main
from seedbed.cli.arguments import _tls, add_common_options
from seedbed.cli.parser import Parser
from seedbed.credentials import VARIABLES, credentials_of, stays_here
from seedbed.transports.security import LONGEST_TOKEN, Security
from seedbed.transports.trust import BUNDLES, read_trust, system_roots
from tests.certificates import Issued, authority

SECRET = "s3cret-token"
NEAR, FAR = "127.0.0.1:1", "seedbed.example:1"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """A file that has a token."""
    path = tmp_path / "token"
    path.write_text(f"{SECRET}\n")
    return path


# The value.


def test_a_tls_is_a_frozen_value() -> None:
    tls = sb.Tls(ca="ca.pem", cert="c.pem", key=Path("k.pem"), server_name="name")
    assert tls == sb.Tls("ca.pem", "c.pem", Path("k.pem"), "name")
    assert len({tls, sb.Tls("ca.pem", "c.pem", Path("k.pem"), "name")}) == 1
    with pytest.raises(FrozenInstanceError):
        tls.ca = None  # type: ignore[misc]


BAD_TLS: dict[str, tuple[dict[str, Any], str]] = {
    "a certificate alone": ({"cert": "c.pem"}, "tls.key"),
    "a key alone": ({"key": "k.pem"}, "tls.cert"),
    "an empty path": ({"ca": ""}, "tls.ca"),
    "a path with a zero byte": ({"ca": "a\0b"}, "tls.ca"),
    "bytes": ({"ca": b"ca.pem"}, "tls.ca"),
    "a number": ({"cert": 3, "key": "k.pem"}, "tls.cert"),
    "a name of bytes": ({"server_name": b"name"}, "tls.server_name"),
    "an empty name": ({"server_name": ""}, "tls.server_name"),
    "a name with a space": ({"server_name": "a b"}, "tls.server_name"),
    "a name that begins with a dot": ({"server_name": ".a"}, "tls.server_name"),
    "a name in another script": ({"server_name": "höst"}, "tls.server_name"),
    "a long name": ({"server_name": "a" * 254}, "tls.server_name"),
}


@pytest.mark.parametrize(("arguments", "field"), BAD_TLS.values(), ids=BAD_TLS)
def test_what_is_no_tls_is_refused(arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(sb.InvalidArgumentError, match=f"^`{field}` must be") as caught:
        sb.Tls(**arguments)
    assert caught.value.field == field


# Arguments and variables.


@pytest.mark.parametrize("tls", [1, "ca.pem", {"ca": "ca.pem"}, Path("ca.pem")], ids=repr)
def test_only_a_tls_or_a_switch_is_taken(tls: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"^`tls` must be a Tls, True, False or None"):
        sb.connect(NEAR, tls=tls)
    with pytest.raises(sb.InvalidTypeError, match=r"^`tls` must be"):
        sb.aio.connect(NEAR, tls=tls)


@pytest.mark.parametrize("token", [b"s3cret-token", ["s3cret-token"], 5], ids=["bytes", "a", "5"])
def test_a_token_of_another_type_is_refused_and_not_shown(token: Any) -> None:
    with pytest.raises(sb.InvalidTypeError, match=r"^`token` must be a string") as caught:
        sb.connect(NEAR, token=token)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "token",
    ["", "s3cret token", "s3cret\r\nx: y", "s3crét", "s3cret=x", "s" * (LONGEST_TOKEN + 1)],
    ids=["empty", "a space", "lines", "a letter", "an equals sign", "long"],
)
def test_what_a_header_cannot_hold_is_no_token_and_is_not_shown(token: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(token)
    for given in (token, tmp_path / "token"):
        with pytest.raises(sb.InvalidValueError, match=r"^`token` must be of 1 to 4096") as caught:
            sb.connect(NEAR, token=given)
        assert "s3cr" not in str(caught.value)


def test_a_token_may_have_all_characters_that_a_header_takes(tmp_path: Path) -> None:
    token = "AZaz09-._~+/=="
    assert Security.of(None, token).authorization() == f"Bearer {token}"
    (tmp_path / "token").write_text(f"\n {token} \n")
    assert Security.of(None, tmp_path / "token").authorization() == f"Bearer {token}"


@pytest.mark.parametrize("target", ["embedded:", "unix:/run/seedbed.sock", "unix:relative"])
@pytest.mark.parametrize("tls", [True, sb.Tls()], ids=["True", "a Tls"])
def test_a_target_on_this_host_takes_no_tls(target: str, tls: sb.Tls | bool) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"^`tls` must be None or False for"):
        sb.connect(target, tls=tls)
    with pytest.raises(sb.InvalidValueError, match=r"^`tls` must be None or False for"):
        credentials_of([NEAR, target], tls, None)
    assert credentials_of([target], False, None).tls is None


def test_the_environment_says_nothing_of_targets_on_this_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in VARIABLES:
        monkeypatch.setenv(name, "not allowed, nor read")
    assert sb.connect("embedded:").target == "embedded:"
    assert defaults.get_default_client().target == "embedded:"
    monkeypatch.setenv("SEEDBED_TOKEN", SECRET)
    assert credentials_of(["unix:/s"], None, None) == (None, SECRET)


def test_the_embedded_engine_takes_no_token() -> None:
    with pytest.raises(sb.InvalidValueError, match=r"^`token` must be None for embedded:"):
        sb.connect("embedded:", token=SECRET)


VARIABLES_OF: dict[str, tuple[dict[str, str], sb.Tls | None]] = {
    "nothing": ({}, None),
    "off": ({"SEEDBED_TLS": "0"}, None),
    "on": ({"SEEDBED_TLS": "1"}, sb.Tls()),
    "empty": ({"SEEDBED_TLS": "", "SEEDBED_TLS_CA": ""}, None),
    "a CA": ({"SEEDBED_TLS_CA": "a"}, sb.Tls(ca="a")),
    "a CA, and off": ({"SEEDBED_TLS": "0", "SEEDBED_TLS_CA": "a"}, None),
    "a name": ({"SEEDBED_TLS_SERVER_NAME": "n"}, sb.Tls(server_name="n")),
    "everything": (
        {
            "SEEDBED_TLS": "1",
            "SEEDBED_TLS_CA": "a",
            "SEEDBED_TLS_CERT": "c",
            "SEEDBED_TLS_KEY": "k",
            "SEEDBED_TLS_SERVER_NAME": "n",
        },
        sb.Tls("a", "c", "k", "n"),
    ),
}


@pytest.mark.parametrize(("variables", "tls"), VARIABLES_OF.values(), ids=VARIABLES_OF)
def test_tls_is_what_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], tls: sb.Tls | None
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert credentials_of([FAR], None, None).tls == tls
    # An argument comes before all of it.
    assert credentials_of([FAR], False, None).tls is None
    assert credentials_of([FAR], True, None).tls == sb.Tls()
    assert credentials_of([FAR], sb.Tls("b"), None).tls == sb.Tls("b")


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"SEEDBED_TLS": "yes"}, "SEEDBED_TLS"),
        ({"SEEDBED_TLS_CERT": "c"}, "SEEDBED_TLS_KEY"),
        ({"SEEDBED_TLS_SERVER_NAME": "a b"}, "SEEDBED_TLS_SERVER_NAME"),
    ],
    ids=["a switch", "half a pair", "a name"],
)
def test_a_variable_that_is_not_allowed_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(sb.InvalidValueError, match=f"^`{named}` must be"):
        sb.connect(NEAR)


def test_the_environment_has_a_token_or_its_file(
    monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    monkeypatch.setenv("SEEDBED_TOKEN_FILE", str(token_file))
    assert credentials_of([NEAR], None, None).token == token_file
    monkeypatch.setenv("SEEDBED_TOKEN", SECRET)
    assert credentials_of([NEAR], None, None).token == SECRET
    assert credentials_of([NEAR], None, "other").token == "other"


def test_the_default_client_is_another_one_when_the_environment_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(defaults, "_made", {})
    monkeypatch.setenv("SEEDBED_TARGET", NEAR)
    first = defaults.get_default_client()
    monkeypatch.setenv("SEEDBED_TOKEN", SECRET)
    second = defaults.get_default_client()
    assert second is not first
    assert defaults.get_default_client() is second


# Where a token goes.

HERE = ["localhost:1", "LOCALHOST:1", "127.0.0.1:1", "127.8.9.10:1", "[::1]:1", "dns:///[::1]:1"]
HERE += ["dns:///localhost:1", "dns:localhost:1", "ipv4:127.0.0.1:1", "ipv6:[::1]:1", "unix:/s"]
ELSEWHERE = [FAR, "10.0.0.1:1", "[::2]:1", "[::]:1", "0.0.0.0:1", "localhost.example:1"]
ELSEWHERE += ["dns://8.8.8.8/localhost:1", "ipv4:127.0.0.1:1,10.0.0.1:1", "xds:///localhost:1"]
ELSEWHERE += [
    "my-localhost:1",
    "dns:///localhost:1,far:1",
    "dns:///far:1",
    "local%68ost:1",
    "2130706433:1",
]


@pytest.mark.parametrize("target", HERE)
def test_a_token_goes_in_plain_to_this_host(target: str) -> None:
    assert stays_here(target)
    assert credentials_of([target], None, SECRET) == (None, SECRET)


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_token_goes_to_another_host_over_tls_only(
    monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"^`token` must be None, as nothing") as caught:
        credentials_of([NEAR, target], None, SECRET)
    assert SECRET not in str(caught.value)
    assert credentials_of([target], True, SECRET) == (sb.Tls(), SECRET)
    monkeypatch.setenv("SEEDBED_TOKEN", SECRET)
    for connect in (sb.connect, sb.aio.connect):
        with pytest.raises(sb.InvalidValueError, match="without tls=True") as caught:
            connect(target)
        assert SECRET not in str(caught.value)
    assert credentials_of([target], True, None).token == SECRET


def test_nothing_shows_a_token(token_file: Path) -> None:
    client = sb.connect(NEAR, token=SECRET)
    for shown in (client, credentials_of([NEAR], None, SECRET), Security.of(None, SECRET)):
        assert SECRET not in repr(shown)
        assert SECRET not in str(shown)


# Files.


@pytest.fixture
def bad_file(tmp_path: Path) -> Path:
    """A file that is no PEM."""
    path = tmp_path / "bad.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n")
    return path


def test_files_of_no_use_are_named_by_connect(
    tmp_path: Path, bad_file: Path, ca_file: Path, server_files: Issued
) -> None:
    other = authority("other").issue(tmp_path, "other")
    missing = tmp_path / "missing.pem"
    cases: list[tuple[str, sb.Tls]] = [
        ("tls.ca", sb.Tls(ca=missing)),
        ("tls.ca", sb.Tls(ca=tmp_path)),
        ("tls.ca", sb.Tls(ca=bad_file)),
        ("tls.ca", sb.Tls(ca=server_files.key)),
        ("tls.cert", sb.Tls(ca=ca_file, cert=missing, key=server_files.key)),
        ("tls.key", sb.Tls(ca=ca_file, cert=server_files.cert, key=missing)),
        ("tls.key", sb.Tls(ca=ca_file, cert=server_files.cert, key=other.key)),
        ("tls.key", sb.Tls(ca=ca_file, cert=server_files.cert, key=server_files.cert)),
        ("tls.key", sb.Tls(ca=ca_file, cert=bad_file, key=server_files.key)),
    ]
    for field, tls in cases:
        for options in (None, {"grpc.max_receive_message_length": -1}):
            with pytest.raises(sb.InvalidValueError, match=f"^`{field}` must be") as caught:
                sb.connect(NEAR, tls=tls, options=options)
            assert caught.value.field == field
            assert "PRIVATE" not in str(caught.value)


def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(
    ca_file: Path, server_files: Issued, tmp_path: Path
) -> None:
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(server_files.key.read_bytes(), None)
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"word"),
        )
    )
    with pytest.raises(sb.InvalidValueError, match="without a password"):
        sb.connect(NEAR, tls=sb.Tls(ca=ca_file, cert=server_files.cert, key=tmp_path / "key.pem"))


def test_a_missing_token_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(sb.InvalidValueError, match=r"^`token` must be a file.*No such file"):
        sb.connect(NEAR, token=tmp_path / "missing")


def test_a_bundle_may_have_comments_in_any_encoding(ca_file: Path, tmp_path: Path) -> None:
    other = authority("other").write(tmp_path / "other.crt")
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(
        b"Authorit\xe9 - one\n" + ca_file.read_bytes() + b"# \xff\n" + other.read_bytes()
    )
    assert len(read_trust(sb.Tls(ca=bundle)).context.get_ca_certs()) == 2


# The system's authorities.


def test_the_systems_authorities_are_those_of_the_variables(
    monkeypatch: pytest.MonkeyPatch, ca_file: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(ca_file))
    assert [system_roots().strip()] == [ca_file.read_bytes().strip()]
    monkeypatch.delenv("SSL_CERT_FILE")
    (tmp_path / "one.pem").write_bytes(ca_file.read_bytes())
    authority("other").write(tmp_path / "two.crt")
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    assert system_roots().count(b"BEGIN CERTIFICATE") == 2


def test_a_system_without_authorities_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(Path(each).is_absolute() for each in BUNDLES)
    monkeypatch.setattr("seedbed.transports.trust.BUNDLES", ())
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: _Nowhere)
    with pytest.raises(sb.InvalidValueError, match=r"tls=sb.Tls\(ca=...\), or set SSL_CERT_FILE"):
        sb.connect(NEAR, tls=True)


class _Nowhere:
    cafile = None
    openssl_cafile_env, openssl_capath_env = "SSL_CERT_FILE_NOT_SET", "SSL_CERT_DIR_NOT_SET"


# The command line.


def _options(*arguments: str) -> Any:
    parser = Parser()
    add_common_options(parser, asks_server=True)
    return parser.parse_args(arguments)


COMMAND_LINES: dict[str, tuple[list[str], sb.Tls | bool | None]] = {
    "nothing": ([], None),
    "on": (["--tls"], sb.Tls("from the environment")),
    "off": (["--no-tls"], False),
    "a CA": (["--tls-ca", "a"], sb.Tls("a")),
    "a pair": (
        ["--tls-cert", "c", "--tls-key", "k"],
        sb.Tls("from the environment", "c", "k"),
    ),
    "a name": (
        ["--tls", "--tls-server-name", "n"],
        sb.Tls("from the environment", None, None, "n"),
    ),
}


@pytest.mark.parametrize(("arguments", "tls"), COMMAND_LINES.values(), ids=COMMAND_LINES)
def test_options_complete_the_environment(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], tls: sb.Tls | bool | None
) -> None:
    monkeypatch.setenv("SEEDBED_TLS_CA", "from the environment")
    assert _tls(_options(*arguments)) == tls


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--no-tls", "--tls-ca", "a"], "--no-tls goes with no other option of TLS"),
        (["--tls-cert", "a"], "`--tls-key` must be given"),
        (["--tls-server-name", ""], "`--tls-server-name` must be the name of a host"),
        (["--tls-ca", "/nowhere"], "`tls.ca` must be a file that can be read"),
        (["--token-file", "/nowhere"], "`token` must be a file that can be read"),
    ],
    ids=["contradiction", "half a pair", "a name", "no CA", "no token"],
)
def test_a_wrong_option_is_an_error_of_the_caller(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert main(["info", "--target", NEAR, *arguments]) == 2
    assert f"seedbed: error: {said}" in capsys.readouterr().err
