"""Every file of the schema names its packages, and no two generated names are the same."""

from collections import Counter

import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor

from seedbed.v1 import (
    descriptions_pb2,
    errors_pb2,
    initializers_pb2,
    segments_pb2,
    service_pb2,
    streams_pb2,
    tensors_pb2,
)

FILES: tuple[FileDescriptor, ...] = tuple(
    module.DESCRIPTOR
    for module in (
        descriptions_pb2,
        errors_pb2,
        initializers_pb2,
        segments_pb2,
        service_pb2,
        streams_pb2,
        tensors_pb2,
    )
)


def outer_class(file: FileDescriptor) -> str:
    """Return the class that Java has for a file, such as TensorsProto."""
    return file.name.removeprefix("seedbed/v1/").removesuffix(".proto").capitalize() + "Proto"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_has_the_options_of_all_and_an_outer_class_of_its_own(file: FileDescriptor) -> None:
    """A file without this class gets another one in Java on the day a message has its name."""
    assert file.GetOptions() == descriptor_pb2.FileOptions(
        csharp_namespace="Seedbed.V1",
        go_package="seedbed.v1/seedbedv1;seedbedv1",
        java_multiple_files=True,
        java_outer_classname=outer_class(file),
        java_package="seedbed.v1",
        objc_class_prefix="SBD",
        php_namespace="Seedbed\\V1",
        ruby_package="Seedbed::V1",
    )


def test_no_two_generated_names_are_the_same_even_in_a_folder_that_ignores_case() -> None:
    names = [outer_class(file) for file in FILES]
    for file in FILES:
        names += [*file.enum_types_by_name, *file.services_by_name]
        for message in file.message_types_by_name:
            names += [message, f"{message}OrBuilder"]  # Java has both
    counts = Counter(name.lower() for name in names)
    assert {name: count for name, count in counts.items() if count > 1} == {}
