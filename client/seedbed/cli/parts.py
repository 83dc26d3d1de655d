"""Unfinished files of a fetch: the same command, run again, finds them and goes on.

They lie in the output's hidden folder and get their places when all are complete. A journal beside
them says for which content they are, and has a line for each complete tensor, with the digest that
its bytes had. What a later run finds there is hashed again before it counts.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from numpy.typing import NDArray

from seedbed import checkpoints
from seedbed.checkpoint_files import INDEX
from seedbed.checkpoints import Layout
from seedbed.cli.output_file import clear, reserve
from seedbed.cli.provenance import MODEL_DIGEST
from seedbed.cli.resources import check_disk
from seedbed.spec.digests import Digest, digest_array
from seedbed.spec.errors import InvalidValueError

JOURNAL = "journal"


class Parts:
    """The files of one fetch, not yet complete.

    Args:
        hidden: the locked folder where they are.
        layouts: the tensors of each file, by its name.
        metadata: the texts in the header of each.
        journal: has what is complete.
    """

    def __init__(
        self,
        hidden: Path,
        layouts: Mapping[str, Layout],
        metadata: Mapping[str, str],
        journal: IO[str],
    ) -> None:
        self.paths = {name: hidden / name for name in layouts}
        self._journal = journal
        self.arrays: dict[str, NDArray[Any]] = {}
        """The tensors by name, mapped from the files, to be filled in place."""
        old = _digests_in(journal)
        kept: dict[str, str] = {}
        for name, layout in layouts.items():
            arrays = checkpoints.reopen(self.paths[name], layout, metadata)
            if arrays is None:
                check_disk(hidden.parent / name, checkpoints.size_bytes(layout))
                arrays = checkpoints.create(self.paths[name], layout, metadata)
            else:
                kept |= {each: old[each] for each in arrays if each in old}
            reserve(self.paths[name])
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
    hidden: Path, key: str, layouts: Mapping[str, Layout], metadata: Mapping[str, str]
) -> Iterator[Parts]:
    """Yield the unfinished files, those of an earlier run if there are any.

    They stay for the next run if the block fails after a tensor was complete.

    Args:
        hidden: the locked folder where they are.
        key: tells this content from any other.
        layouts: the tensors of each, by its name.
        metadata: the texts in the header of each.
    """
    is_same = _is_for(hidden, key)
    if not is_same:
        clear(hidden)
    parts = None
    try:
        with (hidden / JOURNAL).open("a+", encoding="utf-8", errors="replace") as journal:
            journal.write("\n" if is_same else f"{key}\n")  # the last line may be cut
            parts = Parts(hidden, layouts, metadata, journal)
            yield parts
    except BaseException:
        if parts is None or not parts.digests:
            clear(hidden)
        raise
    clear(hidden)


def take_back(
    hidden: Path,
    key: str,
    layouts: Mapping[str, Layout],
    metadata: Mapping[str, str],
    index: str,
) -> None:
    """Take back the files that an interrupted run had given their places, to finish them all.

    What has been changed since is somebody's now; of a whole model nothing is taken then.

    Args:
        hidden: the locked folder of what is not yet complete.
        key: tells this content from any other.
        layouts: the tensors of each file, by its name.
        metadata: the texts in the header of each, but for the model's digest.
        index: the text of the folder's index; empty if there is none.
    """
    if not _is_for(hidden, key):
        return
    with (hidden / JOURNAL).open(encoding="utf-8", errors="replace") as journal:
        complete = _digests_in(journal)
    # No file gets its place before all are complete.
    if not all(name in complete for layout in layouts.values() for name, _, _ in layout):
        return
    folder = hidden.parent
    moved = [name for name in layouts if not (hidden / name).exists()]
    ours = [
        name
        for name in moved
        if _holds(folder / name, {each: complete[each] for each, _, _ in layouts[name]}, metadata)
    ]
    if len(moved) == len(layouts):
        if ours != moved:
            return
        # The index goes first, as it came last: without it the rest is no model.
        if index and _text(folder / INDEX) == index:
            (folder / INDEX).unlink()
    for name in ours:
        (folder / name).rename(hidden / name)


def key_of(content: object) -> str:
    """Return what tells content from any other, given all that it follows from, for JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _is_for(hidden: Path, key: str) -> bool:
    return _text(hidden / JOURNAL).partition("\n")[0] == key


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _holds(path: Path, digests: Mapping[str, str], metadata: Mapping[str, str]) -> bool:
    """Return whether a file has these tensors, and the metadata but for the model's digest."""
    try:
        found = checkpoints.read_metadata(path)
        arrays = checkpoints.open_tensors(path)
    except (FileNotFoundError, InvalidValueError):
        return False
    if {**found, MODEL_DIGEST: ""} != {**metadata, MODEL_DIGEST: ""}:
        return False
    return {name: str(digest_array(array)) for name, array in arrays.items()} == digests


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
    return found
