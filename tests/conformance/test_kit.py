"""The kit passes our own clients, finds wrong ones, and its files are what their scripts write."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance import tables, write_cases
from tests.conformance.__main__ import main
from tests.conformance.case import Case, Document, committed_cases
from tests.conformance.client_process import ClientFailedError, ClientProcess
from tests.conformance.golden import all_golden_cases, golden_cases, golden_counts
from tests.conformance.judge import problem
from tests.conformance.runner import ENDS, Outcome, results, run
from tests.conformance.tables import RESULTS
from tests.servers import ServerProcess, serving

CASES = [*committed_cases(), *golden_cases()]
# A wrong client need not show that it also tries six times.
QUICK = [case for case in CASES if not case.name.endswith("always")]
FAULTS = [case for case in QUICK if case.fault]


@pytest.fixture(scope="module")
def server() -> Iterator[ServerProcess]:
    """A server with default limits."""
    with serving() as process:
        yield process


def command(module: str, *arguments: str) -> str:
    """Return how a client of ours is started."""
    return " ".join((sys.executable, "-m", f"tests.conformance.{module}", *arguments))


def failures(server: ServerProcess, client: str, cases: list[Case]) -> dict[str, str]:
    """Return the problems of the cases that a client fails."""
    outcomes = run(client, server.address, cases)
    return {each.name: each.problem for each in outcomes if each.problem is not None}


def named(*parts: str) -> set[str]:
    """Return the names of the quick cases that contain one of these words."""
    found = {case.name for case in QUICK if any(part in case.name for part in parts)}
    assert found
    return found


def committed(name: str) -> Document:
    """Return results that are in the repository."""
    document: Document = json.loads((RESULTS / name).read_text(encoding="utf-8"))
    return document


def test_the_python_sdk_passes_as_its_committed_results_say(server: ServerProcess) -> None:
    outcomes = list(run(command("python_client"), server.address, CASES))
    assert [each for each in outcomes if each.problem is not None] == []
    assert results("python", outcomes) == committed("kit/python.json")


def test_the_python_sdk_fetches_every_golden_entry(server: ServerProcess) -> None:
    outcomes = list(run(command("python_client"), server.address, all_golden_cases()))
    assert [each for each in outcomes if each.problem is not None] == []
    assert golden_counts(outcomes) == committed("golden/python.json")


def test_a_client_of_generated_stubs_passes(server: ServerProcess) -> None:
    assert failures(server, command("stub_client"), CASES) == {}


def test_a_client_that_verifies_nothing_fails_where_something_is_damaged(
    server: ServerProcess,
) -> None:
    found = failures(server, command("liars", "trusting"), CASES)
    assert all(name.startswith("fault: ") for name in found)
    assert found.keys() >= named(
        "data flipped",
        "one element for all flipped",
        "comes twice",
        "missing once",
        "another request answered",
        "another small tensor",
        "message flipped",
    )
    assert found.keys() >= {case.name for case in CASES if case.name.endswith("flipped always")}


def test_a_client_that_ignores_slices_fails_wherever_there_is_one(server: ServerProcess) -> None:
    sliced = {
        case.name
        for case in QUICK
        if any("slice" in each for each in tensors_of(case)) and is_of_the_slice(case)
    }
    assert failures(server, command("liars", "whole"), QUICK).keys() == sliced


def tensors_of(case: Case) -> list[Document]:
    """Return the tensors that a case asks for."""
    return case.request.get("tensors") or [case.request.get("tensor", {})]


def is_of_the_slice(case: Case) -> bool:
    """Return whether the outcome of a case depends on its slices."""
    starts = int(case.request.get("resume", {}).get("tensor_index", 0))
    is_before = not any("slice" in each for each in tensors_of(case)[starts:])
    return not is_before and "too large" not in case.name


def test_a_client_that_prints_one_digest_fails_wherever_there_is_one(
    server: ServerProcess,
) -> None:
    with_digests = {
        case.name
        for case in QUICK
        if case.op in {"digest", "fetch", "fetch_small"} and "result" in case.expect[0]
    }
    assert failures(server, command("liars", "constant"), QUICK).keys() == with_digests


def test_a_client_that_begins_anew_is_told_of_the_waste(server: ServerProcess) -> None:
    found = failures(server, command("liars", "restarting"), FAULTS)
    assert found.keys() == named("goes away")
    assert "resume at the first one missing" in found.popitem()[1]


def test_a_client_that_never_tries_again_fails_at_each_passing_fault(
    server: ServerProcess,
) -> None:
    passing = {case.name for case in FAULTS} - named("this very request refused", "heartbeats")
    assert failures(server, command("liars", "hasty"), FAULTS).keys() == passing


def test_a_client_that_believes_every_refusal_is_found(server: ServerProcess) -> None:
    found = failures(server, command("liars", "credulous"), FAULTS)
    assert found.keys() == named("another request refused")


def test_a_fault_that_does_not_come_to_pass_is_told(server: ServerProcess) -> None:
    small = next(case for case in CASES if case.name == "fetch a tensor")
    late = {"kind": "cut", "after_bytes": [10**9]}
    never = [
        replace(small, fault=fault)
        for fault in (
            late,
            {"kind": "flip", "what": "fill"},
            {"kind": "break", "after_messages": 9},
        )
    ]
    problems = [each.problem for each in run(command("stub_client"), server.address, never)]
    assert all("did not come to pass" in str(each) for each in problems[:3])


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("true", "ended"),
        ('echo \'{"id": 7, "result": {}}\'', "another id"),
        ("echo '[]'", "another id"),
        ("echo hello", "not JSON"),
        ("echo '{\"id\": 1}'", "neither result nor error"),
        ("sleep 60", "no answer within"),
    ],
)
def test_a_program_that_does_not_speak_the_protocol_is_told_so(client: str, words: str) -> None:
    process = ClientProcess(client)
    try:
        with pytest.raises(ClientFailedError, match=words):
            process.ask({"op": "info"}, seconds=1.0 if "no answer" in words else 60.0)
    finally:
        process.kill()


def test_an_exit_code_that_is_not_0_is_a_failure() -> None:
    outcomes = list(run("sh -c 'cat > /dev/null; exit 3'", "nowhere", []))
    assert [(each.name, each.problem) for each in outcomes] == [(ENDS, "exit code 3, not 0")]


FETCH = next(case for case in CASES if case.name == "fetch a tensor")
REFUSAL = next(case for case in CASES if case.name == "refuse several things at once")


def answer_of(case: Case) -> Document:
    """Return the right answer of a fetch."""
    tensors = [
        {
            **{k: v for k, v in tensor.items() if k != "digests"},
            "algorithm": "DIGEST_ALGORITHM_SHA256",
            "digest": tensor["digests"]["DIGEST_ALGORITHM_SHA256"],
        }
        for tensor in case.expect[0]["result"]["tensors"]
    ]
    return {"tensors": tensors}


@pytest.mark.parametrize(
    "change",
    [
        {"tensor_index": 1},
        {"size_bytes": 4},
        {"algorithm": "DIGEST_ALGORITHM_XXH3_128"},
        {"digest": "00"},
        {"first_bytes": ""},
    ],
    ids=str,
)
def test_every_key_of_an_answer_counts(change: Document) -> None:
    right = answer_of(FETCH)
    assert problem(FETCH, {"result": right}) is None
    right["tensors"][0] |= change
    assert problem(FETCH, {"result": right}) is not None
    assert problem(FETCH, {"result": {"tensors": []}}) is not None
    assert problem(FETCH, {"result": []}) is not None
    assert problem(FETCH, {"error": {"code": "DATA_LOSS", "message": "m"}}) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"code": "OUT_OF_RANGE"},
        {"reason": "OVER_LIMIT"},
        {"fields": []},
        {"fields": ["tensors[1].spec.dtype"]},
        {"fields": ["tensors[2].spec.shape[0]"]},
        {"message": ""},
    ],
    ids=str,
)
def test_every_key_of_an_error_counts(change: Document) -> None:
    error = {**REFUSAL.expect[0]["error"], "message": "m"}
    assert problem(REFUSAL, {"error": error}) is None
    assert problem(REFUSAL, {"error": error | change}) is not None
    assert problem(REFUSAL, {"result": {"tensors": []}}) is not None


def test_a_choice_of_no_case_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--client", "true", "--only", "a case that is not there"])
    assert "no case has this in its name" in capsys.readouterr().err


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_cases_are_what_the_script_writes() -> None:
    assert write_cases.main(["--check"]) == 0


def test_the_tables_of_the_page_are_those_of_the_results() -> None:
    assert tables.main(["--check"]) == 0


def test_a_result_that_fails_is_named_in_the_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kit").mkdir()
    (tmp_path / "golden").mkdir()
    outcomes = (Outcome("list", "list", "no", 0.0), Outcome("info", "info", None, 0.0))
    found = results("go", outcomes)
    (tmp_path / "kit" / "go.json").write_text(json.dumps(found))
    counts = {"zeros": {"bool": {"passed": 0, "total": 1}}}
    (tmp_path / "golden" / "go.json").write_text(json.dumps(counts))
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    assert "- Go fails: list\n" in tables.kit()
    assert "| `list` | not run | 0/1 |" in tables.kit()
    assert "| `zeros` | not run | not run | 0/1 |" in tables.golden()
    assert "Go: 0/1" in tables.dtypes()


def test_results_of_nobody_that_the_page_knows_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kit").mkdir()
    (tmp_path / "kit" / "nobody.json").write_text("{}")
    monkeypatch.setattr(tables, "RESULTS", tmp_path)
    with pytest.raises(ValueError, match=r"nobody\.json is no result of one of"):
        tables.kit()
