"""The policy's file: which rule is about whom, and every fault of it at once."""

import re
from pathlib import Path

import pytest

from seedbed_server.security.file_modes import FileModeError
from seedbed_server.security.policy import Policy, PolicyError, Quotas, Rule, read_policy
from seedbed_server.yaml_files import YamlFileError

RPCS = ("SampleTensors", "DigestTensors", "GetServerInfo")
ALL_RPCS = (*RPCS, "ListInitializers")


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text)
    path.chmod(0o644)
    return path


def policy_of(folder: Path, text: str) -> Policy:
    return read_policy(written(folder, text), RPCS)


def faults_of(folder: Path, text: str) -> list[str]:
    path = written(folder, text)
    with pytest.raises(PolicyError) as caught:
        read_policy(path, RPCS)
    return str(caught.value).removeprefix(f"{path}: ").split("; `")


EXAMPLE = """
identities:
  trainer:
    rpcs: [SampleTensors, GetServerInfo]
    quotas:
      inflight_bytes: 1 GiB
      bytes_per_day: 10TiB
      cost_seconds_per_request: 60
      matrices: 2
  "spiffe://prod/*": {rpcs: all}
  "spiffe://prod/test/*": {rpcs: []}
  spiffe://prod/test/me: {quotas: {matrices: 1}}
  viewer: {}
default:
  rpcs: [GetServerInfo]
"""


def test_the_example_of_the_manual_is_a_policy(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/operations.md").read_text("utf-8")
    (example,) = re.findall(r"^```yaml\n(identities:.*?)^```$", page, re.MULTILINE | re.DOTALL)
    policy = read_policy(written(tmp_path, example), ALL_RPCS)
    assert policy.rule("trainer") == Rule(frozenset(RPCS), Quotas(2**30, 10 * 2**40, 60.0, 2))
    assert policy.rule("spiffe://prod/a") == Rule()
    assert policy.rule("b") == Rule(frozenset({"GetServerInfo", "ListInitializers"}))


def test_a_rule_has_methods_and_quotas(tmp_path: Path) -> None:
    assert policy_of(tmp_path, EXAMPLE).rule("trainer") == Rule(
        frozenset({"SampleTensors", "GetServerInfo"}),
        Quotas(2**30, 10 * 2**40, 60.0, 2),
    )


@pytest.mark.parametrize(
    ("identity", "rule"),
    {
        "spiffe://prod/test/me": Rule(None, Quotas(matrices=1)),
        "spiffe://prod/test/you": Rule(frozenset()),
        "spiffe://prod/x": Rule(),
        "viewer": Rule(),
        "spiffe://product": Rule(frozenset({"GetServerInfo"})),
        "*": Rule(frozenset({"GetServerInfo"})),
    }.items(),
)
def test_the_most_specific_rule_counts(tmp_path: Path, identity: str, rule: Rule) -> None:
    assert policy_of(tmp_path, EXAMPLE).rule(identity) == rule


def test_without_a_default_others_have_no_rule(tmp_path: Path) -> None:
    policy = policy_of(tmp_path, "identities: {a: {}}")
    assert policy.rule("a") == Rule()
    assert policy.rule("b") is None
    assert policy_of(tmp_path, "").rule("a") is None


FAULTS = {
    "identites: {}": "`identites` must be one of the keys identities, default. "
    "Received: \"identites\"; did you mean 'identities'?",
    "identities:": "`identities` must be a mapping",
    "identities: {a: }": "`identities.a` must be a mapping",
    "identities: {a: {quotas: }}": "`identities.a.quotas` must be a mapping",
    "default:": "`default` must be a mapping",
    "identities: [a]": '`identities` must be a mapping. Received: ["a"]',
    "identities: {a: all}": '`identities.a` must be a mapping. Received: "all"',
    "identities: {'a b': {}}": '`identities."a b"` must be 1 to 256 visible',
    "identities: {'a*b': {}}": '`identities."a*b"` must be',
    "identities: {'x://y': {z: 1}}": '`identities."x://y".z` must be one of the keys rpcs, quotas',
    "default: {rpcs: some}": '`default.rpcs` must be all or a list of methods. Received: "some"',
    "default: {rpcs:}": "`default.rpcs` must be all or a list of methods",
    "default: {rpcs: {a: b}}": "`default.rpcs` must be all or a list of methods",
    "default: {rpcs: [SampleTensor]}": "`default.rpcs[0]` must be one of SampleTensors, "
    "DigestTensors, GetServerInfo. Received: \"SampleTensor\"; did you mean 'SampleTensors'?",
    "default: {rpcs: [[SampleTensors]]}": "`default.rpcs[0]` must be one of",
    "default: {quotas: {matrices: 0}}": "`default.quotas.matrices` must be an integer from 1",
    "default: {quotas: {matrices: }}": "`default.quotas.matrices` must be an integer from 1",
    "default: {quotas: {matrices: [1]}}": "`default.quotas.matrices` must be an integer from 1",
    "default: {quotas: {matrix: 1}}": "did you mean 'matrices'?",
    "default: {quotas: {inflight_bytes: 1 GB}}": "must be bytes from 1 to",
    "default: {quotas: {bytes_per_day: 1e9}}": "must be bytes from 1 to",
    "default: {quotas: {cost_seconds_per_request: -1}}": "must be from 0 to 86400",
    "default: {quotas: {cost_seconds_per_request: nan}}": "must be from 0 to 86400",
}


@pytest.mark.parametrize(("text", "said"), FAULTS.items(), ids=FAULTS)
def test_a_fault_is_named_by_its_path(tmp_path: Path, text: str, said: str) -> None:
    (fault,) = faults_of(tmp_path, text)
    assert said in fault


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    text = "identities: {a: {rpcs: x, quotas: {matrices: y}}, b: {z: 1}}\nextra: 1\n"
    found = faults_of(tmp_path, text)
    assert [fault.lstrip("`").partition("`")[0] for fault in found] == [
        "identities.a.rpcs",
        "identities.a.quotas.matrices",
        "identities.b.z",
        "extra",
    ]
    many = "".join(f"k{i}: 1\n" for i in range(20))
    assert faults_of(tmp_path, many)[-1].endswith("; and 4 more")


def test_a_policy_that_others_can_write_or_is_no_yaml_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "identities: {a: {}}")
    path.chmod(0o666)
    with pytest.raises(FileModeError):
        read_policy(path, RPCS)
    with pytest.raises(YamlFileError):
        policy_of(tmp_path, "identities: {a: {}, a: {}}")
