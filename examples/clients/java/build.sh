#!/usr/bin/env bash
# Builds the client into build/, from the schema and Debian's packages (debian-packages.txt).
set -euo pipefail
cd "$(dirname "$0")"
proto=$(realpath ../../../proto)
jars=(grpc-api grpc-context grpc-core grpc-netty grpc-protobuf grpc-protobuf-lite grpc-stub
  protobuf protobuf-util proto-google-common-protos gson guava perfmark-api
  netty-buffer netty-codec netty-codec-http netty-codec-http2 netty-common netty-handler
  netty-resolver netty-transport geronimo-annotation-1.3-spec)
classpath=$(printf '/usr/share/java/%s.jar:' "${jars[@]}")

rm -rf build
mkdir -p build/generated build/classes
protoc --proto_path="$proto" --java_out=build/generated --grpc-java_out=build/generated \
  --plugin=protoc-gen-grpc-java="$(command -v grpc_java_plugin)" --proto_path=proto \
  "$proto"/seedbed/v1/*.proto proto/google/rpc/*.proto
find build/generated src -name '*.java' >build/sources
javac -nowarn -encoding UTF-8 --release 17 -cp "$classpath" -d build/classes @build/sources

cat >build/client <<EOF
#!/bin/sh
exec java -cp '$PWD/build/classes:$classpath' seedbed.example.Main "\$@"
EOF
chmod +x build/client
