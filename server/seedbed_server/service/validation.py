"""Checks of well-formed requests against limits, resume points and chunk sizes.

A request of 40 bytes can ask for terabytes, so nothing is sampled before all of this holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedbed.spec.errors import InvalidArgumentError, Words, bad_value, over_limit, shown
from seedbed.spec.info import MAX_SMALL_TENSOR_BYTES, MIN_CHUNK_BYTES, Limits
from seedbed.spec.initializers import DeltaOrthogonalSpec, OrthogonalSpec, SparseSpec
from seedbed.spec.reasons import Reason
from seedbed.spec.tensors import TensorRequest, TensorSpec
from seedbed.wire.field_count import has_more_fields
from seedbed_server.backends.rules import ElementwiseRule
from seedbed_server.refusals import ResumeOutOfRangeError
from seedbed_server.sampling.derivation import element_rule
from seedbed_server.sampling.lookups import piece_elements
from seedbed_server.sampling.sampler import SamplePlan

# A request's list of tensors takes about so much for each: its message, and its plan (measured).
PLANNED_TENSOR_BYTES = 2048
# A request has few fields beside its tensors, and a newer client's not many more.
OTHER_FIELDS = 100
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
        allowed = f"at most {limits.max_tensors_per_request} tensors"
        raise over_limit("tensors", allowed, count, "max_tensors_per_request")
    if count * PLANNED_TENSOR_BYTES > limits.max_working_bytes:
        allowed = f"at most {limits.max_working_bytes // PLANNED_TENSOR_BYTES} tensors"
        raise over_limit("tensors", allowed, count, "max_working_bytes")


def check_fields(data: bytes, limits: Limits) -> None:
    """Raise if a request lists so many tensors that parsing it would cost too much.

    To be called before it is parsed: what is allowed is then counted by :func:`check_tensor_count`.
    """
    most = 2 * limits.max_tensors_per_request + OTHER_FIELDS
    if has_more_fields(data, most):
        allowed = f"at most {limits.max_tensors_per_request} tensors"
        received = Words(f"a message of more than {most} fields")
        raise over_limit("tensors", allowed, received, "max_tensors_per_request")


def check_sizes(requests: Sequence[TensorRequest], limits: Limits) -> None:
    """Raise unless every tensor, and all of them together, are within the limits."""
    for i, request in enumerate(requests):
        check_size(f"tensors[{i}].spec.shape", request, limits)
    check_total_size(requests, limits)


def check_total_size(requests: Sequence[TensorRequest], limits: Limits) -> None:
    """Raise unless all tensors of a request together are within the limits."""
    total = sum(request.size_bytes for request in requests)
    if total > limits.max_request_bytes:
        allowed = f"of at most {limits.max_request_bytes} bytes in all"
        raise over_limit("tensors", allowed, Words(f"{total} bytes"), "max_request_bytes")


def check_costs(plans: Sequence[SamplePlan], path: str, limits: Limits) -> None:
    """Raise unless what is computed whole takes neither too long nor too much memory.

    Args:
        plans: of all tensors of a request.
        path: of the field that holds the tensors; ``{}`` stands for a tensor's place.
        limits: the server's.
    """
    most = limits.max_request_cost_seconds
    total = 0.0
    for i, each in enumerate(plans):
        if each.is_elementwise:
            continue
        check_working_bytes(each, path.format(i), limits)
        total += each.cost.core_seconds
        if total > most:
            allowed = f"of at most {most:g} core seconds in all"
            needed = Words(f"{shown(each.request.shape)}, {total:.0f} s with those before it")
            raise over_limit(path.format(i), allowed, needed, "max_request_cost_seconds")


def check_working_bytes(each: SamplePlan, path: str, limits: Limits) -> None:
    """Raise unless what is computed whole of one tensor takes not too much memory."""
    most = limits.max_working_bytes
    if not each.is_elementwise and each.cost.working_bytes > most:
        allowed = f"of at most {most} bytes to work with"
        needed = Words(f"{shown(each.request.shape)}, {each.cost.working_bytes} bytes")
        raise over_limit(path, allowed, needed, "max_working_bytes")


def check_small_tensor(request: TensorRequest, limits: Limits) -> None:
    """Raise unless a tensor is within the limits, and fits into one message."""
    path = "tensor.spec.shape"
    check_size(path, request, limits)
    if request.size_bytes > limits.max_request_bytes:
        allowed = f"of at most {limits.max_request_bytes} bytes"
        raise over_limit(path, allowed, _size(request), "max_request_bytes")
    if request.size_bytes > MAX_SMALL_TENSOR_BYTES:
        allowed = (
            f"of at most {MAX_SMALL_TENSOR_BYTES} bytes as requested, unless SampleTensors is asked"
        )
        raise over_limit(path, allowed, _size(request), "max_small_tensor_bytes")


def check_size(path: str, request: TensorRequest, limits: Limits) -> None:
    """Raise unless one tensor is within the limits; ``path`` is that of its shape."""
    if len(request.spec.shape) > limits.max_rank:
        raise over_limit(path, f"of at most {limits.max_rank} axes", request.spec.shape, "max_rank")
    if request.size_bytes > limits.max_tensor_bytes:
        allowed = f"of at most {limits.max_tensor_bytes} bytes as requested"
        raise over_limit(path, allowed, _size(request), "max_tensor_bytes")
    _check_pieces(path, request.spec, limits)


def _size(request: TensorRequest) -> Words:
    return Words(f"{shown(request.shape)}, {request.size_bytes} bytes")


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
        allowed = f"of at most {most} elements{together} for {spec.initializer.name()}"
        raise over_limit(path, allowed, spec.shape, "max_orthogonal_elements")


def check_resume(resume: ResumePoint, requests: Sequence[TensorRequest]) -> None:
    """Raise unless a resume point lies inside a request, at an element's boundary.

    Raises:
        InvalidValueError: if it is negative or inside an element.
        ResumeOutOfRangeError: if it is beyond the end.
    """
    for fault in resume_faults(resume):
        raise fault
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


def resume_faults(resume: ResumePoint) -> Iterator[InvalidArgumentError]:
    """Yield the error of each number of a resume point that is wrong by itself."""
    for name in ("tensor_index", "byte_offset"):
        if getattr(resume, name) < 0:
            yield bad_value(f"resume.{name}", "0 or more", getattr(resume, name))


def check_chunk_bytes(max_chunk_bytes: int, limits: Limits) -> None:
    """Raise unless a chunk size is one that the server sends."""
    field, most = "transfer.max_chunk_bytes", limits.max_chunk_bytes
    if max_chunk_bytes > most:
        raise over_limit(field, f"at most {most}", max_chunk_bytes, "max_chunk_bytes")
    if max_chunk_bytes < MIN_CHUNK_BYTES:
        raise bad_value(field, f"from {MIN_CHUNK_BYTES} to {most}", max_chunk_bytes)


def _out_of_range(field: str, largest: int, received: int) -> ResumeOutOfRangeError:
    message = f"`{field}` must be at most {largest}. Received: {received}"
    return ResumeOutOfRangeError(message, field=field, reason=Reason.RESUME_OUT_OF_RANGE)
