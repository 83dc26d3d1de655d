#!/usr/bin/env bash
# Runs the tests of calls with the oldest and the newest protobuf and grpcio that pyproject.toml
# allows. The development environment has neither: its grpcio-tools holds protobuf back.
#
#   tests/ranges/run.sh PYTHON FOLDER [pytest's arguments]
#
# They are installed into folders below this one, and found before the interpreter's own.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$1
folder=$2
shift 2

for end in oldest newest; do
  packages=$PWD/$folder/$end
  mapfile -t requirements < <("$python" tests/ranges/requirements.py "$end")
  "$python" -m pip --quiet --disable-pip-version-check install --upgrade --target "$packages" \
    "${requirements[@]}"
  # The server's processes inherit it.
  status=0
  PYTHONPATH=$packages${PYTHONPATH:+:$PYTHONPATH} "$python" -m pytest \
    tests/ranges tests/unit/test_response_protos.py tests/property/test_framing.py \
    tests/integration/test_health_and_reflection.py tests/integration/test_small_tensor.py \
    tests/integration/test_protocol_page.py "$@" || status=$?
  # 5: none of the tests that the arguments pick are here.
  ((status == 0 || (status == 5 && $#))) || exit "$status"
done
