#!/usr/bin/env bash
# Builds the container image, runs it and checks it from outside, as a user would meet it.
#
#   tests/container/run.sh [BUILD_TOOL]
#
# Uses Docker ($DOCKER, such as podman) if its engine answers. Elsewhere BUILD_TOOL, or $SEEDBED_IMAGE_TOOL, does the
# work: a program with the verbs `build TAG -- ARGUMENTS`, `run TAG COMMAND`, `entry TAG ARGUMENTS` and `inspect TAG`,
# whose containers share the machine's network, and which has a base image of its own. $IMAGE is the tag, $PYTHON an interpreter of `make venv`.
set -euo pipefail
cd "$(dirname "$0")/../.."

docker=${DOCKER:-docker}
image=${IMAGE:-seedbed:dev}
tool=${1:-}
if [[ -z $tool ]] && ! "$docker" info >/dev/null 2>&1; then
  tool=${SEEDBED_IMAGE_TOOL:-}
  if [[ -z $tool ]]; then
    echo "run.sh: no Docker engine answers; start one, or name a BUILD_TOOL" >&2
    exit 2
  fi
fi
python=${PYTHON:-.venv/bin/python}
if [[ ! -x $(command -v "$python") ]]; then
  echo "run.sh: $python is missing: make venv, or set PYTHON" >&2
  exit 2
fi

SECONDS=0
# buildah and podman keep health checks in Docker's format only.
if [[ -n $tool ]]; then
  "$tool" build "$image" -- --format docker --build-arg BASE_DIGEST=
elif "$docker" --version | grep -qi podman; then
  "$docker" build --format docker --tag "$image" .
else
  "$docker" build --tag "$image" .
fi
echo "built in $SECONDS s"

if [[ -n $tool ]]; then
  exec "$python" -m tests.container.check_image "$image" --tool "$tool"
fi
exec "$python" -m tests.container.check_image "$image" --docker "$docker"
