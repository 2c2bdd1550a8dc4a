#!/bin/sh
# usage: registry.sh ADDRESS
# Makes an authority and a certificate for the address, and serves with them, and with the accounts of the file door.cfg that was
# put next to them, until it is told to end. Process 1 is HAProxy, which reads that file anew by SIGUSR2.
set -eu
address=$1
mkdir -p /var/lib/rehearsal/registry
cd /var/lib/rehearsal
umask 077
# Started again after a fault, it is the same one.
if [ ! -e config.yml ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=rehearsal registry authority" \
    -keyout ca.key -out ca.crt 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$address" -keyout tls.key -out tls.csr 2>/dev/null
  printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth\n' "$address" >extensions
  openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out tls.crt 2>/dev/null
  cat tls.crt tls.key >tls.pem
  cat >config.yml <<CONFIG
version: 0.1
log: { level: warn, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: /var/lib/rehearsal/registry }, delete: { enabled: true } }
http: { addr: "127.0.0.1:5001", relativeurls: true }
CONFIG
fi
docker-registry serve config.yml &
exec haproxy -W -f door.cfg
