"""Whether an answer is that of the request that was sent.

Bytes can be damaged on the way to a server, and an older server does not see fields that it does
not know. Both would be answered with another tensor, and a digest that is right for it.
"""

from seedbed.errors import DataLossError
from seedbed.spec.info import NUMERICS
from seedbed.spec.tensors import TensorRequest
from seedbed.v1 import streams_pb2, tensors_pb2
from seedbed.wire import protos


def name_of(index: int, request: TensorRequest) -> str:
    """Return what errors call the tensor at a place of the requests."""
    name = request.spec.name
    return f"tensor {index} ({name!r})" if name else f"tensor {index}"


def lost(what: str) -> DataLossError:
    """Return the error for bytes that do not fit, and are worth another try."""
    return DataLossError(
        f"{what}; fetch it again, and if that repeats, "
        "look at the network between here and the server"
    )


def check_header(index: int, request: TensorRequest, header: streams_pb2.TensorHeader) -> None:
    """Raise DataLossError unless a header is that of what was asked for."""
    check_understood(index, request, header.request)
    announced = protos.header_from_proto(header)
    expected = (request.shape, request.spec.dtype, request.size_bytes, NUMERICS)
    if announced != expected:
        raise lost(f"{name_of(index, request)} came as {announced}, {expected} was asked for")


def check_understood(
    index: int, request: TensorRequest, repeated: tensors_pb2.TensorRequest
) -> None:
    """Raise DataLossError unless an answer repeats the request that was sent."""
    found = protos.difference(request, repeated)
    if found is not None:
        raise DataLossError(
            f"the server answers for another tensor than {name_of(index, request)}, as it read "
            f"{found.field} as {found.understood} where {found.asked} was sent: the way to the "
            "server damages bytes, or the server is older than this client and does not know the "
            "field; ask again, or another server"
        )


def check_numerics(target: str, numerics: object) -> None:
    """Raise DataLossError unless an answer is by the numerics version that was asked for."""
    if numerics != protos.numerics_to_proto():
        raise DataLossError(
            f"{target} answered with numerics {numerics}, {NUMERICS} was asked for; "
            "ask again, or another server"
        )
