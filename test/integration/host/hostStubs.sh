#!/bin/sh
# Sets up a machine without Docker, for tests of installDocker.sh in a container: stubs of the programs that the script uses.
# Variables: LOCKED (number of calls of apt-get that find a lock held), INSTALLED (not empty: Docker is installed and stopped),
# LOGIN (user whose id the script sees).
set -eu
stubs=/stubs
mkdir -p $stubs /etc/ssh/sshd_config.d
echo "${LOCKED:-0}" >/tmp/locked

stub() {
  printf '#!/bin/sh\n%s\n' "$2" >"$stubs/$1"
  chmod 755 "$stubs/$1"
}

install_docker="printf '#!/bin/sh\ntouch /tmp/docker-runs\n' >$stubs/dockerd; printf '#!/bin/sh\ntest -e /tmp/docker-runs && test -n \"\$AS_ROOT\" && echo 20.10\n' >$stubs/docker; chmod 755 $stubs/docker*"
stub sleep ""
# shellcheck disable=SC2016 # The stub expands them.
stub sudo '[ "$1" = -n ] && shift; AS_ROOT=yes exec "$@"'
stub usermod 'echo "usermod $*"'
stub apt-get "
echo \"apt-get \$*\" >>/tmp/apt.log
n=\$(cat /tmp/locked)
if [ \$n -gt 0 ]; then
  echo \$((n - 1)) >/tmp/locked
  echo 'E: Could not get lock /var/lib/apt/lists/lock. It is held by process 42 (apt-get)' >&2
  exit 100
fi
case \"\$*\" in *' install '*) $install_docker ;; esac"
[ -z "${INSTALLED-}" ] || sh -c "$install_docker"
if [ -n "${LOGIN-}" ]; then
  stub id "case \"\$*\" in -u) echo 1000 ;; *) echo '$LOGIN' ;; esac"
fi
/bin/sleep 60 &
echo $! >/run/sshd.pid
