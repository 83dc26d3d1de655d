#!/bin/sh
# Builds the package and runs its tests; needs Node 20 or newer and npm.
# SEEDBED_CONFORMANCE_OUT names a file for the counts of golden tensors, by initializer and dtype.
set -eu
cd "$(dirname "$0")"
npm install --no-package-lock --no-audit --no-fund --silent
rm -rf dist
npm run --silent build
npm run --silent test
