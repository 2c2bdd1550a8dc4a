#!/usr/bin/env bash
# Runs another version of Docker beside this machine's own, from Debian's packages, as root:
#   daemon.sh start NAME SUITE [DOCKERD_OPTION...]   starts a daemon and waits until it answers
#   daemon.sh exec NAME COMMAND [ARGUMENT...]        runs a command that uses the daemon
#   daemon.sh load NAME IMAGE...                     copies images from the daemon that this shell uses
#   daemon.sh sshd NAME PUBLIC_KEY_FILE              starts an SSH server beside the daemon at port 22; only in suites with "-ssh"
#   daemon.sh stop NAME                              stops the daemon and its containers; keeps images and volumes
#   daemon.sh remove NAME                            stops the daemon and deletes its images and volumes
# SUITE: bookworm (Docker 20.10), trixie (26.1) or sid (28.5). With "-ssh" (for example sid-ssh), also an SSH server; with "-rootless",
# the daemon of a user other than root; with "-podman", Podman's Docker API instead of Docker.
# Example with the containerd image store: daemon.sh start containerd sid --feature containerd-snapshotter=true
#
# The daemon has a network namespace of its own, so it changes no firewall rule or interface of this machine. It publishes ports there,
# and "exec" runs its command there. It reaches the internet through slirp4netns.
# It also has a mount namespace whose root is the suite's root file system: in a plain chroot, Docker would run health checks in this
# machine's root file system. Bind mounts work for folders under /tmp and those in STORE_DOCKER_SHARED (separated by spaces).
# A rootless daemon uses this machine's network namespace: it has no right to change anything there, and publishes ports as a process.
set -euo pipefail

home=${STORE_DOCKER_HOME:-/var/tmp/store-docker}
# User of a rootless daemon. It exists in the suite's root file system only.
user_id=41999

main() {
  local command=${1-}
  name=${2-}
  case $name in '' | *[!a-z0-9-]*) usage ;; esac
  shift 2
  run=/run/store-docker-$name
  data=$home/$name.data
  host=unix://$run/docker.sock
  case $command in
    start | load | sshd | stop | remove) "$command" "$@" ;;
    exec) exec_command "$@" ;;
    *) usage ;;
  esac
}

usage() {
  sed -n '2,11s/^# //p' "$0" >&2
  exit 2
}

start() {
  local suite=${1:?SUITE is missing}
  shift
  root=$home/$suite
  case $suite in *-*) kind=${suite#*-} ;; *) kind=docker ;; esac
  if is_running; then
    echo "$name is running already. Stop it: $0 stop $name" >&2
    exit 1
  fi
  make_root "${suite%%-*}"
  mkdir -p "$run" "$data"
  export root run data kind user_id
  local net=--net
  if [ "$kind" = rootless ]; then
    net=
    chown "$user_id:$user_id" "$run" "$data"
  fi
  # exec keeps the process ID up to dockerd.
  # shellcheck disable=SC2086
  setsid unshare --mount $net --propagation private \
    bash -c "$(declare -f become_daemon run_rootless run_podman); become_daemon \"\$@\"" bash "$@" >"$run/log" 2>&1 </dev/null &
  echo $! >"$run/pid"
  if [ "$kind" != rootless ]; then connect_network; fi
  wait_until_ready
  echo "$host"
}

make_root() {
  local packages=iptables,iproute2,ca-certificates,slirp4netns
  [ ! -e "$root/made" ] || return 0
  if [ "$kind" != podman ]; then
    packages=$packages,docker.io,containerd,runc
    # Only newer suites have version 2 of these plugins.
    if [ "$1" != bookworm ]; then packages=$packages,docker-cli,docker-buildx,docker-compose; fi
  fi
  case $kind in
    rootless) packages=$packages,rootlesskit,uidmap,fuse-overlayfs,procps ;;
    podman) packages=$packages,podman,crun,conmon,netavark,aardvark-dns,nftables,catatonit,golang-github-containers-common ;;
    ssh) packages=$packages,openssh-server ;;
  esac
  mkdir -p "$home"
  rm -rf "$root"
  debootstrap --variant=minbase --include="$packages" "$1" "$root" >"$root.log" 2>&1 ||
    fail "debootstrap failed" "$root.log"
  if [ "$kind" = rootless ]; then chroot "$root" useradd --create-home --uid "$user_id" store; fi
  touch "$root/made"
}

become_daemon() {
  set -euo pipefail
  ip link set lo up
  # The address at which slirp4netns answers DNS queries.
  echo 'nameserver 10.0.2.3' >"$run/resolv.conf"
  mount --bind "$root" "$root"
  cd "$root"
  mkdir -p oldroot var/lib/docker
  for folder in dev proc sys tmp; do mount --rbind "/$folder" "$root/$folder"; done
  # The other programs have fixed folders in /run, which would clash with another daemon's.
  if [ "$kind" = docker ]; then
    mount --rbind /run "$root/run"
  else
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mkdir -p "$root$run"
    mount --bind "$run" "$root$run"
  fi
  for folder in ${STORE_DOCKER_SHARED-}; do
    mkdir -p "$root$folder"
    mount --rbind "$folder" "$root$folder"
  done
  mount --bind "$data" var/lib/docker
  mount --bind "$run/resolv.conf" etc/resolv.conf
  pivot_root . oldroot
  cd /
  umount -l /oldroot
  case $kind in
    rootless) run_rootless "$@" ;;
    podman) run_podman ;;
  esac
  exec dockerd --host "unix://$run/docker.sock" --pidfile "$run/docker.pid" --exec-root "$run" \
    --data-root /var/lib/docker "$@"
}

run_rootless() {
  exec setpriv --reuid "$user_id" --regid "$user_id" --clear-groups env --ignore-environment \
    HOME=/home/store USER=store PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin XDG_RUNTIME_DIR="$run" \
    DOCKERD_ROOTLESS_ROOTLESSKIT_NET=slirp4netns \
    /usr/share/docker.io/contrib/dockerd-rootless.sh --host "unix://$run/docker.sock" --data-root /var/lib/docker "$@"
}

run_podman() {
  exec podman --root /var/lib/docker --runroot "$run/containers" system service --time 0 "unix://$run/docker.sock"
}

connect_network() {
  # Otherwise the interface could become one of this machine's.
  until_true 100 in_own_network || fail "$name got no network namespace" "$run/log"
  cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
  setsid unshare --mount --propagation private \
    bash -c "$(declare -f run_slirp4netns); run_slirp4netns" >"$run/network.log" 2>&1 </dev/null &
  echo $! >"$run/network.pid"
}

run_slirp4netns() {
  set -euo pipefail
  for folder in dev proc; do mount --rbind "/$folder" "$root/$folder"; done
  exec chroot "$root" slirp4netns --configure --mtu=1400 "$(<"$run/pid")" tap0
}

in_own_network() {
  local own
  own=$(readlink "/proc/$(<"$run/pid")/ns/net") && [ "$own" != "$(readlink /proc/self/ns/net)" ]
}

wait_until_ready() {
  until_true 600 docker --host "$host" version || fail "$name doesn't answer" "$run/log"
}

# until_true TENTHS COMMAND...
until_true() {
  local left=$1
  shift
  until "$@" >/dev/null 2>&1; do
    ((left-- > 0)) || return
    sleep 0.1
  done
}

exec_command() {
  is_running || fail "$name isn't running"
  # These variables would select another daemon.
  exec env --unset=DOCKER_CONTEXT --unset=DOCKER_TLS_VERIFY --unset=DOCKER_CERT_PATH DOCKER_HOST="$host" \
    nsenter --net="/proc/$(<"$run/pid")/ns/net" "$@"
}

# Waits until the SSH server answers: its clients don't retry.
sshd() {
  is_running || fail "$name isn't running"
  local folder=/run/sshd-store
  install -D --mode 600 "$1" "$run/ssh/authorized_keys"
  ssh-keygen -q -t ed25519 -N '' -f "$run/ssh/host_key"
  nsenter --target "$(<"$run/pid")" --mount --net --root -- bash -c "mkdir -p /run/sshd $folder && cp $run/ssh/* $folder &&
    ln -s $run/docker.sock /run/docker.sock &&
    exec /usr/sbin/sshd -f /dev/null -h $folder/host_key -o PidFile=$run/sshd.pid -o AuthorizedKeysFile=$folder/authorized_keys \
      -o UsePAM=no -o PermitRootLogin=yes -o MaxStartups=100:30:200 -o MaxSessions=100"
  cat "$run/ssh/host_key.pub"
}

load() {
  docker save "$@" | docker --host "$host" load
}

stop() {
  local pid_file pid
  is_running || return 0
  docker --host "$host" ps --quiet | xargs --no-run-if-empty docker --host "$host" stop --time 5 >/dev/null
  for pid_file in "$run/sshd.pid" "$run/pid" "$run/network.pid"; do
    [ -e "$pid_file" ] || continue
    # sshd deletes its file when it ends.
    pid=$(<"$pid_file")
    kill "$pid" 2>/dev/null || continue
    tail --pid="$pid" --follow /dev/null
  done
  rm -rf "$run"
}

remove() {
  stop
  rm -rf "$data"
}

is_running() {
  [ -e "$run/pid" ] && kill -0 "$(<"$run/pid")" 2>/dev/null
}

fail() {
  echo "$1${2:+; the end of $2:}" >&2
  [ $# -lt 2 ] || tail -n 10 "$2" >&2
  exit 1
}

main "$@"
