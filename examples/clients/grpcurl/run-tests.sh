#!/usr/bin/env bash
# Runs the README's commands against a server and checks the answers; without grpcurl, checks the
# requests only.
set -euo pipefail
cd "$(dirname "$0")"
root=$(realpath ../../..)

"$root/.venv/bin/python" check.py requests
if ! command -v grpcurl >/dev/null; then
  echo "not run: no grpcurl"
  exit 0
fi

out=$(mktemp -d)
"$root/.venv/bin/seedbed-server" --listen 127.0.0.1:0 2>"$out/log" &
server=$!
trap 'kill $server 2>/dev/null; wait $server || true; rm -rf "$out"' EXIT
until grep -q ' serving ' "$out/log"; do
  kill -0 $server 2>/dev/null || { cat "$out/log"; exit 1; }
  sleep 0.1
done
address=$(sed -n 's/.* listening address=//p' "$out/log")

while read -r command; do
  echo "\$ $command"
  code=0
  bash -c "${command//127.0.0.1:50051/$address}" >"$out/answer" 2>&1 || code=$?
  "$root/.venv/bin/python" check.py answer "$command" "$code" <"$out/answer"
done < <(grep '^grpcurl -plaintext' README.md)
