# shellcheck shell=bash
# Starts HAProxy.
# /proc/net/if_inet6 is missing if the kernel has no IPv6; HAProxy wouldn't start with a socket for it.
[ ! -e /proc/net/if_inet6 ] || export HAS_IPV6=1
# As a batch process, HAProxy doesn't preempt a service for each packet but handles packets in groups, which costs less CPU time per
# request on a busy machine.
exec chrt --batch 0 haproxy -W -db -f /etc/store/haproxy.cfg
