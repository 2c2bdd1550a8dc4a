#!/bin/sh
# Substitute for dhclient, which cloud-init runs before it asks Azure's metadata service: Docker has configured the interface, and its
# network has no DHCP server. The lease has Azure's two routes, which the program looks for, and its option 245, the agent's endpoint.
# usage: dhclient [OPTION…] -lf LEASE -pf PID_FILE INTERFACE -sf SCRIPT
set -eu
while [ $# -gt 0 ]; do
  case $1 in
    -lf) lease=$2 && shift ;;
    -pf) pid_file=$2 && shift ;;
    -sf | -cf) shift ;;
    -*) ;;
    *) interface=$1 ;;
  esac
  shift
done
# 2: eth0    inet 172.18.0.2/16 brd 172.18.255.255 scope global eth0
# shellcheck disable=SC2046 # words
set -- $(ip -4 -oneline address show dev "$interface")
address=${4%/*} prefix=${4#*/} broadcast=$6
router=$(ip -4 route show default dev "$interface" | cut -d ' ' -f 3)
gateway=$(echo "$router" | tr . ,)
cat >"$lease" <<LEASE
lease {
  interface "$interface";
  fixed-address $address;
  option subnet-mask $prefix;
  option broadcast-address $broadcast;
  option routers $router;
  option rfc3442-classless-static-routes 32,168,63,129,16,$gateway,32,169,254,169,254,$gateway;
  option unknown-245 a8:3f:81:10;
}
LEASE
# cloud-init waits for a daemon, and kills it.
sleep 60 >/dev/null 2>&1 &
echo $! >"$pid_file"
