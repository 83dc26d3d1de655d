"""Generated code and gRPC's load with the packages of one end, as run.sh installs them."""

import subprocess
import sys
from os import environ
from pathlib import Path

PROGRAM = """
import google.protobuf, grpc
import seedbed.v1.errors_pb2, seedbed.v1.service_pb2_grpc
import google.rpc.status_pb2, grpc_health.v1.health_pb2_grpc, grpc_reflection.v1alpha.reflection
print(google.protobuf.__file__)
print(grpc.__file__)
"""


def test_generated_code_loads_with_the_packages_of_this_end() -> None:
    found = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    packages = Path(environ["PYTHONPATH"].split(":")[0])
    assert all(Path(line).is_relative_to(packages) for line in found.stdout.splitlines())
