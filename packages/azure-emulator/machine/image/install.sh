#!/bin/sh
# Installs the packages of Azure's image of this distribution, as far as they work in a container, and downloads those that cloud-init
# installs and those of the security updates, so that a boot takes seconds.
set -eu
export DEBIAN_FRONTEND=noninteractive
# shellcheck source=/dev/null
. /etc/os-release
case $ID in
  ubuntu)
    # Not snapd, whose mounts need a kernel module.
    own="apparmor azure-vm-utils needrestart unattended-upgrades update-notifier-common walinuxagent"
    downloads="docker.io"
    sed -i 's/ main$/ main universe/' /etc/apt/sources.list
    ;;
  *)
    own="waagent"
    downloads="docker.io unattended-upgrades apt-listchanges"
    ;;
esac
apt-get update
apt-get upgrade --yes
# shellcheck disable=SC2086 # lists of packages
apt-get install --yes --no-install-recommends $own \
  ca-certificates cloud-init cloud-guest-utils curl dbus e2fsprogs gnupg iproute2 iptables kmod less locales netbase \
  openssh-server procps python3 sudo systemd systemd-sysv systemd-timesyncd udev util-linux wget
# shellcheck disable=SC2086 # lists of packages
apt-get install --yes --download-only $downloads
