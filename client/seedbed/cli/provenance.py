"""What the header of a file says of where its tensors come from."""

import json
from importlib import metadata

from seedbed.manifest import Manifest
from seedbed.spec.digests import digest_bytes
from seedbed.spec.info import NUMERICS
from seedbed.spec.slices import Shard, TensorSlice

MODEL_DIGEST = "model_digest"
SHARD = "shard"
WRITER = "seedbed"


def provenance(manifest: Manifest, part: Shard | TensorSlice | None = None) -> dict[str, str]:
    """Return the texts for a header.

    Args:
        manifest: what is written.
        part: which part of each tensor.
    """
    # transformers reads no file without a format; pt is the one of files for all frameworks.
    texts = {"format": "pt", WRITER: metadata.version("seedbed"), "numerics": NUMERICS}
    if isinstance(part, Shard):
        texts[SHARD] = shard_option(part)
    elif part is not None:
        ranges = zip(part.starts, part.lengths, strict=True)
        texts["slice"] = ",".join(f"{start}:{start + length}" for start, length in ranges)
    seeds = {str(spec.seed) for spec in manifest.tensors if spec.initializer.random}
    texts["seed"] = seeds.pop() if len(seeds) == 1 else ("several" if seeds else "none")
    canonical = json.dumps(manifest.to_dict(), sort_keys=True, separators=(",", ":"))
    texts["manifest_digest"] = str(digest_bytes(canonical.encode()))
    return texts


def shard_option(shard: Shard) -> str:
    """Return a shard as ``--shard`` takes it."""
    return f"{shard.index}/{shard.count}:{shard.axis}"


def unknown_digest(size_bytes: int) -> str:
    """Return what keeps the place of a model's digest until it is known: it is as long."""
    return f"xxh3_128:{'0' * 32}:{size_bytes}"
