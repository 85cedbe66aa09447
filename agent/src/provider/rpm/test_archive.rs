//! An archive of rpm packages, and a host of that kind: a copy of this machine with an rpm database of its own.

#![allow(clippy::disallowed_methods)]

use crate::provider::apt::test_archive::run;
use crate::provider::package::test_scenario::{Relation, TestArchive};
use crate::provider::repository::test_scenario::TestKey;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Of Debian's dnf-plugins-core, which cannot stand beside zypper.
const VERSIONLOCK: &str = "/usr/lib/python3/dist-packages/dnf-plugins/versionlock.py";
const FOLDER: &str = "/var/cache/archive";

/// A folder of packages, and how somebody installs and removes them.
pub(crate) struct RpmArchive {
    program: &'static [&'static str],
}

impl RpmArchive {
    /// Begins an archive, the only one of dnf and zypper. Only for a copy of this machine.
    pub(crate) fn new(os_release: &str, program: &'static [&'static str]) -> RpmArchive {
        fs::create_dir_all(format!("{FOLDER}/packages")).expect("made");
        // Debian has rpm's database in the home of whoever runs it.
        fs::create_dir_all("/etc/rpm").expect("made");
        fs::write("/etc/rpm/macros.archive", "%_dbpath /var/lib/rpm\n").expect("written");
        fs::write("/usr/lib/os-release", os_release).expect("written");
        run(Command::new("rpm").arg("--initdb"));
        // Its settings stay behind when the plug-in goes, which is not so where rpm installs it.
        if !Path::new(VERSIONLOCK).exists() {
            let _ = fs::remove_file("/etc/dnf/plugins/versionlock.conf");
        }
        // This plug-in of dnf adds an archive of its own, which is not there.
        fs::write("/etc/dnf/plugins/local.conf", "[main]\nenabled=0\n").expect("written");
        for folder in ["/etc/yum.repos.d", "/etc/zypp/repos.d"] {
            fs::create_dir_all(folder).expect("made");
            let text = format!(
                "[archive]\nname=archive\nenabled=1\nautorefresh=0\ngpgcheck=0\nbaseurl=file://{FOLDER}/packages\n"
            );
            fs::write(format!("{folder}/archive.repo"), text).expect("written");
        }
        RpmArchive { program }
    }

    /// An archive that nobody knows of, with a package `probe`; packages and lists are signed.
    pub(crate) fn signed(os_release: &str, program: &'static [&'static str], key: &TestKey) -> RpmArchive {
        let mut archive = RpmArchive::new(os_release, program);
        for folder in ["/etc/yum.repos.d", "/etc/zypp/repos.d"] {
            fs::remove_file(format!("{folder}/archive.repo")).expect("removed");
        }
        archive.add("probe", "1.0-1", &[]);
        let name = format!("_gpg_name {}", key.fingerprint);
        let package = format!("{FOLDER}/packages/noarch/probe-1.0-1.noarch.rpm");
        run(Command::new("rpmsign").env("GNUPGHOME", &key.home).args([
            "--addsign",
            "--define",
            "__gpg /usr/bin/gpg",
            "--define",
            &name,
            "--define",
            &format!("_gpg_path {}", key.home),
            &package,
        ]));
        run(Command::new("createrepo_c").args(["--quiet", &format!("{FOLDER}/packages")]));
        let lists = format!("{FOLDER}/packages/repodata/repomd.xml");
        key.sign(&["--armor", "--detach-sign"], &lists, &format!("{lists}.asc"));
        archive
    }

    /// Adds a package for one architecture; that of `add` is for all.
    pub(crate) fn add_for(&mut self, architecture: &str, name: &str, version: &str, relations: &[(Relation, &str)]) {
        let (version, release) = version.split_once('-').expect("a release");
        let mut spec =
            format!("Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: made for a test\nLicense: MIT\n");
        for (relation, other) in relations {
            let _ = writeln!(spec, "{relation:?}: {other}");
        }
        spec.push_str("%description\nmade for a test\n%files\n");
        let path = format!("{FOLDER}/{name}.spec");
        fs::write(&path, spec).expect("written");
        run(Command::new("rpmbuild")
            .args(["-bb", "--quiet", "--nodeps", "--target", architecture])
            .args(["--define", &format!("_topdir {FOLDER}/build")])
            .args(["--define", &format!("_rpmdir {FOLDER}/packages"), &path]));
    }

    /// Begins an archive with `probe` for two architectures, which both run on this machine's own.
    pub(crate) fn of_two_architectures(os_release: &str, program: &'static [&'static str]) -> RpmArchive {
        let mut archive = RpmArchive::new(os_release, program);
        for architecture in ["x86_64", "i686"] {
            archive.add_for(architecture, "probe", "1.0-1", &[]);
        }
        archive.publish();
        archive
    }

    fn program(&self) -> Command {
        let mut command = Command::new(self.program[0]);
        command.args(&self.program[1..]);
        command
    }
}

impl TestArchive for RpmArchive {
    fn add(&mut self, name: &str, version: &str, relations: &[(Relation, &str)]) {
        self.add_for("noarch", name, version, relations);
    }

    fn publish(&self) {
        run(Command::new("createrepo_c").args(["--quiet", &format!("{FOLDER}/packages")]));
        if self.program[0] == "zypper" {
            run(self.program().args(["refresh", "--force"]));
        } else {
            run(self.program().args(["clean", "expire-cache"]));
        }
    }

    fn install(&self, name: &str) {
        run(self.program().args(["install", "-y", name]));
    }

    fn remove(&self, name: &str) {
        run(self.program().args(["remove", "-y", name]));
    }

    fn installed(&self, name: &str) -> Option<String> {
        let output = Command::new("rpm").args(["-q", "--queryformat", "%{VERSION}-%{RELEASE}", name]).output();
        let output = output.expect("runs");
        output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
    }

    fn holds(&self) -> bool {
        self.program[0] == "zypper" || Path::new(VERSIONLOCK).exists()
    }
}
