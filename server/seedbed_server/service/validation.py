"""Checks of well-formed requests against limits, resume points and chunk sizes.

A request of 40 bytes can ask for terabytes, so nothing is sampled before all of this holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from seedbed.spec.errors import bad_value
from seedbed.spec.info import MAX_SMALL_TENSOR_BYTES, MIN_CHUNK_BYTES, Limits
from seedbed.spec.initializers import DeltaOrthogonalSpec, OrthogonalSpec, SparseSpec
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed_server.backends.rules import ElementwiseRule
from seedbed_server.refusals import OutOfRangeError
from seedbed_server.sampling.derivation import element_rule
from seedbed_server.sampling.lookups import piece_elements
from seedbed_server.sampling.sampler import SamplePlan

OVER_LIMIT = "OVER_LIMIT"
COMPUTED_IN_PIECES = (OrthogonalSpec, DeltaOrthogonalSpec, SparseSpec)


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """Where in a request's bytes a stream begins."""

    tensor_index: int = 0
    """The tensor's place in the request."""
    byte_offset: int = 0
    """The first byte wanted of it."""


def check_tensor_count(count: int, limits: Limits) -> None:
    """Raise unless a request has at least one tensor and not too many.

    To be called before they are read.
    """
    if count == 0:
        raise bad_value("tensors", "one tensor or more", count)
    if count > limits.max_tensors_per_request:
        allowed = f"at most {limits.max_tensors_per_request} tensors (max_tensors_per_request)"
        raise bad_value("tensors", allowed, count, reason=OVER_LIMIT)


def check_sizes(requests: Sequence[TensorRequest], limits: Limits) -> None:
    """Raise unless every tensor, and all of them together, are within the limits."""
    total = 0
    for i, request in enumerate(requests):
        _check_size(f"tensors[{i}].spec.shape", request, limits)
        total += request.size_bytes
    if total > limits.max_request_bytes:
        allowed = f"at most {limits.max_request_bytes} bytes in all (max_request_bytes)"
        raise bad_value("tensors", allowed, f"{total} bytes", reason=OVER_LIMIT)


def check_costs(
    plans: Sequence[SamplePlan], path: str, *, max_seconds: float, max_working_bytes: int
) -> None:
    """Raise unless what is computed whole takes neither too long nor too much memory.

    Args:
        plans: of all tensors of a request.
        path: of the field that holds the tensors; ``{}`` stands for a tensor's place.
        max_seconds: core seconds for all of them.
        max_working_bytes: for one of them.
    """
    total = 0.0
    for i, each in enumerate(plans):
        if each.is_elementwise:
            continue
        cost = each.cost
        if cost.working_bytes > max_working_bytes:
            allowed = f"of at most {max_working_bytes} bytes to work with (max_working_bytes)"
            needed = f"{each.request.shape}, {cost.working_bytes} bytes"
            raise bad_value(path.format(i), allowed, needed, reason=OVER_LIMIT)
        total += cost.core_seconds
        if total > max_seconds:
            allowed = f"of at most {max_seconds:g} core seconds in all (max_request_cost_seconds)"
            needed = f"{each.request.shape}, {total:.0f} s with those before it"
            raise bad_value(path.format(i), allowed, needed, reason=OVER_LIMIT)


def check_small_tensor(request: TensorRequest, limits: Limits) -> None:
    """Raise unless a tensor is within the limits, and fits into one message."""
    path = "tensor.spec.shape"
    _check_size(path, request, limits)
    if request.size_bytes > min(MAX_SMALL_TENSOR_BYTES, limits.max_request_bytes):
        allowed = (
            f"of at most {MAX_SMALL_TENSOR_BYTES} bytes as requested (max_small_tensor_bytes); "
            "SampleTensors sends larger ones"
        )
        if limits.max_request_bytes < MAX_SMALL_TENSOR_BYTES:
            allowed = f"of at most {limits.max_request_bytes} bytes (max_request_bytes)"
        raise bad_value(
            path, allowed, f"{request.shape}, {request.size_bytes} bytes", reason=OVER_LIMIT
        )


def _check_size(path: str, request: TensorRequest, limits: Limits) -> None:
    if len(request.spec.shape) > limits.max_rank:
        allowed = f"of at most {limits.max_rank} axes (max_rank)"
        raise bad_value(path, allowed, request.spec.shape, reason=OVER_LIMIT)
    if request.size_bytes > limits.max_tensor_bytes:
        allowed = f"of at most {limits.max_tensor_bytes} bytes as requested (max_tensor_bytes)"
        raise bad_value(
            path, allowed, f"{request.shape}, {request.size_bytes} bytes", reason=OVER_LIMIT
        )
    _check_pieces(path, request.spec, limits)


def _check_pieces(path: str, spec: TensorSpec, limits: Limits) -> None:
    if not isinstance(spec.initializer, COMPUTED_IN_PIECES):
        return
    rule = element_rule(spec)
    assert not isinstance(rule, ElementwiseRule)
    most = limits.max_orthogonal_elements
    if piece_elements(rule) > most:
        together = (
            "" if piece_elements(rule) == spec.element_count else " that are computed together"
        )
        allowed = (
            f"of at most {most} elements{together} for {spec.initializer.name()} "
            "(max_orthogonal_elements)"
        )
        raise bad_value(path, allowed, spec.shape, reason=OVER_LIMIT)


def check_resume(resume: ResumePoint, requests: Sequence[TensorRequest]) -> None:
    """Raise unless a resume point lies inside a request, at an element's boundary.

    Raises:
        InvalidValueError: if it is negative or inside an element.
        OutOfRangeError: if it is beyond the end.
    """
    for name in ("tensor_index", "byte_offset"):
        if getattr(resume, name) < 0:
            raise bad_value(f"resume.{name}", "0 or more", getattr(resume, name))
    if resume.tensor_index >= len(requests):
        raise _out_of_range("resume.tensor_index", len(requests) - 1, resume.tensor_index)
    request = requests[resume.tensor_index]
    if resume.byte_offset > request.size_bytes:
        raise _out_of_range("resume.byte_offset", request.size_bytes, resume.byte_offset)
    itemsize = request.spec.dtype.itemsize
    if resume.byte_offset % itemsize:
        raise bad_value(
            "resume.byte_offset",
            f"a multiple of {itemsize}, the size of an element",
            resume.byte_offset,
        )


def check_chunk_bytes(max_chunk_bytes: int, limits: Limits) -> None:
    """Raise unless a chunk size is one that the server sends."""
    if not MIN_CHUNK_BYTES <= max_chunk_bytes <= limits.max_chunk_bytes:
        allowed = f"from {MIN_CHUNK_BYTES} to {limits.max_chunk_bytes} (max_chunk_bytes)"
        raise bad_value("max_chunk_bytes", allowed, max_chunk_bytes)


def _out_of_range(field: str, largest: int, received: int) -> OutOfRangeError:
    message = f"`{field}` must be at most {largest}. Received: {received}"
    return OutOfRangeError(message, field=field, reason="RESUME_OUT_OF_RANGE")
