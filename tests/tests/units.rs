//! The units of systemd that are installed.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::{Path, PathBuf};
use std::process::Command;

use muster_tests::need::{self, Need};

const SYSTEMD: &[Need] = &[Need::Program("/usr/bin/systemd-analyze")];

fn unit(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).canonicalize().unwrap()
}

/// What systemd says to a unit; in the place of its program stands one that is there.
fn verify(text: &str, name: &str, program: &str) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text.replace(&format!("ExecStart={program} "), "ExecStart=/bin/true ")).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(path).output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn systemd_finds_no_fault_in_the_units() {
    if !need::has(SYSTEMD) {
        return;
    }
    for (path, program) in [
        ("agent/systemd/muster-agent.service", "/usr/bin/muster-agent"),
        ("reconciler/systemd/muster-sealer.service", "/usr/bin/muster"),
    ] {
        let text = std::fs::read_to_string(unit(path)).unwrap();
        let name = Path::new(path).file_name().unwrap().to_str().unwrap();
        let (verified, words) = verify(&text, name, program);
        assert!(verified && !words.contains(name), "{path}: {words}");
        let (_, words) = verify(&text.replace("Restart=always", "Restart=allways"), name, program);
        assert!(words.contains("allways"), "a fault is found: {words}");
    }
}

#[test]
fn the_sealer_runs_with_nothing_that_it_does_not_need() {
    if !need::has(SYSTEMD) {
        return;
    }
    let path = unit("reconciler/systemd/muster-sealer.service");
    // Tenths of systemd's measure of exposure, 0 to 10; a unit without hardening has 9.6.
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--no-pager", "--offline=true", "--threshold=20"]).arg(path);
    let output = analyze.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
