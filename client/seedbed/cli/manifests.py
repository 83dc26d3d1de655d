"""The manifest that a command works on."""

import stat
from pathlib import Path

from seedbed.cli.result import CommandError
from seedbed.manifest import Manifest
from seedbed.manifest_document import Reading
from seedbed.manifest_files import is_checkpoint_file, is_manifest_file, read_file
from seedbed.reports.text import printable
from seedbed.spec.errors import InvalidValueError, shown
from seedbed.spec.initializers import INITIALIZERS, find_initializer
from seedbed.spec.slices import Shard
from seedbed.spec.suggestions import did_you_mean

# 100,000 tensors take about 10 MB.
MAX_MANIFEST_BYTES = 2**28
STDIN = "-"


def load_manifest(path: str) -> Manifest:
    """Return the manifest of a file.

    The errors are those of :func:`load_reading`.
    """
    return Manifest(load_reading(path).specs)


def manifest_name(path: str) -> str:
    """Return what messages call a manifest's file."""
    return "standard input" if path == STDIN else printable(path)


def load_reading(path: str) -> Reading:
    """Return what a manifest's file says; ``-`` is standard input.

    Raises:
        InvalidArgumentError: with all that is wrong, if it is no manifest.
        CommandError: if it is no file, or too large to be a manifest.
        OSError: if it cannot be read.
    """
    if not path:
        raise InvalidValueError("a manifest's file must have a name. Received: ''")
    name = manifest_name(path)
    if is_checkpoint_file(path):
        raise InvalidValueError(
            f"MANIFEST must be a YAML or JSON file. Received: {shown(path)}, a checkpoint by its "
            f"name; `seedbed inspect {name}` shows it"
        )
    if path == STDIN:
        path = "/dev/stdin"
    status = Path(path).stat()
    # A device may never end.
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
        raise CommandError(f"{name} is no file")
    if status.st_size > MAX_MANIFEST_BYTES:
        raise CommandError(
            f"{path} is larger than {MAX_MANIFEST_BYTES} bytes, too large for a manifest"
        )
    return read_file(path, about=name)


def check_checkpoint(path: str, instead: str) -> None:
    """Refuse a manifest where a checkpoint should be: arguments are easily swapped.

    Args:
        path: the checkpoint that was named.
        instead: the command line that was perhaps meant.

    Raises:
        InvalidValueError: if it is a manifest's file by its name.
    """
    if is_manifest_file(path):
        raise InvalidValueError(
            f"FILE|FOLDER must be a checkpoint. Received: {shown(path)}, a manifest by its name; "
            f"did you mean `{instead}`?"
        )


def is_initializer(subject: str) -> bool:
    """Return whether MANIFEST|INITIALIZER is the latter: a name is one unless it looks like a path.

    Raises:
        InvalidValueError: if it is neither.
    """
    if find_initializer(subject) is not None:
        return True
    if subject == STDIN or Path(subject).suffix or "/" in subject or Path(subject).exists():
        return False
    hint = "`seedbed list` prints the initializers; a manifest is a .yaml or .json file"
    meant = did_you_mean(subject, (kind.name() for kind in INITIALIZERS.values()))
    raise InvalidValueError(f"{subject!r} is neither an initializer nor a file{meant}; {hint}")


def part_shape(shape: tuple[int, ...], shard: Shard | None) -> tuple[int, ...]:
    """Return the shape of a tensor's shard; one that lacks the shard's axis comes whole."""
    if shard is None or not -len(shape) <= shard.axis < len(shape):
        return shape
    return shard.of(shape).lengths
