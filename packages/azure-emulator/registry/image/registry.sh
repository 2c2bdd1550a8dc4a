#!/bin/sh
# usage: registry.sh ADDRESS
# Creates a CA and a certificate for the IP address on the first start, then serves the registry until the container is stopped.
# Process 1 is HAProxy; it reloads its configuration on SIGUSR2, see reload-accounts.sh.
set -eu
address=$1
mkdir -p /var/lib/rehearsal/registry
cd /var/lib/rehearsal
umask 077
# A restarted container keeps its certificate.
if [ ! -e tls.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=rehearsal registry authority" \
    -keyout ca.key -out ca.crt 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$address" -keyout tls.key -out tls.csr 2>/dev/null
  printf 'subjectAltName=IP:%s\nextendedKeyUsage=serverAuth\n' "$address" >extensions
  openssl x509 -req -in tls.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out tls.crt 2>/dev/null
  cat tls.crt tls.key >tls.pem.draft
  mv tls.pem.draft tls.pem
fi
docker-registry serve /etc/rehearsal/registry.yml &
exec haproxy -W -f /etc/rehearsal/haproxy.cfg -f accounts.cfg
