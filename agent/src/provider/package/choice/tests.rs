use super::{NoManager, choose_manager};
use crate::host::HostRead;
use crate::host::fake::{FakeHost, Node, What};

fn host(files: &[(&str, &str)]) -> FakeHost {
    let node = |(path, text): &(&str, &str)| ((*path).to_owned(), Node::new(What::File((*text).into()), 0o644));
    FakeHost::new(files.iter().map(node).collect())
}

fn chosen(files: &[(&str, &str)]) -> Result<&'static str, NoManager> {
    Ok(choose_manager(host(files).reader().as_mut())?.name())
}

#[test]
fn a_host_without_one_says_so() {
    let error = chosen(&[("/usr/bin/apt-get", "")]).expect_err("no database");
    assert_eq!(error.to_string(), "this host has no package manager that is known: apt, dnf, zypper, apk, pacman");
}

#[test]
fn the_programs_and_their_database_are_the_sign() {
    assert_eq!(chosen(&[("/usr/bin/apt-get", ""), ("/var/lib/dpkg/status", "")]).expect("one"), "apt");
}

#[test]
fn of_several_the_one_of_the_distribution_counts() {
    let both = |text| {
        chosen(&[
            ("/usr/bin/apt-get", ""),
            ("/var/lib/dpkg/status", ""),
            ("/usr/bin/dnf", ""),
            ("/usr/bin/zypper", ""),
            ("/var/lib/rpm/rpmdb.sqlite", ""),
            ("/usr/lib/os-release", text),
        ])
    };
    assert_eq!(both("ID=rocky\nID_LIKE=\"rhel fedora\"\n").expect("one"), "dnf");
    assert_eq!(both("ID=opensuse-leap\nID_LIKE=\"suse opensuse\"\n").expect("one"), "zypper");
    assert_eq!(both("ID=ubuntu\n").expect("one"), "apt");
    assert_eq!(both("ID=unheard-of\n").expect("one"), "apt", "the first");
}
