"""The schema of the last release, and what it would be without some of its fields."""

from pathlib import Path

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import DescriptorProto, FileDescriptorSet
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

RELEASED = Path(__file__).parents[1] / "proto/released/seedbed-v1.binpb"
PACKAGE = "seedbed.v1"


def request_types_without(field: str) -> dict[str, type[Message]]:
    """Return every method's type of request, in a schema without a field.

    Args:
        field: its message and its name, such as ``TensorSpec.draw``.
    """
    schema = FileDescriptorSet.FromString(RELEASED.read_bytes())
    message, _, name = field.partition(".")
    (found,) = (each for file in schema.file for each in file.message_type if each.name == message)
    _remove(found, name)
    pool = descriptor_pool.DescriptorPool()
    for file in schema.file:
        pool.Add(file)
    service = pool.FindServiceByName(f"{PACKAGE}.SeedbedService")
    return {method.name: GetMessageClass(method.input_type) for method in service.methods}


def _remove(message: DescriptorProto, name: str) -> None:
    (field,) = (each for each in message.field if each.name == name)
    message.field.remove(field)
    if field.proto3_optional:  # then it has a oneof of its own
        del message.oneof_decl[field.oneof_index]
        for each in message.field:
            if each.HasField("oneof_index") and each.oneof_index > field.oneof_index:
                each.oneof_index -= 1
