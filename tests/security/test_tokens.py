"""The file of tokens: who they stand for, what is refused, and that nothing of them is told."""

import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seedbed.spec.reasons import Reason
from seedbed_server.cli import read_arguments
from seedbed_server.refusals import CallerError
from seedbed_server.security.file_modes import FileModeError
from seedbed_server.security.policy import read_policy
from seedbed_server.security.tokens import TokenFileError, Tokens, new_token, read_tokens
from seedbed_server.service.checks import problems
from seedbed_server.settings import Settings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TOKEN = "sbt_a-token-of-a-test"
DIGEST = hashlib.sha256(TOKEN.encode()).hexdigest()


def written(folder: Path, *lines: str, mode: int = 0o600) -> Path:
    path = folder / "tokens"
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(mode)
    return path


def tokens_of(folder: Path, *lines: str) -> Tokens:
    return read_tokens(written(folder, *lines))


def refusal_of(tokens: Tokens, token: str, now: datetime = NOW) -> CallerError:
    with pytest.raises(CallerError) as caught:
        tokens.identity(token, now)
    assert caught.value.reason is Reason.TOKEN_UNKNOWN
    return caught.value


def test_a_token_stands_for_the_identity_of_its_line(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path, f"trainer sha256:{DIGEST}", f"other sha256:{'0' * 64}")
    assert tokens.identity(TOKEN, NOW) == "trainer"


def test_an_identity_may_have_several_tokens(tmp_path: Path) -> None:
    made = [new_token("trainer") for _ in range(3)]
    tokens = tokens_of(tmp_path, *(line for _, line in made))
    assert [tokens.identity(token, NOW) for token, _ in made] == ["trainer"] * 3


def test_a_new_token_is_known_by_its_line_alone(tmp_path: Path) -> None:
    token, line = new_token("spiffe://prod/trainer")
    assert token.startswith("sbt_")
    assert len(token) > 40
    assert token not in line
    assert tokens_of(tmp_path, line).identity(token, NOW) == "spiffe://prod/trainer"
    assert new_token("x")[0] != token


@pytest.mark.parametrize("token", ["", "sbt_", TOKEN[:-1], TOKEN + "x", DIGEST, "é\u2028"])
def test_another_token_is_unknown(tmp_path: Path, token: str) -> None:
    error = refusal_of(tokens_of(tmp_path, f"trainer sha256:{DIGEST}"), token)
    assert not token or token not in str(error)


def test_a_token_expires(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path, f"trainer sha256:{DIGEST} until=2026-06-01T00:00:00Z")
    before = datetime(2026, 5, 31, 23, 59, 59, tzinfo=UTC)
    assert tokens.identity(TOKEN, before) == "trainer"
    assert "expired at 2026-06-01T00:00:00Z" in str(refusal_of(tokens, TOKEN))


def test_comments_and_empty_lines_say_nothing(tmp_path: Path) -> None:
    tokens = tokens_of(
        tmp_path, "# tokens", "", f"  trainer\tsha256:{DIGEST.upper()}  # of the team", "#x y"
    )
    assert tokens.identity(TOKEN, NOW) == "trainer"


def test_an_empty_file_knows_nobody(tmp_path: Path) -> None:
    refusal_of(tokens_of(tmp_path), TOKEN)


WRONG = {
    TOKEN: "it must be IDENTITY sha256:HEX",
    f"trainer {TOKEN}": "the hash must be sha256: and 64 hexadecimal digits",
    f"trainer sha256:{DIGEST}0": "the hash must be",
    f"trainer sha512:{DIGEST}": "the hash must be",
    f"trainer sha256:{DIGEST} {TOKEN}": "the time must be in UTC",
    f"trainer sha256:{DIGEST} until=2026-02-30T00:00:00Z": "the time must be in UTC",
    f"trainer sha256:{DIGEST} until=2026-02-03": "the time must be in UTC",
    f"trainer sha256:{DIGEST} until=2026-02-03T00:00:00Z x": "it must be IDENTITY",
    f"unix sha256:{DIGEST}": "not the word unix",
    f"trainér sha256:{DIGEST}": "visible ASCII",
}


@pytest.mark.parametrize(("line", "said"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_line_is_named_by_its_number_alone(tmp_path: Path, line: str, said: str) -> None:
    path = written(tmp_path, f"good sha256:{'1' * 64}", line)
    with pytest.raises(TokenFileError) as caught:
        read_tokens(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: line 2: {said}") or said in message
    assert not any(secret in message for secret in (TOKEN, DIGEST, "trainer", "1" * 64))


def test_all_wrong_lines_are_named(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match=r"line 1: .*; line 3: the token must not.* line 2$"):
        tokens_of(tmp_path, "x", f"a sha256:{DIGEST}", f"b sha256:{DIGEST}")
    with pytest.raises(TokenFileError, match=r"line 16: .*; and 4 more$"):
        tokens_of(tmp_path, *["x"] * 20)


def test_a_file_that_is_no_text_is_refused_by_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_bytes(b"\xff\xfe\x00 sha256\n")
    path.chmod(0o600)
    with pytest.raises(TokenFileError, match="line 1"):
        read_tokens(path)
    path.write_bytes(b"#" * (2**20 + 1))
    with pytest.raises(TokenFileError, match="at most 1048576 bytes"):
        read_tokens(path)


def test_a_file_that_others_can_read_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for mode in (0o600, 0o640):
        assert problems(Settings(tokens=written(tmp_path, f"a sha256:{DIGEST}", mode=mode))) == []
    assert not caplog.records
    path = written(tmp_path, f"a sha256:{DIGEST}", mode=0o644)
    assert problems(Settings(tokens=path)) == []
    assert [each.getMessage() for each in caplog.records] == [
        f"others can read the hashes in {path}: chmod o-r {path}"
    ]


def test_a_file_that_others_can_write_is_refused_behind_a_link_too(tmp_path: Path) -> None:
    path = written(tmp_path, f"a sha256:{DIGEST}", mode=0o602)
    link = tmp_path / "link"
    link.symlink_to(path.name)
    for each in (path, link):
        with pytest.raises(FileModeError, match=f"others can write to {each}: chmod o-w"):
            read_tokens(each)


def test_on_a_read_only_mount_the_mode_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, f"a sha256:{DIGEST}", mode=0o666)
    found = os.statvfs(path)
    read_only = os.statvfs_result([*found[:8], found.f_flag | os.ST_RDONLY, found.f_namemax])
    monkeypatch.setattr(os, "statvfs", lambda _: read_only)
    assert read_tokens(path).identity(TOKEN, NOW) == "a"


def test_nothing_of_a_token_is_in_a_repr(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path, f"a sha256:{DIGEST}")
    assert DIGEST not in repr(tokens) + repr(tokens._entries)
    assert bytes.fromhex(DIGEST) not in (repr(tokens._entries)).encode()


def test_the_command_makes_a_token_and_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        read_arguments(["--new-token", "trainer"], {})
    assert caught.value.code == 0
    out, err = capsys.readouterr()
    token = out.removesuffix("\n")
    assert token.startswith("sbt_") and "\n" not in token
    assert token not in err
    # Whatever it says beside the line is a comment, so that a script may append all of it.
    assert tokens_of(tmp_path, *err.splitlines()).identity(token, NOW) == "trainer"


@pytest.mark.parametrize("identity", ["two words", "", "unix", "#x", "é"])
def test_the_command_refuses_what_is_no_identity(
    identity: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        read_arguments(["--new-token", identity], {})
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert "IDENTITY must be 1 to 256 visible ASCII characters" in err
    assert out == ""


@pytest.mark.parametrize("read", [read_tokens, lambda path: read_policy(path, ())])
def test_a_pipe_is_refused_as_it_could_be_read_only_once(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    """Such as the shell's <(...): a second look would find nobody, or wait for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(FileModeError, match=f"{pipe} must be a regular file"):
        read(pipe)
