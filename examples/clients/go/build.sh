#!/usr/bin/env bash
# Generates the messages and builds build/seedbed-client from Debian's packages, without a network.
set -euo pipefail
cd "$(dirname "$0")"

generated=$PWD/build/gopath/src
mkdir -p "$generated"
protoc -I ../../../proto --go_out="$generated" --go-grpc_out="$generated" \
  ../../../proto/seedbed/v1/*.proto

# Debian's libraries lie in a GOPATH and not in modules; the generated package joins them there.
export GO111MODULE=off GOPATH=$PWD/build/gopath:/usr/share/gocode
go vet .
go build -o build/seedbed-client .
