#!/usr/bin/env bash
# Makes secrets/: an authority of your own, a certificate for HAProxy, and one for the servers behind it, for a year.
# Run it again for new ones: make-certificates.sh [HOST ...], by which clients call HAProxy; localhost without any.
set -euo pipefail
cd "$(dirname "$0")"

hosts=("${@:-localhost}")
# Others do not get into the folder; in it, files are readable, for the users of the containers.
(umask 077 && mkdir -p secrets)
mkdir -p secrets/server secrets/haproxy

# certificate NAME FOLDER HOST...: NAME.crt and NAME.key, replaced at once.
certificate() {
  local name=$1 folder=secrets/$2 names
  names=$(printf ',DNS:%s' "${@:3}")
  openssl req -x509 -CA secrets/ca.crt -CAkey secrets/ca.key -days 365 -subj "/CN=$3" \
    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -addext "subjectAltName=${names:1}" -addext "basicConstraints=critical,CA:FALSE" \
    -addext "extendedKeyUsage=serverAuth" -out "$folder/$name.crt.new" -keyout "$folder/$name.key.new"
  chmod 644 "$folder/$name.key.new"
  mv "$folder/$name.crt.new" "$folder/$name.crt"
  mv "$folder/$name.key.new" "$folder/$name.key"
}

[[ -f secrets/ca.crt ]] ||
  openssl req -x509 -days 3650 -subj "/CN=seedbed" -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out secrets/ca.crt -keyout secrets/ca.key
certificate server server server-1 server-2 server-3
certificate haproxy haproxy "${hosts[@]}"
cat secrets/haproxy/haproxy.{crt,key} > secrets/haproxy/haproxy.pem
cp secrets/ca.crt secrets/haproxy/ca.crt
