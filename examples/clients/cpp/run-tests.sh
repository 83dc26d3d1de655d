#!/usr/bin/env bash
# Builds the client, runs the commands of its README against a server, and puts the conformance
# kit's cases to it. Installs nothing. Arguments are for the kit.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../../.. && pwd)
make -j"$(nproc)"

work=$(mktemp -d)
"$root/.venv/bin/seedbed-server" --listen 127.0.0.1:0 >"$work/log" 2>&1 &
server=$!
trap 'kill $server; wait $server || true; rm -r "$work"' EXIT
# The first start on a machine compiles the kernels.
timeout 120 sh -c "until grep -q ' serving ' '$work/log'; do kill -0 $server && sleep 0.2; done"
target=$(sed -n 's/.* listening address=\([^ ]*\).*/\1/p' "$work/log")

client=build/seedbed-client
grep "^    $client " README.md | sed "s/127.0.0.1:50051/$target/" >"$work/commands"
while read -r command; do
  echo "$command"
  $command >"$work/answer"
  test -s "$work/answer"
done <"$work/commands"

# An independent judge of the bytes: the server's SHA-256 digests, and sha256sum's of the files.
sed '1a "digest_algorithm": "DIGEST_ALGORITHM_SHA256",' manifest.json >"$work/sha256.json"
$client "$target" fetch "$work/sha256.json" "$work" >/dev/null
$client "$target" digest "$work/sha256.json" | sed -n 's/.*"value": "\(.*\)".*/\1/p' >"$work/said"
sha256sum "$work"/tensor-?.bin | cut -d' ' -f1 | diff - "$work/said"

# What is refused is told with its reason and field, and ends the program.
sed 's/12564, 0/50000, 0/' manifest.json >"$work/refused.json"
if $client "$target" fetch "$work/refused.json" 2>"$work/refusal"; then exit 1; fi
grep 'SLICE_OUT_OF_RANGE at tensors\[0\].slice.lengths\[0\]' "$work/refusal"

if [[ -d $root/tests/conformance ]]; then
  cd "$root"
  .venv/bin/python -m tests.conformance --name cpp "$@" \
    --client "$PWD/examples/clients/cpp/$client conformance"
fi
