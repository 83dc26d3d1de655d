"""``seedbed digest``: of a tensor, and of a model."""

import hashlib
from typing import Any

import pytest
import xxhash

import seedbed as sb
from seedbed.cli import main
from tests.command_line import (
    NAMES,
    SAMPLE,
    embedded_sample,
    printed_json,
)
from tests.servers import ServerProcess


def test_sha256_is_that_of_the_bytes(
    server: ServerProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    array = embedded_sample(sb.TensorSpec("", (64, 32), "float32", sb.GlorotUniform(seed=7)))
    arguments = ("digest", *SAMPLE[1:], "--algorithm", "sha256")
    wanted = f"sha256:{hashlib.sha256(array.tobytes()).hexdigest()}:{array.nbytes}\n"
    for target in ("embedded:", server.address):
        assert main([*arguments, "--target", target]) == 0
        assert capsys.readouterr().out == wanted


@pytest.mark.parametrize("algorithm", ["xxh3_128", "sha256"])
def test_a_model_has_one_digest_wherever_it_is_asked_for(
    manifest: str, algorithm: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["digest", manifest, "--algorithm", algorithm, "--json"]) == 0
    document = printed_json(capsys)
    assert list(document["tensors"]) == NAMES
    with sb.connect("embedded:") as client:
        digests = client.digest_all(sb.Manifest.load(manifest), algorithm=algorithm)
    assert document["model_digest"] == str(sb.digest_of(digests))
    # As docs/protocol.md says.
    lines = "".join(f"{name}\0{document['tensors'][name]}\n" for name in sorted(NAMES)).encode()
    hashed = xxhash.xxh3_128 if algorithm == "xxh3_128" else hashlib.sha256
    size_bytes = sum(each.size_bytes for each in digests.values())
    wanted = f"{algorithm}:{hashed(lines).hexdigest()}:{size_bytes}"
    assert document["model_digest"] == wanted
    assert main(["digest", manifest, "--algorithm", algorithm]) == 0
    assert wanted in capsys.readouterr().out.splitlines()[-1]
