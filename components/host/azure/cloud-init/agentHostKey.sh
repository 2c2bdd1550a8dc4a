#!/bin/sh
# Tells Azure's agent, whose configuration is the file $1, which SSH host key the VM has. Otherwise the agent waits 30 minutes for an
# RSA key at each boot, and runs no extension meanwhile.
# Part of the VM's customData: a change other than of a comment replaces the VM.
[ -f "$1" ] || exit 0
sed -i '/^Provisioning\.SshHostKeyPairType=/d' "$1"
echo 'Provisioning.SshHostKeyPairType=ed25519' >>"$1"
