"""Compares a client's answer with what a case expects."""

from typing import Any

from google.protobuf import json_format

from seedbed.v1 import descriptions_pb2
from tests.conformance.case import Case, Document


def problem(case: Case, answer: Document) -> str | None:
    """Return what is wrong with an answer; None if it is one of those that the case allows."""
    found = [_problem(case, answer, allowed) for allowed in case.expect]
    return None if None in found else "; or: ".join(map(str, found))


def _problem(case: Case, answer: Document, allowed: Document) -> str | None:
    if "error" in allowed:
        return _problem_of_error(answer, allowed["error"])
    if "error" in answer:
        return f"an error where a result is due: {answer['error']}"
    result, expected = answer["result"], allowed["result"]
    if not isinstance(result, dict):
        return f"the result is no object: {result!r}"
    match case.op:
        case "describe":
            return _problem_of_descriptions(result, expected)
        case "digest":
            return _problem_of_each(case, result, expected, "digests", value_key="value")
        case "fetch" | "fetch_small":
            return _problem_of_each(case, result, expected, "tensors", value_key="digest")
    return _difference("result", result, expected)


def _difference(path: str, found: Any, expected: Document) -> str | None:
    """Return the first of the expected keys whose value is another one."""
    if not isinstance(found, dict):
        return f"{path} is no object: {found!r}"
    for key, value in expected.items():
        if found.get(key) != value:
            return f"{path}.{key} is {found.get(key)!r}, not {value!r}"
    return None


def _problem_of_error(answer: Document, expected: Document) -> str | None:
    if "result" in answer:
        return f"a result where an error is due: {str(answer['result'])[:200]}"
    error = answer["error"]
    if isinstance(error, dict) and not error.get("message"):
        return f"an error without a message: {error}"
    return _difference("error", error, expected)


def _problem_of_descriptions(result: Document, expected: Document) -> str | None:
    found, wanted = result.get("tensors"), expected["tensors"]
    if not isinstance(found, list) or len(found) != len(wanted):
        return f"{len(wanted)} descriptions are due: {str(found)[:200]}"
    for index, (ours, theirs) in enumerate(zip(wanted, found, strict=True)):
        try:
            said = json_format.ParseDict(theirs, descriptions_pb2.TensorDescription())
        except json_format.ParseError as error:
            return f"tensors[{index}] is no TensorDescription: {error}"
        said.ClearField("request")
        meant = json_format.ParseDict(ours, descriptions_pb2.TensorDescription())
        if said != meant:
            return f"tensors[{index}] is {theirs}, not {ours}"
    return None


def _problem_of_each(
    case: Case, result: Document, expected: Document, key: str, *, value_key: str
) -> str | None:
    """Return the first difference in a list of tensors with their digests."""
    found, wanted = result.get(key), expected[key]
    if not isinstance(found, list) or len(found) != len(wanted):
        return f"{len(wanted)} {key} are due: {str(found)[:200]}"
    for index, (theirs, ours) in enumerate(zip(found, wanted, strict=True)):
        path = f"{key}[{index}]"
        others = {name: value for name, value in ours.items() if name != "digests"}
        different = _difference(path, theirs, others)
        if different:
            return different
        algorithm = theirs.get("algorithm")
        if algorithm != case.request.get("digest_algorithm", algorithm):
            return f"{path}.algorithm is {algorithm!r}"
        digest = ours["digests"].get(algorithm)
        if digest is None or theirs.get(value_key) != digest:
            return f"{path}: {theirs.get(value_key)!r} by {algorithm!r}, not {digest!r}"
    return None
