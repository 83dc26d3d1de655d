"""``seedbed inspect``: what is in safetensors files, and where it comes from."""

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

from seedbed.checkpoint_files import (
    file_count,
    metadata_of,
    names_by_file,
    open_all,
    read_headers,
)
from seedbed.checkpoints import Entry, read_metadata
from seedbed.cli.manifests import check_checkpoint
from seedbed.cli.provenance import MODEL_DIGEST
from seedbed.cli.result import Result
from seedbed.reports.text import count_text, pairs, printable, shape_text, size_text, table
from seedbed.spec.digests import Digest, digest_array, digest_of

NAME = "inspect"
SUMMARY = "show what is in a safetensors file, or a folder of them, and where it comes from"
DESCRIPTION = (
    "Show the tensors of a safetensors file, or of a folder of them, and what `seedbed fetch` "
    "wrote of their origin: the model's digest, the seed, the numerics, the manifest's digest. "
    "With --digests each tensor is read, and the model's digest compared with the one in its "
    "files, if all are there: the exit code is 1 if it is another."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own arguments."""
    parser.add_argument(
        "file",
        metavar="FILE|FOLDER",
        help="a safetensors file, a folder of them, or a model.safetensors.index.json",
    )
    parser.add_argument("--digests", action="store_true", help="compute each tensor's digest")


def run(options: argparse.Namespace) -> Result:
    """Read, and report."""
    path: str = options.file
    check_checkpoint(path, f"seedbed describe {printable(path)}")
    entries, metadata = read_headers(path), metadata_of(path)
    digests: dict[str, str] = {}
    found, failure = None, ""
    if options.digests:
        computed = {name: digest_array(array) for name, array in open_all(path).items()}
        digests = {name: str(digest) for name, digest in computed.items()}
        found, failure = str(digest_of(computed)), _failure(path, computed)
    fields = {
        "file": options.file,
        "metadata": metadata,
        "tensors": [
            {
                "name": name,
                "dtype": entry.dtype_name,
                "shape": entry.shape,
                "size_bytes": entry.end - entry.begin,
                "digest": digests.get(name),
            }
            for name, entry in entries.items()
        ],
        MODEL_DIGEST: found or metadata.get(MODEL_DIGEST),
    }
    text = f"{_summary(options.file, entries, metadata, found)}\n\n{_table(entries, digests)}"
    return Result(fields, text, failure)


def _failure(path: str, computed: Mapping[str, Digest]) -> str:
    """Return what files say of their model that its tensors do not; nothing if all is well.

    Several models may be in a folder, and of a model only some files.
    """
    by_file = names_by_file(path)
    models: dict[str, list[Path]] = {}
    for file in by_file:
        if (written := read_metadata(file).get(MODEL_DIGEST)) is not None:
            models.setdefault(written, []).append(file)
    for written, files in models.items():
        found = digest_of({name: computed[name] for file in files for name in by_file[file]})
        is_whole = len(files) >= max(file_count(file.name) for file in files)
        if is_whole and str(found) != written:
            return f"{path} says {written}, and its tensors have {found}"
    return ""


def _summary(
    file: str, entries: Mapping[str, Entry], metadata: Mapping[str, str], found: str | None
) -> str:
    size_bytes = sum(entry.end - entry.begin for entry in entries.values())
    count = sum(math.prod(entry.shape) for entry in entries.values())
    written = metadata.get(MODEL_DIGEST, "")
    rows = [
        ("file", printable(file)),
        ("tensors", f"{count_text(len(entries), 'tensor')}, {count:,} elements"),
        ("bytes", f"{size_bytes:,} ({size_text(size_bytes)})"),
        *(
            (printable(key), printable(text))
            for key, text in metadata.items()
            if key != MODEL_DIGEST
        ),
        ("model digest", f"{found} (computed)" if found else printable(written)),
    ]
    return pairs(rows)


def _table(entries: Mapping[str, Entry], digests: Mapping[str, str]) -> str:
    headings = ["name", "dtype", "shape", "bytes", *(["digest"] if digests else [])]
    rows = [
        [
            printable(name),
            entry.dtype_name,
            shape_text(entry.shape),
            size_text(entry.end - entry.begin),
            *([digests[name]] if digests else []),
        ]
        for name, entry in entries.items()
    ]
    return table(headings, rows, right=("bytes",))
