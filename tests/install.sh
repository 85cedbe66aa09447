#!/bin/sh
# Installs what the tests need from Debian's packages, and cargo-nextest, where they are missing.
# Says what it installs. Without root it says what is missing, and which tests will be skipped for it.
# With the argument `packages` it leaves cargo-nextest out.
set -eu

# package:what of it the tests run
needs="
rabbitmq-server:/usr/sbin/rabbitmq-server
debootstrap:/usr/sbin/debootstrap
systemd-container:/usr/bin/systemd-nspawn
iproute2:/usr/bin/ip
apt-utils:/usr/bin/apt-ftparchive
minisign:/usr/bin/minisign
openssl:/usr/bin/openssl
openssh-client:/usr/bin/ssh-keygen
git:/usr/bin/git
e2fsprogs:/usr/sbin/mkfs.ext4
xfsprogs:/usr/sbin/mkfs.xfs
gcc:/usr/bin/gcc
curl:/usr/bin/curl
strace:/usr/bin/strace
sudo:/usr/sbin/visudo
nftables:/usr/sbin/nft
locales:/usr/sbin/locale-gen
openrc:/sbin/openrc
dnf:/usr/bin/dnf
zypper:/usr/bin/zypper
rpm:/usr/bin/rpmbuild
createrepo-c:/usr/bin/createrepo_c
pacman-package-manager:/usr/bin/pacman
makepkg:/usr/bin/makepkg
gpg:/usr/bin/gpg
gpg-agent:/usr/bin/gpg-agent
libarchive-tools:/usr/bin/bsdtar
xz-utils:/usr/bin/xz
ansible-core:/usr/bin/ansible
python3:/usr/bin/python3
"
nextest_version=0.9.143

say() { echo "install: $*"; }

missing=""
for need in $needs; do
    if [ ! -x "${need#*:}" ]; then missing="$missing ${need%%:*}"; fi
done

if [ -n "$missing" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        say "not root, so these packages stay missing:$missing"
    elif ! command -v apt-get >/dev/null; then
        say "no apt-get here, so these packages stay missing:$missing"
    else
        say "from Debian's packages:$missing"
        # Packages start their services on installation. The tests run a broker of their own,
        # so for this one call a policy says no. A policy that is already there stays as it is.
        policy=/usr/sbin/policy-rc.d
        if [ ! -e $policy ]; then
            trap 'rm -f $policy' EXIT INT TERM
            printf '#!/bin/sh\nexit 101\n' >$policy
            chmod 755 $policy
        fi
        export DEBIAN_FRONTEND=noninteractive
        apt-get update -qq </dev/null
        # shellcheck disable=SC2086
        apt-get install -y -qq --no-install-recommends -o Dpkg::Use-Pty=0 $missing </dev/null >/dev/null
        case " $missing " in
        *" rabbitmq-server "*)
            say "the system's own rabbitmq-server is left stopped and disabled; the tests start another node"
            systemctl disable --quiet rabbitmq-server.service epmd.socket epmd.service 2>/dev/null || true
            ;;
        esac
    fi
fi

if [ "${1:-}" != packages ] && ! cargo nextest --version >/dev/null 2>&1; then
    say "cargo-nextest $nextest_version (built from source, this takes some minutes)"
    cargo install --locked --version "$nextest_version" cargo-nextest
fi

if [ "$(id -u)" -ne 0 ]; then
    say "not root: every test that needs root is SKIPPED (the lab of real hosts, packages, services, users)"
fi
