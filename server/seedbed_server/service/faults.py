"""Everything that is wrong with a request: the second look at one that was found wrong.

The first look stops at the first error, and costs a right request nothing more.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence

from seedbed.spec.errors import InvalidArgumentError, InvalidValueError, Violation
from seedbed.spec.info import Limits
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import service_pb2, tensors_pb2
from seedbed.wire import protos
from seedbed_server.sampling.sampler import SamplePlan, plan
from seedbed_server.service.validation import (
    ResumePoint,
    check_chunk_bytes,
    check_costs,
    check_size,
    check_small_tensor,
    check_tensor_count,
    check_total_size,
    check_working_bytes,
    resume_faults,
)

MOST_VIOLATIONS = 16
# A request may hold ten thousand tensors with twenty faults each.
MOST_COUNTED = 1000

ManyTensorsRequest = (
    service_pb2.DescribeTensorsRequest
    | service_pb2.DigestTensorsRequest
    | service_pb2.SampleTensorsRequest
)
Request = ManyTensorsRequest | service_pb2.SampleSmallTensorRequest
Faults = Iterator[InvalidArgumentError]


def with_all_faults(
    first: InvalidArgumentError, request: Request, limits: Limits
) -> InvalidArgumentError:
    """Return one error for all that is wrong with a request, in the order of its fields.

    Args:
        first: what was found first; the only one where it is not just a wrong value. A numerics
            version that the server does not have may have other rules for all else, and a resume
            point is only compared with tensors that are right.
        request: what it is about.
        limits: the server's.
    """
    if type(first) is not InvalidValueError:
        return first
    found = list(itertools.islice(_faults(request, limits), MOST_COUNTED))
    if len(found) < 2:
        return found[0] if found else first
    more = f"at least {len(found) - 1}" if len(found) == MOST_COUNTED else str(len(found) - 1)
    return InvalidValueError(
        f"{found[0]} (and {more} more)",
        field=found[0].field,
        reason=found[0].reason,
        limit=found[0].limit,
        violations=[Violation(each.field, str(each)) for each in found[:MOST_VIOLATIONS]],
    )


def _faults(request: Request, limits: Limits) -> Faults:
    if isinstance(request, service_pb2.SampleSmallTensorRequest):
        yield from _faults_of_small(request.tensor, limits)
    else:
        yield from _faults_of_many(request.tensors, limits)
    yield from _fault(lambda: protos.numerics_from_proto(request.numerics))
    if not isinstance(request, service_pb2.DescribeTensorsRequest):
        yield from _fault(lambda: protos.digest_algorithm_from_proto(request))
    if isinstance(request, service_pb2.SampleTensorsRequest):
        resume, transfer = request.resume, request.transfer
        yield from resume_faults(ResumePoint(resume.tensor_index, resume.byte_offset))
        if transfer.HasField("max_chunk_bytes"):
            yield from _fault(lambda: check_chunk_bytes(transfer.max_chunk_bytes, limits))


def _faults_of_small(message: tensors_pb2.TensorRequest, limits: Limits) -> Faults:
    faults = list(protos.tensor_faults(message, "tensor"))
    yield from faults
    if not faults:
        wanted = protos.tensor_request_from_proto(message, "tensor")
        yield from _fault(lambda: check_small_tensor(wanted, limits))


def _faults_of_many(messages: Sequence[tensors_pb2.TensorRequest], limits: Limits) -> Faults:
    wrong_count = list(_fault(lambda: check_tensor_count(len(messages), limits)))
    if wrong_count:
        yield from wrong_count
        return
    right: list[SamplePlan] = []
    for i, message in enumerate(messages):
        faults = list(protos.tensor_faults(message, f"tensors[{i}]"))
        if not faults:
            wanted = protos.tensor_request_from_proto(message, f"tensors[{i}]")
            faults = list(_limit_faults(wanted, f"tensors[{i}].spec.shape", limits, right))
        yield from faults
    if len(right) == len(messages):
        yield from _fault(lambda: check_total_size([each.request for each in right], limits))
        yield from _fault(lambda: check_costs(right, "tensors[{}].spec.shape", limits))


def _limit_faults(
    wanted: TensorRequest, path: str, limits: Limits, right: list[SamplePlan]
) -> Faults:
    """Yield the error of a tensor that is by itself beyond a limit, or else add its plan."""
    try:
        check_size(path, wanted, limits)
        each = plan(wanted)
        check_working_bytes(each, path, limits)
    except InvalidArgumentError as error:
        yield error
    else:
        right.append(each)


def _fault(check: Callable[[], object]) -> Faults:
    """Yield the error that a check raises, if it does."""
    try:
        check()
    except InvalidArgumentError as error:
        yield error
