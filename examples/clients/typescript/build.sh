#!/usr/bin/env bash
# Builds the client into build/: installs what package.json names, generates, compiles.
set -euo pipefail
cd "$(dirname "$0")"
# No lock file: it would name a registry. The versions of package.json are exact.
npm install --no-package-lock --no-audit --no-fund --silent
rm -rf build
npx --no-install buf generate
npx --no-install tsc

cat >build/client <<EOF
#!/bin/sh
exec node '$PWD/build/js/src/main.js' "\$@"
EOF
chmod +x build/client
