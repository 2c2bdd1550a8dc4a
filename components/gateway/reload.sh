# shellcheck shell=bash
# Reloads HAProxy's configuration and waits until it is in use. A reload passes the listening sockets and the servers' states on to
# a new process, and the old process finishes its requests, so no request is refused.
# Argument: VERSION, as /version answers with this configuration. The ports and paths are those of haproxy.cfg.
set -eu
version=$1

running_version() { http_get 8404 /version | tail -n 1; }

before=$(running_version)
# A service that was unreachable before needn't become reachable by another service's change.
unreachable=none
case $before in
  "$version"*) ;;
  *)
    case $before in *" waits for "*) unreachable=${before#* waits for } ;; esac
    problems=$(haproxy -c -f /etc/store/haproxy.cfg 2>&1) || {
      echo "$problems" >&2
      exit 1
    }
    exec 4<>/dev/tcp/127.0.0.1/8405
    echo 'show servers state' >&4
    # Without unused server slots: HAProxy would report each of them as lost.
    grep -Ev '^[0-9]+ [^ ]+ [0-9]+ [^ ]+ - ' <&4 >/tmp/servers.state
    exec 4>&-
    # Process 1 is docker-init, which passes the signal on to HAProxy.
    kill -USR2 1
    ;;
esac

for _ in $(seq 150); do
  answer=$(running_version || true)
  [ "$answer" != "$version" ] || exit 0
  if [ "$answer" = "$version waits for $unreachable" ]; then
    echo "$unreachable was unreachable before the change of the gateway's configuration, and still is"
    exit 0
  fi
  sleep 0.2
done
echo "the gateway isn't ready with its new configuration after 30 s; its answer to /version: $answer" >&2
exit 1
