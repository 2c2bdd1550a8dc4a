#!/bin/sh
# Makes the TLS proxy use the accounts in /var/lib/rehearsal/draft. Validates them first, because process 1 ends on an invalid
# configuration. Open connections are not interrupted.
set -eu
cd /var/lib/rehearsal/draft
haproxy -q -c -f /etc/rehearsal/haproxy.cfg -f accounts.cfg
mv accounts.cfg permissions.txt ..
kill -USR2 1
