#!/bin/sh
# Turns debootstrap's output folder into the root file system of a base image.
# usage: finish.sh ROOT CA_BUNDLE SUITE MIRROR SECURITY_MIRROR
set -eu
root=$1 bundle=$2 suite=$3 mirror=$4 security=$5
[ "$root" != / ] && [ -x "$root/usr/bin/apt-get" ]

# Install this machine's CA bundle instead of the package ca-certificates: where a proxy intercepts TLS to the package
# registries, a container that doesn't trust the proxy's CA can't install anything (npm: SELF_SIGNED_CERT_IN_CHAIN).
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

# Leave out manuals and translations. Copyright files stay: the licences require them.
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

# Prevent packages from starting their services on installation.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 0755 "$root/usr/sbin/policy-rc.d"

rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb "$root"/var/cache/ldconfig/* \
  "$root"/var/log/* "$root"/debootstrap
rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
