"""Envoy's own messages have all that its example says; Envoy itself is not run."""

from pathlib import Path

import pytest

from tests.deploy.programs import DEPLOY, ROOT, run

EXAMPLE = DEPLOY / "envoy" / "envoy.yaml"


def check(path: Path) -> str:
    """Return the clusters of a configuration; fail where Envoy does not know what it says."""
    (python,) = ROOT.glob(".tools/xds-protos-*/bin/python")
    return run(python, ROOT / "tests/deploy/check_envoy.py", path)


def test_envoy_knows_all_that_the_example_says() -> None:
    assert check(EXAMPLE) == "servers\n"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("grpc_health_check:", "grpc_health:"),
        ("lb_policy: LEAST_REQUEST", "lb_policy: LEAST_CONN"),
        ("codec_type: HTTP2", "codec_type: H2C"),
    ],
    ids=["a field", "a value", "a value in an extension"],
)
def test_what_envoy_does_not_know_is_found_out(tmp_path: Path, right: str, wrong: str) -> None:
    text = EXAMPLE.read_text()
    assert right in text
    (tmp_path / "envoy.yaml").write_text(text.replace(right, wrong))
    with pytest.raises(AssertionError, match=wrong.rpartition(": ")[2].strip(":")):
        check(tmp_path / "envoy.yaml")
