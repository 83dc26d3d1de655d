#!/usr/bin/env bash
# Runs the tests against each framework in a process of its own: some of them cannot live in one.
#
#   tests/frameworks/run.sh PYTHON [pytest's arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$1
shift

for folder in tests/frameworks/*/; do
  status=0
  "$python" -m pytest "$folder" "$@" || status=$?
  # 5: none of the tests that the arguments pick are here.
  ((status == 0 || (status == 5 && $#))) || exit "$status"
done
