#!/bin/sh
# Opens the playground in a headless Chromium and tries it; needs Node 20 or newer, npm and chromium
# (CHROMIUM names another program). First the script is compared with what its sources make.
set -eu
cd "$(dirname "$0")"
package=../../packages/seedbed-1
npm install --prefix "$package" --no-package-lock --no-audit --no-fund --silent
"$package/build-playground.sh" --check
cd test
npm install --no-package-lock --no-audit --no-fund --silent
npm run --silent test
