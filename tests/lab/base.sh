#!/bin/sh
# Makes the base system that every host of the lab is a copy-on-write copy of: base.sh FOLDER
# Needs root and the Debian mirror that the machine's own apt uses; hosts of the lab need no network at all,
# for all that they may install is put into a repository inside the base.
# The cache key is this file's hash: whatever changes here makes a new base.
set -eu
umask 022

folder=$1
release=bookworm
# What every host has: an init, a bus, what an agent reads facts with, what it sets the system up with, and what
# tests ask about certificates.
include=systemd,systemd-sysv,dbus,iproute2,procps,sudo,nftables,kmod,locales,openssl
# What hosts may install, with all that it depends on.
installable="nginx"
# These only with what they cannot do without: a registry and what runs its images, and what fetches commits.
bare="podman crun conmon docker-registry busybox-static git"
# What takes systemd's place on hosts that have another init; these two exclude each other.
inits="sysv-rc openrc"

root=$folder/root
lists=$folder/lists
archives=$folder/archives
mkdir -p "$root" "$lists/partial" "$archives/partial"

# apt's own lists may be old, foreign or absent, so these are fetched anew, beside them.
apt() {
    apt-get -qq -o APT::Sandbox::User=root -o Dir::State::lists="$lists" -o Dir::Cache::archives="$archives" \
        -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= "$@" </dev/null
}
apt update || echo "some of apt's sources did not answer" >&2
mirror=$(apt indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v r=$release '$2 == r && $3 == "main" { print $1; exit }')
if [ -z "$mirror" ]; then
    echo "apt's configuration names no mirror of Debian $release" >&2
    exit 1
fi

debootstrap --variant=minbase --include=$include $release "$root" "$mirror" </dev/null

# The repository that hosts install from.
repository=$root/srv/repository
mkdir -p "$repository"
# shellcheck disable=SC2086
apt -o Dir::State::status="$root/var/lib/dpkg/status" --download-only -y install $installable
# shellcheck disable=SC2086
apt -o Dir::State::status="$root/var/lib/dpkg/status" --no-install-recommends --download-only -y install $bare
for scripts in $inits; do
    apt -o Dir::State::status="$root/var/lib/dpkg/status" --no-install-recommends --download-only -y \
        install sysvinit-core "$scripts" systemd- systemd-sysv-
done
mv "$archives"/*.deb "$repository"

# A package of our own in two versions, a library that it brings along, and one that depends on it.
make_package() { # NAME VERSION DEPENDS
    tree=$folder/package
    mkdir -p "$tree/DEBIAN" "$tree/usr/bin" "$tree/etc"
    cat >"$tree/DEBIAN/control" <<END
Package: $1
Version: $2
Architecture: all
Maintainer: muster tests <tests@example.invalid>
Depends: $3
Description: made by the lab of muster's tests
END
    printf '#!/bin/sh\necho %s %s\n' "$1" "$2" >"$tree/usr/bin/$1"
    chmod 755 "$tree/usr/bin/$1"
    echo "version = $2" >"$tree/etc/$1.conf"
    echo "/etc/$1.conf" >"$tree/DEBIAN/conffiles"
    dpkg-deb --root-owner-group --build "$tree" "$repository/$1_$2_all.deb" >/dev/null
    rm -r "$tree"
}
make_package muster-testlib 1.0 dpkg
make_package muster-testpkg 1.0 muster-testlib
make_package muster-testpkg 2.0 muster-testlib
make_package muster-testdependent 1.0 muster-testpkg

(cd "$repository" && apt-ftparchive packages . >Packages && apt-ftparchive release . >"$folder/Release" &&
    mv "$folder/Release" Release)
echo 'deb [trusted=yes] file:/srv/repository ./' >"$root/etc/apt/sources.list"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
chroot "$root" apt-get -qq update </dev/null

# A host has its own name and machine id from its first boot on, no console to log in at, and nothing that
# takes apt's lock by the clock.
rm -f "$root/etc/hostname" "$root/etc/resolv.conf"
: >"$root/etc/machine-id"
rm -f "$root/var/lib/dbus/machine-id"
systemctl --root="$root" --quiet mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer console-getty.service getty@.service

# Addresses come from a file that the lab writes before the boot.
cat >"$root/etc/systemd/system/lab-network.service" <<'END'
[Unit]
Description=Address in the lab
DefaultDependencies=no
Before=network-pre.target network.target network-online.target
Wants=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
EnvironmentFile=/etc/lab-network
ExecStart=ip address replace ${ADDRESS} dev host0
ExecStart=ip link set host0 up
ExecStart=ip route replace default via ${GATEWAY}

[Install]
WantedBy=sysinit.target
END
systemctl --root="$root" --quiet enable lab-network.service

rm -rf "$lists" "$archives"
