# shellcheck shell=bash
# Reloads HAProxy's configuration and waits until it is in use and each service is reachable. A reload passes the listening sockets and
# the servers' states on to a new process, and the old process finishes its requests, so no request is refused.
# Arguments: VERSION [HEALTHY_SERVICE...], where VERSION is the answer to /version with this configuration. A service that isn't named, or
# that was unreachable before the reload, needn't become reachable. The ports and paths are those of haproxy.cfg.
set -eu
version=$1
shift
healthy=" $* "
unreachable=" "

running_version() { http_get 8404 /version | tail -n 1; }

# all_are_expected SERVICES: succeeds if none of the services needs to be reachable.
all_are_expected() {
  local service
  for service in $1; do
    case $unreachable in *" $service "*) continue ;; esac
    case $healthy in *" $service "*) return 1 ;; esac
  done
}

read_servers() {
  exec 4<>/dev/tcp/127.0.0.1/8405
  echo 'show servers state' >&4
  # Without unused server slots: HAProxy would report each of them as lost.
  grep -Ev '^[0-9]+ [^ ]+ [0-9]+ [^ ]+ - ' <&4 | number_slots >/tmp/servers.state
  exec 4>&-
}

# Gives the instances of each service the slots from the first one on. After a reload HAProxy fills the slots in this order from DNS, and would
# move an instance from a later slot to the first one: for a moment the service would have no instance.
number_slots() {
  local line backend="" slot=0
  while read -r line; do
    case $line in
      [0-9]*" "*)
        # shellcheck disable=SC2086 # the line's fields: BACKEND_ID BACKEND SLOT SERVER ...
        set -- $line
        [ "$2" = "$backend" ] || { backend=$2 slot=0; }
        slot=$((slot + 1))
        line="$1 $2 $slot $2$slot ${*:5}"
        ;;
    esac
    echo "$line"
  done
}

# Succeeds if HAProxy knows all instances of the healthy services, and each of them is up (2).
knows_all_instances() {
  local service address addresses
  for service in $healthy; do
    # IPv4 if there is any, like HAProxy.
    addresses=$(timeout 1 getent ahostsv4 "$service" || timeout 1 getent ahostsv6 "$service") || continue
    for address in $(echo "$addresses" | cut -d ' ' -f 1 | sort -u); do
      grep -q "^[0-9]* $service [0-9]* [^ ]* $address 2 " /tmp/servers.state || return 1
    done
  done
}

before=$(running_version)
case $before in
  "$version"*) ;;
  *)
    case $before in *" waits for "*) unreachable=" ${before#* waits for } " ;; esac
    problems=$(haproxy -c -f /etc/store/haproxy.cfg 2>&1) || {
      echo "$problems" >&2
      exit 1
    }
    # After the reload, the old process answers one more request on each idle connection, but resolves no name and checks no instance. So
    # it must know the replacement of an instance that the "up" deletes next. An instance that isn't ready delays the reload by 10 s.
    for _ in $(seq 50); do
      read_servers
      ! knows_all_instances || break
      sleep 0.2
    done
    # Process 1 is docker-init, which passes the signal on to HAProxy.
    kill -USR2 1
    ;;
esac

for _ in $(seq 150); do
  answer=$(running_version || true)
  [ "$answer" != "$version" ] || exit 0
  waits_for=${answer#"$version waits for "}
  if [ "$waits_for" != "$answer" ] && all_are_expected "$waits_for"; then
    echo "unreachable, but not because of the gateway's new configuration: $waits_for"
    exit 0
  fi
  sleep 0.2
done
echo "the gateway isn't ready with its new configuration after 30 s; its answer to /version: $answer" >&2
exit 1
