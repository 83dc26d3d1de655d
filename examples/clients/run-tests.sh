#!/usr/bin/env bash
# Runs all that speaks or computes seedbed in another language: the example clients with the
# conformance kit, the TypeScript package against the golden file, and its page in a browser.
# What a machine lacks the packages for is named as not run. Results go to
# tests/conformance/results, and must be those that docs/conformance.md shows.
set -uo pipefail
cd "$(dirname "$0")/../.."
results=$PWD/tests/conformance/results
export SEEDBED_CONFORMANCE_OUT=$results/golden/typescript-numerics.json
failed=()

# Installed, by Debian's names; elsewhere nobody knows.
lacking() {
  local package
  while read -r package; do
    dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
  done <"$1"
}

run() {
  local name=$1 packages=$2 lacks
  shift 2
  lacks=$(lacking "$packages" | paste -sd' ')
  if [[ -n $lacks ]]; then
    echo "not run: $name, for want of $lacks"
  elif ! (time "$@") >"$log" 2>&1; then
    failed+=("$name")
    echo "FAILED: $name"
    cat "$log"
  elif grep '^not run' "$log"; then
    :
  else
    echo "passed: $name ($(sed -n 's/^real[[:space:]]*//p' "$log"))"
  fi
}

log=$(mktemp)
trap 'rm "$log"' EXIT
for folder in examples/clients/*/; do
  name=$(basename "$folder")
  run "$name" "$folder/debian-packages.txt" "$folder/run-tests.sh" \
    --out "$results/kit/$name.json" --golden-out "$results/golden/$name.json"
done
run "the tutorial in Go" examples/clients/go/debian-packages.txt \
  .venv/bin/python -m tests.page_commands docs/tutorials/go.md
node=examples/clients/typescript/debian-packages.txt
run "the tutorial in TypeScript" "$node" \
  .venv/bin/python -m tests.page_commands docs/tutorials/typescript.md
run "seedbed-1 in TypeScript" "$node" packages/seedbed-1/run-tests.sh
run "the playground" docs/playground/debian-packages.txt docs/playground/run-tests.sh

.venv/bin/python -m tests.conformance.tables --check || failed+=("the tables of docs/conformance.md")
((${#failed[@]} == 0)) || { printf 'failed: %s\n' "${failed[@]}"; exit 1; }
