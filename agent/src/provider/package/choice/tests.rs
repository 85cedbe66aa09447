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
    assert!(error.to_string().contains("no package manager that is known: apt"), "{error}");
}

#[test]
fn the_programs_and_their_database_are_the_sign() {
    assert_eq!(chosen(&[("/usr/bin/apt-get", ""), ("/var/lib/dpkg/status", "")]).expect("one"), "apt");
}
