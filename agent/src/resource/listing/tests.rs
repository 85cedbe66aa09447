#![allow(clippy::disallowed_methods)]

use super::{Listing, decode_name};
use crate::host::{RealHost, Scope};
use crate::resource::{View, listing_of, observe};
use crate::test_machine::enter_booted;
use muster_schema::Collection;
use muster_schema::resource::Resource;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const WHOLE: Scope = Scope { sandbox: false, owners: true };

/// What is put there, so that each list has something that only the host has.
const FOUND: &str = r"useradd --create-home kim
install -d -m 700 -o kim /home/kim/.ssh
echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILWFjpHRZIZhbyurXczxOqXesd3vt7bQZZnQioAIb3oH found' >/home/kim/.ssh/authorized_keys
mkdir -p /etc/cron.d /etc/sudoers.d /etc/systemd/system/cron.service.d
echo '# nothing' >/etc/cron.d/db_2edump
echo '# nothing' >/etc/cron.d/e2scrub_all
echo '# nothing' >/etc/cron.d/has.dot
echo '# nothing' >/etc/sudoers.d/web%2eprod
echo '# nothing' >/etc/sudoers.d/left.out
printf '[Service]\nExecStart=/bin/true\n' >'/etc/systemd/system/muster-nightly\x25.service'
printf '[Timer]\nOnCalendar=daily\n' >'/etc/systemd/system/muster-nightly\x25.timer'
printf '[Service]\nNice=1\n' >/etc/systemd/system/cron.service.d/nice.conf
printf '127.0.0.1 localhost\n10.0.0.9 DB.example.org db # own\n2001:db8::9 db.example.org six\n' >/etc/hosts
printf 'tmpfs /mnt tmpfs noauto 0 0\nnone none swap sw 0 0\n' >/etc/fstab
mkdir -p /srv/listed && mount -t tmpfs none /srv/listed";

/// A collection, what prints the ids with the host's own tools, and one that has to be among them.
const LISTS: [(Collection, &str, &str); 13] = [
    (Collection::Users, "getent passwd | cut -d: -f1", "kim"),
    (Collection::Groups, "getent group | cut -d: -f1", "kim"),
    (Collection::Packages, "dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' | sed -n 's/^.i.//p'", "dpkg"),
    (
        Collection::Services,
        "{ systemctl list-unit-files -t service --no-legend; systemctl list-units --all -t service --no-legend --plain; } | cut -d' ' -f1 | grep -v @.service | sed s/.service$//",
        "systemd-journald",
    ),
    (Collection::Timers, "echo nightly%", "nightly%"),
    (
        Collection::Units,
        "cd /etc/systemd/system; find . -type f \\( -path './*.d/*.conf' -o -path './*.service' -o -path './*.timer' \\) | cut -c3-",
        "cron.service.d/nice.conf",
    ),
    (Collection::Cron, "cd /etc/cron.d; ls | grep -v '[.]' | sed s/_2e/./", "e2scrub_all"),
    (Collection::SudoRules, "cd /etc/sudoers.d; ls | grep -v '[.]' | sed s/%2e/./", "web.prod"),
    (Collection::Hosts, "getent hosts | awk '{ print tolower($2) }'", "db.example.org"),
    (
        Collection::AuthorizedKeys,
        "getent passwd | while IFS=: read name _ _ _ _ home _; do ssh-keygen -lf $home/.ssh/authorized_keys >/dev/null 2>&1 && echo $name; done; true",
        "kim",
    ),
    (Collection::KernelModules, "cd /sys/module; ls -d */initstate 2>/dev/null | cut -d/ -f1", ""),
    (Collection::Sysctls, "sysctl --all --names --deprecated 2>/dev/null", "kernel.hostname"),
    (Collection::Mounts, "{ findmnt -rn -o TARGET | grep -vx /; echo /mnt; }", "/srv/listed"),
];

fn list(collection: Collection, host: &RealHost) -> BTreeSet<String> {
    match listing_of(collection, WHOLE) {
        Listing::By(list) => {
            let ids = list(&View::new(host)).expect("a list").into_iter();
            ids.filter(|id| muster_schema::Address::new(collection, id.as_str()).is_ok()).collect()
        }
        Listing::Not(reason) => panic!("{collection}: {reason}"),
    }
}

fn shell(line: &str) -> String {
    let output = Command::new("sh").args(["-c", line]).output().expect("a shell");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn what_the_host_has_is_listed_as_its_own_tools_list_it() {
    if !enter_booted("resource::listing::tests::what_the_host_has_is_listed_as_its_own_tools_list_it") {
        return;
    }
    shell(FOUND);
    let host = RealHost::open(Path::new("/")).expect("the host");
    for (collection, line, one) in LISTS {
        let listed: BTreeSet<String> = list(collection, &host)
            .into_iter()
            .filter(|id| collection != Collection::Units || is_compared(id))
            .collect();
        let expected: BTreeSet<String> = shell(line).lines().map(str::to_owned).collect();
        let differs: Vec<&String> = listed.symmetric_difference(&expected).collect();
        assert!(differs.is_empty(), "{collection}: {differs:?}");
        assert!(one.is_empty() || listed.contains(one), "{collection}: {one}");
    }
}

/// What one look says of a thing that nobody manages.
fn observed(address: &str, attribute: &str, host: &RealHost) -> String {
    let bare = serde_json::json!({"address": address, "attributes": {}});
    let resource: Resource = serde_json::from_value(bare).expect("a resource");
    let state = observe(&resource, &View::new(host)).expect("a look");
    state.get(attribute).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn what_is_listed_is_read_as_the_host_s_own_tools_read_it() {
    if !enter_booted("resource::listing::tests::what_is_listed_is_read_as_the_host_s_own_tools_read_it") {
        return;
    }
    shell(FOUND);
    let host = RealHost::open(Path::new("/")).expect("the host");
    let hostname = shell("hostname");
    assert_eq!(list(Collection::Hostname, &host), BTreeSet::from(["system".to_owned()]));
    assert_eq!(observed("hostname/system", "name", &host), hostname.trim());
    assert_eq!(observed("sysctls/kernel.hostname", "value", &host), hostname.trim());
    assert_eq!(observed("sysctls/kernel.pid_max", "value", &host), shell("sysctl -n kernel.pid_max").trim());
    let found = shell(
        "{ getent hosts 10.0.0.9; getent hosts 2001:db8::9; } | awk 'tolower($2) == \"db.example.org\" { print $1 }'",
    );
    assert_eq!(observed("hosts/db.example.org", "addresses", &host), format!("[{}]", found.trim().replace('\n', ", ")));
}

fn is_compared(unit: &str) -> bool {
    [".conf", ".service", ".timer"].iter().any(|suffix| unit.ends_with(suffix))
}

#[test]
fn what_cannot_be_listed_says_why() {
    for collection in [Collection::Files, Collection::Lines, Collection::Commands] {
        assert!(matches!(listing_of(collection, WHOLE), Listing::Not(reason) if !reason.is_empty()), "{collection}");
    }
    let sandbox = Scope { sandbox: true, owners: false };
    assert!(matches!(listing_of(Collection::Users, sandbox), Listing::Not(_)));
}

#[test]
fn names_are_decoded() {
    assert_eq!(decode_name("web%2eprod%7e", "%").as_deref(), Some("web.prod~"));
    assert_eq!(decode_name("plain", "%").as_deref(), Some("plain"));
    for bad in ["%", "%2", "%zz", "%ff", "%é"] {
        assert_eq!(decode_name(bad, "%"), None, "{bad}");
    }
}
