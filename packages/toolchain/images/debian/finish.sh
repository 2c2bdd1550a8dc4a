#!/bin/sh
# Turns what debootstrap left in a folder into a base image's root file system.
# usage: finish.sh ROOT CA_BUNDLE SUITE MIRROR SECURITY_MIRROR
set -eu
root=$1 bundle=$2 suite=$3 mirror=$4 security=$5
[ "$root" != / ] && [ -x "$root/usr/bin/apt-get" ]

# This machine's certification authorities instead of a package's: where TLS to the package registries is intercepted, a
# container that doesn't trust the interceptor's CA can install nothing (npm says SELF_SIGNED_CERT_IN_CHAIN).
mkdir -p "$root/etc/ssl/certs"
install -m 0644 "$bundle" "$root/etc/ssl/certs/ca-certificates.crt"

cat >"$root/etc/apt/sources.list" <<SOURCES
deb $mirror $suite main
deb $mirror $suite-updates main
deb $security $suite-security main
SOURCES

cat >"$root/etc/apt/apt.conf.d/docker" <<'APT'
Acquire::Languages "none";
Acquire::GzipIndexes "true";
APT::Install-Recommends "false";
APT::AutoRemove::SuggestsImportant "false";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
APT

# Nobody reads manuals in a container. Copyright files stay: the licences want them there.
cat >"$root/etc/dpkg/dpkg.cfg.d/docker" <<'DPKG'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
DPKG
find "$root/usr/share/doc" -depth -type f ! -name copyright -delete
find "$root/usr/share/doc" -depth -type d -empty -delete
rm -rf "$root"/usr/share/man/* "$root"/usr/share/info/*
find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +

# A service must not start because its package is installed.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/ldconfig/* \
  "$root"/var/log/* "$root"/debootstrap
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
