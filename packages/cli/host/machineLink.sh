# shellcheck shell=sh
# Prints the ports of another machine of a swarm that are closed to this one: TCP ports, and UDP 4789, over which the packets between containers
# pass (VXLAN). For the latter, both machines run this at the same time: each has an interface like those of Docker's networks for a few
# seconds, and looks whether the other one is found there. That needs root; without it, this prints "unchecked".
# Arguments: PEER, the other machine's address; TCP, its ports, between spaces; ID of the pair; OWN and OTHER, 1 and 2 on one of the machines
# and 2 and 1 on the other.
set -u
peer=$1 tcp=$2 id=$3 own=$4 other=$5
interface=store-check$id
PATH=$PATH:/usr/sbin:/sbin

unchecked() {
  echo unchecked
  exit 0
}

# bash sends packets and opens connections without another program.
command -v bash >/dev/null || unchecked
for port in $tcp; do
  timeout 5 bash -c "exec 3<>/dev/tcp/$peer/$port" 2>/dev/null || echo "TCP $port"
done

as_root true 2>/dev/null || unchecked
remove() { as_root ip link delete "$interface" 2>/dev/null; }
remove
as_root ip link add "$interface" type vxlan id "$((16770000 + id))" dstport 4789 remote "$peer" 2>/dev/null || unchecked
trap remove EXIT
# Addresses that are valid on one link only: four for each pair.
network=169.254.$((64 + id / 64)) first=$((id % 64 * 4))
as_root ip address add "$network.$((first + own))/30" dev "$interface" || unchecked
as_root ip link set "$interface" up || unchecked

# The other machine may start some seconds later.
tries=30
until ip neighbour show "$network.$((first + other))" dev "$interface" | grep -q lladdr; do
  tries=$((tries - 1))
  [ $tries -gt 0 ] || {
    echo "UDP 4789"
    exit 0
  }
  bash -c "echo >/dev/udp/$network.$((first + other))/9" 2>/dev/null
  sleep 0.5
done
# The other machine may not have found this one yet, whose own packets may be the ones that have arrived.
sleep 3
