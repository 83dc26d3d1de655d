#!/bin/sh
# Builds docs/playground/playground.js: the page and the package as one script, which runs from a
# file, too. With --check it only compares what is there with what would be built.
# `npm install --no-package-lock` comes first.
set -eu
cd "$(dirname "$0")"
page=../../docs/playground
bin=node_modules/.bin
banner='// Built by packages/seedbed-1/build-playground.sh; its sources are in src and the package.'
"$bin/tsc" --project "$page/tsconfig.json"
built=$(mktemp)
trap 'rm -f "$built"' EXIT
"$bin/esbuild" "$page/src/main.ts" --bundle --format=iife --target=es2022 --charset=utf8 \
  --legal-comments=none --log-level=warning --outfile="$built" --allow-overwrite \
  --banner:js="$banner"
if [ "${1:-}" = --check ]; then
  cmp "$built" "$page/playground.js" && exit 0
  echo "playground.js is not what its sources make: run packages/seedbed-1/build-playground.sh" >&2
  exit 1
fi
cp "$built" "$page/playground.js"
chmod 644 "$page/playground.js"
