"""Unfinished files of a fetch: the same command, run again, finds them and goes on.

Each file is written under a name that tells for which content it is, and gets its own name when all
are complete. A journal beside them has a line for each complete tensor, with the digest that its
bytes had. What a later run finds there is hashed again before it counts.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from seedbed import checkpoints
from seedbed.checkpoints import Layout
from seedbed.cli.output_file import reserve
from seedbed.cli.resources import check_disk
from seedbed.cli.result import CommandError
from seedbed.spec.digests import Digest, digest_array


class Parts:
    """The files of one fetch, not yet complete.

    Args:
        folder: where they are.
        layouts: the tensors of each file, by its final name.
        metadata: the texts in the header of each.
        key: tells this content from any other.
        journal: has what is complete; locked.
    """

    def __init__(
        self,
        folder: Path,
        layouts: Mapping[str, Layout],
        metadata: Mapping[str, str],
        key: str,
        journal: IO[str],
    ) -> None:
        self.paths = {name: folder / _part_name(name, key) for name in layouts}
        self._journal = journal
        self.arrays: dict[str, NDArray[Any]] = {}
        """The tensors by name, mapped from the files, to be filled in place."""
        old = _digests_in(journal)
        kept: dict[str, str] = {}
        for name, layout in layouts.items():
            arrays = checkpoints.reopen(self.paths[name], layout, metadata)
            if arrays is None:
                check_disk(self.paths[name], checkpoints.size_bytes(layout))
                arrays = checkpoints.create(self.paths[name], layout, metadata)
                reserve(self.paths[name])
            else:
                kept |= {each: old[each] for each in arrays if each in old}
            self.arrays |= arrays
        self.digests: dict[str, Digest] = {}
        """Of the tensors that are complete."""
        for name, text in kept.items():
            digest = digest_array(self.arrays[name])
            if str(digest) == text:
                self.digests[name] = digest
        self.resumed_bytes = sum(each.size_bytes for each in self.digests.values())
        """How much an earlier run had fetched."""

    def complete(self, names: Iterable[str]) -> None:
        """Take down that tensors have all their bytes."""
        for name in names:
            digest = digest_array(self.arrays[name])
            self.digests[name] = digest
            self._journal.write(json.dumps([name, str(digest)]) + "\n")
        self._journal.flush()


@contextmanager
def parts_of(
    folder: Path, layouts: Mapping[str, Layout], metadata: Mapping[str, str], content: object
) -> Iterator[Parts]:
    """Yield the unfinished files, those of an earlier run if there are any.

    They stay for the next run if the block fails after a tensor was complete.

    Args:
        folder: where the files are to be.
        layouts: the tensors of each, by its final name.
        metadata: the texts in the header of each.
        content: all that the content follows from, as JSON can say it.

    Raises:
        CommandError: if another process fetches the same.
    """
    key = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]
    first = next(iter(layouts))
    path = folder / f".{first}.{key}.journal"
    _sweep(folder, first, key)
    with path.open("a+", encoding="utf-8", errors="replace") as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"another process fetches {folder / first} at the moment") from None
        parts = None
        try:
            parts = Parts(folder, layouts, metadata, key, journal)
            yield parts
        except BaseException:
            if parts is None or not parts.digests:
                _remove(folder, key, path)
            raise
        path.unlink(missing_ok=True)


def _sweep(folder: Path, first: str, key: str) -> None:
    """Remove what fetches of other content left under the same output's name."""
    for journal in folder.glob(f".{first}.*.journal"):
        stale = journal.name.rsplit(".", 2)[1]
        if stale == key:
            continue
        with journal.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # somebody is at it
                continue
            _remove(folder, stale, journal)


def _remove(folder: Path, key: str, journal: Path) -> None:
    for path in (*folder.glob(_part_name("*", key)), journal):
        path.unlink(missing_ok=True)


def _part_name(name: str, key: str) -> str:
    return f".{name}.{key}.part"


def _digests_in(journal: IO[str]) -> dict[str, str]:
    """Return the digests of a journal, whose lines may be cut or damaged, and go to its end."""
    journal.seek(0)
    found: dict[str, str] = {}
    for line in journal:
        try:
            name, digest = json.loads(line)
            found[name] = digest
        except (ValueError, TypeError, RecursionError):  # cut, empty, or no pair with a name
            continue
    journal.seek(0, os.SEEK_END)
    journal.write("\n")  # the last line may be cut
    return found
