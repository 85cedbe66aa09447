//! An archive of pacman's packages, and a host of that kind: a copy of this machine with a database of its own.

#![allow(clippy::disallowed_methods)]

use crate::provider::apt::test_archive::run;
use crate::provider::package::test_scenario::{Relation, TestArchive};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

const FOLDER: &str = "/var/cache/archive";
const SETTINGS: &str =
    "[options]\nArchitecture = auto\nSigLevel = Never\n[archive]\nServer = file:///var/cache/archive\n";

pub(super) struct PacmanArchive;

impl PacmanArchive {
    /// Begins an archive, pacman's only one. Only for a copy of this machine.
    pub(super) fn new() -> PacmanArchive {
        fs::create_dir_all(FOLDER).expect("made");
        fs::write("/etc/pacman.conf", SETTINGS).expect("written");
        fs::write("/usr/lib/os-release", "ID=arch\n").expect("written");
        // The first query makes the database.
        let _ = Command::new("pacman").arg("-Q").output();
        PacmanArchive
    }
}

fn pacman(arguments: &[&str]) {
    run(Command::new("pacman").args(["--noconfirm", "--noprogressbar"]).args(arguments));
}

impl TestArchive for PacmanArchive {
    fn add(&mut self, name: &str, version: &str, relations: &[(Relation, &str)]) {
        let mut info = format!(
            "pkgname = {name}\npkgbase = {name}\npkgver = {version}\npkgdesc = made for a test\nbuilddate = 1\n\
             size = 1\narch = any\n"
        );
        for (relation, other) in relations {
            let key = match relation {
                Relation::Requires => "depend",
                Relation::Provides => "provides",
                Relation::Conflicts => "conflict",
            };
            let _ = writeln!(info, "{key} = {other}");
        }
        let tree = format!("{FOLDER}/tree");
        let _ = fs::remove_dir_all(&tree);
        fs::create_dir_all(format!("{tree}/opt/{name}")).expect("made");
        fs::write(format!("{tree}/.PKGINFO"), info).expect("written");
        let file = format!("{FOLDER}/{name}-{version}-any.pkg.tar.gz");
        run(Command::new("tar")
            .args(["--create", "--gzip", "--owner=0", "--group=0", "--directory", &tree, "--file"])
            .args([&file, ".PKGINFO", "opt"]));
        run(Command::new("repo-add").args(["--quiet", &format!("{FOLDER}/archive.db.tar.gz"), &file]));
    }

    fn publish(&self) {
        pacman(&["-Syy"]);
    }

    fn install(&self, name: &str) {
        pacman(&["-S", name]);
    }

    fn remove(&self, name: &str) {
        pacman(&["-R", name]);
    }

    fn installed(&self, name: &str) -> Option<String> {
        let output = Command::new("pacman").args(["-Q", name]).output().expect("runs");
        let text = String::from_utf8(output.stdout).expect("text");
        output.status.success().then(|| text.split_whitespace().nth(1).unwrap_or_default().to_owned())
    }

    fn keeps_versions(&self) -> bool {
        false
    }
}
