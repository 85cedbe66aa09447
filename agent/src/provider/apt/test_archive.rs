//! An archive of packages made for a test.

#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::host::HostWrite;

/// A folder of packages in apt's form.
pub(crate) struct Archive {
    folder: PathBuf,
    index: String,
}

impl Archive {
    /// Begins an archive and makes it apt's only source. Only for a copy of this machine.
    pub(crate) fn new() -> Archive {
        let folder = PathBuf::from("/var/cache/archive");
        fs::create_dir_all(&folder).expect("made");
        let lists = "/etc/apt/sources.list.d";
        for entry in fs::read_dir(lists).expect("a folder") {
            fs::remove_file(entry.expect("an entry").path()).expect("removed");
        }
        fs::write("/etc/apt/sources.list", "").expect("written");
        let source = format!("deb [trusted=yes] file:{} ./\n", folder.display());
        fs::write(format!("{lists}/archive.list"), source).expect("written");
        for entry in fs::read_dir("/var/lib/apt/lists").expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                fs::remove_file(path).expect("removed");
            }
        }
        Archive { folder, index: String::new() }
    }

    /// Adds a package with the given further lines of control data and one configuration file.
    pub(crate) fn add(&mut self, name: &str, version: &str, control: &str) {
        self.add_with(name, version, control, &[]);
    }

    /// The same with maintainer scripts.
    pub(crate) fn add_with(&mut self, name: &str, version: &str, control: &str, scripts: &[(&str, &str)]) {
        let tree = self.folder.join("tree");
        let _ = fs::remove_dir_all(&tree);
        fs::create_dir_all(tree.join("DEBIAN")).expect("made");
        fs::create_dir_all(tree.join("etc")).expect("made");
        let control = format!(
            "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.org>\n{control}\
             Description: made for a test\n"
        );
        fs::write(tree.join("DEBIAN/control"), &control).expect("written");
        fs::write(tree.join("DEBIAN/conffiles"), format!("/etc/{name}.conf\n")).expect("written");
        fs::write(tree.join(format!("etc/{name}.conf")), format!("{version}\n")).expect("written");
        for (script, text) in scripts {
            let path = tree.join("DEBIAN").join(script);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
        }
        let file = format!("{name}_{}_all.deb", version.replace(':', "%3a"));
        run(Command::new("dpkg-deb")
            .args(["--build", "--root-owner-group", "-z1"])
            .arg(&tree)
            .arg(self.folder.join(&file)));
        let bytes = fs::read(self.folder.join(&file)).expect("a package");
        let digest = hex::encode(Sha256::digest(&bytes));
        write!(self.index, "{control}Filename: ./{file}\nSize: {}\nSHA256: {digest}\n\n", bytes.len()).expect("text");
        fs::write(self.folder.join("Packages"), &self.index).expect("written");
    }

    /// Lets apt read the archive's index.
    pub(crate) fn refresh(&self) {
        run(Command::new("apt-get").args(["-qq", "update"]));
    }
}

/// The version that is installed, as dpkg says.
pub(crate) fn installed(name: &str) -> Option<String> {
    let output = Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status} ${Version}", name]).output();
    let text = String::from_utf8(output.expect("runs").stdout).expect("text");
    text.strip_prefix("installed ").map(str::to_owned)
}

/// Runs a program that must succeed.
pub(crate) fn run(command: &mut Command) {
    let output = command.output().expect("runs");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The host that these tests change: the copy.
pub(crate) fn machine() -> impl HostWrite {
    crate::host::RealHost::open(Path::new("/")).expect("a host")
}
