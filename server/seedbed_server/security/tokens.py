"""Bearer tokens: who they stand for, by a file that holds their hashes."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from seedbed.spec.errors import SeedbedError
from seedbed.spec.reasons import Reason
from seedbed_server.refusals import CallerError
from seedbed_server.security.file_modes import check_not_writable
from seedbed_server.security.identities import NAME_WORDS, is_name

# Tools that look for leaked secrets know tokens by it.
PREFIX = "sbt_"
RANDOM_BYTES = 32
MAX_FILE_BYTES = 2**20
MOST_SHOWN = 16

DIGEST = re.compile(r"sha256:([0-9a-fA-F]{64})")
UNTIL = re.compile(r"until=(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")


class TokenFileError(SeedbedError):
    """A file of tokens with wrong lines."""


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A line of the file: a token, and whom it stands for."""

    identity: str
    digest: bytes = field(repr=False)
    """Its SHA-256."""
    until: datetime | None = None
    """When it expires; None is never."""


class Tokens:
    """The tokens that a server knows.

    Args:
        entries: one each; an identity may have several.
    """

    def __init__(self, entries: Sequence[TokenEntry]) -> None:
        self._entries = tuple(entries)

    def identity(self, token: str, now: datetime) -> str:
        """Return whom a token stands for.

        Raises:
            CallerError: if it stands for nobody, or no more.
        """
        digest = token_digest(token)
        found = None
        # All of them, so that the time tells nothing of which one was nearest.
        for entry in self._entries:
            if hmac.compare_digest(entry.digest, digest):
                found = entry
        if found is None:
            raise _unknown("the token is none of this server's: it is wrong, or was revoked")
        if found.until is not None and found.until <= now:
            raise _unknown(
                f"the token expired at {found.until:%Y-%m-%dT%H:%M:%SZ}; get another one"
            )
        return found.identity


def token_digest(token: str) -> bytes:
    """Return what the file has of a token."""
    return hashlib.sha256(token.encode()).digest()


def new_token(identity: str) -> tuple[str, str]:
    """Return a fresh token, and the line of the file that makes a server know it."""
    token = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
    return token, f"{identity} sha256:{token_digest(token).hex()}"


def read_tokens(path: Path) -> Tokens:
    """Return the tokens of a file.

    Raises:
        OSError: if it cannot be read.
        FileModeError: if others can write to it.
        TokenFileError: if lines are wrong; it tells their numbers, and nothing of what they hold.
    """
    check_not_writable(path)
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise TokenFileError(f"{path} must have at most {MAX_FILE_BYTES} bytes")
    return Tokens(_entries(path, data.decode("utf-8", "replace")))


def _entries(path: Path, text: str) -> list[TokenEntry]:
    found: dict[bytes, TokenEntry] = {}
    lines: dict[bytes, int] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(" #")[0].split()
        if not words or words[0].startswith("#"):
            continue
        try:
            entry = _entry(words)
            if entry.digest in lines:
                raise ValueError(f"the token must not be the one of line {lines[entry.digest]}")
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
        else:
            found[entry.digest], lines[entry.digest] = entry, number
    if wrong:
        more = [f"and {len(wrong) - MOST_SHOWN} more"] if len(wrong) > MOST_SHOWN else []
        raise TokenFileError(f"{path}: {'; '.join(wrong[:MOST_SHOWN] + more)}")
    return list(found.values())


def _entry(words: Sequence[str]) -> TokenEntry:
    """Return a line's entry; a ValueError repeats nothing of it, as it may hold a token."""
    if not 2 <= len(words) <= 3:
        raise ValueError("it must be IDENTITY sha256:HEX [until=2026-12-31T00:00:00Z]")
    if not is_name(words[0]):
        raise ValueError(f"the identity must be {NAME_WORDS}, and not the word unix")
    digest = DIGEST.fullmatch(words[1])
    if digest is None:
        raise ValueError("the hash must be sha256: and 64 hexadecimal digits")
    until = _until(words[2]) if len(words) == 3 else None
    return TokenEntry(words[0], bytes.fromhex(digest[1]), until)


def _until(word: str) -> datetime:
    match = UNTIL.fullmatch(word)
    try:
        if match is not None:
            return datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:  # such as the 30th of February
        pass
    raise ValueError("the time must be in UTC, such as until=2026-12-31T00:00:00Z")


def _unknown(message: str) -> CallerError:
    return CallerError(message, reason=Reason.TOKEN_UNKNOWN)
