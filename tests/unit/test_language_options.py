"""Every file of the schema names its packages, and no two generated names are the same."""

from collections import Counter
from importlib import resources

import pytest
from google.protobuf.descriptor_pb2 import (
    FileDescriptorProto,
    FileDescriptorSet,
    FileOptions,
)

SCHEMA = resources.files("seedbed.v1") / "seedbed.binpb"
FILES = FileDescriptorSet.FromString(SCHEMA.read_bytes()).file


def outer_class(file: FileDescriptorProto) -> str:
    """Return the class that Java has for a file, such as TensorsProto."""
    return file.name.removeprefix("seedbed/v1/").removesuffix(".proto").capitalize() + "Proto"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_has_the_options_of_all_and_an_outer_class_of_its_own(
    file: FileDescriptorProto,
) -> None:
    """A file without this class gets another one in Java on the day a message has its name."""
    assert file.options == FileOptions(
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
        names += [each.name for each in file.enum_type]
        names += [each.name for each in file.service]
        for message in file.message_type:
            names += [message.name, f"{message.name}OrBuilder"]  # Java has both
    counts = Counter(name.lower() for name in names)
    assert {name: count for name, count in counts.items() if count > 1} == {}


def test_a_checksum_has_the_highest_number_that_its_message_will_ever_have() -> None:
    """It covers what comes before it, so nothing may come after it."""
    messages = [message for file in FILES for message in file.message_type]
    checked = [m for m in messages if any(field.name == "checksum" for field in m.field)]
    assert len(checked) == 4
    for message in checked:
        assert max((field.number, field.name) for field in message.field) == (15, "checksum")
