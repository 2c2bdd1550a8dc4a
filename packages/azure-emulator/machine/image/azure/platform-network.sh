#!/bin/sh
# Connects the VM to the addresses of Azure's platform, which are in a network namespace of their own: so the VM's containers reach
# them through the VM's firewall, as in Azure.
set -eu
ip netns add azure
# cloud-init ignores interfaces whose names begin with veth.
ip link add veth-azure type veth peer name platform netns azure
ip address add 169.254.0.1/32 dev veth-azure
ip link set veth-azure up
ip -n azure link set lo up
ip -n azure link set platform up
for address in 169.254.169.254 168.63.129.16; do
  ip -n azure address add "$address/32" dev platform
  ip route add "$address" dev veth-azure
done
ip -n azure route add default dev platform
