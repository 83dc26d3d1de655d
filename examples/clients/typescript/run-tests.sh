#!/usr/bin/env bash
# Builds the client, runs the README's commands against a server, calls servers with TLS and tokens,
# and then runs the conformance kit, which takes the arguments: --out FILE, for one.
set -euo pipefail
cd "$(dirname "$0")"
root=$(realpath ../../..)

./build.sh

out=$(mktemp -d)
"$root/.venv/bin/seedbed-server" --listen 127.0.0.1:0 2>"$out/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server || true; rm -rf "$out"' EXIT
until grep -q ' serving ' "$out/log"; do
  kill -0 $server 2>/dev/null || { cat "$out/log"; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/.* listening address=//p' "$out/log")

# Those commands of the README that call a server, each with its output in a file of its name.
grep '^build/client 127' README.md >"$out/commands"
while read -r command; do
  echo "\$ $command"
  name=$(awk '{ print $3 "-" $4 }' <<<"$command")
  code=0
  bash -c "${command//127.0.0.1:50051/$address}" >"$out/$name" 2>"$out/error" || code=$?
  if [[ $name == fetch-refused.json ]]; then
    ((code == 1))
    grep -q '"INVALID_VALUE"' "$out/error"
    grep -q '"tensors\[0\].spec.initializer.variance_scaling.scale"' "$out/error"
  elif ((code)); then
    cat "$out/error"
    exit 1
  fi
done <"$out/commands"
(($(wc -l <"$out/commands") == 6))
grep -q '"glorot_uniform"' "$out/list-"
grep -q '"fan_in"' "$out/describe-manifest.json"
(($(stat --format=%s build/tensors/1.bin) == 2048 * 512 * 4))

# What the client has computed of the bytes is what the server has computed without sending them.
digests() { grep -E '"(digest|value)"' "$1" | grep -oE '[0-9a-f]{32}'; }
diff <(digests "$out/digest-manifest.json") <(digests "$out/fetch-manifest.json")
(($(digests "$out/digest-manifest.json" | wc -l) == 4))

# The server writes out what these requests leave to it, and the client knows it.
build/client "$address" digest defaults.json >/dev/null
echo "the README's commands: right"

if [[ -f $root/tests/conformance/__main__.py ]]; then
  client="$PWD/build/client conformance"
  cd "$root"
  .venv/bin/python -m pytest -q examples/clients/typescript/tests
  .venv/bin/python -m tests.conformance --client "$client" --name typescript "$@"
fi
