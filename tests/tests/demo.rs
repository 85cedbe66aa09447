//! The first command of a new user: it has to tell its story, and what it
//! leaves behind has to be what other programs agree with.

#![allow(clippy::disallowed_methods)]
use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use muster_tests::need::{self, Need};
use muster_tests::process::{Process, command};
use muster_tests::programs;
use muster_tests::wait::wait_until;
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(120);

/// Runs the demo to its end and gives its last line.
fn tell(arguments: &[&str], dir: &Path) -> Result<String> {
    let mut demo = command(programs::muster()?);
    demo.args(["demo", "--once", "--json"]).args(arguments);
    let mut demo = Process::start("demo", demo, &dir.join("demo.log"))?;
    let status = demo.wait(LIMIT)?;
    let output = demo.output();
    ensure!(status.success(), "the demo failed:\n{output}");
    Ok(output.lines().find(|line| line.starts_with('{')).context("figures")?.to_owned())
}

fn head_of(kept: &Path) -> Result<PathBuf> {
    let hosts = fs::read_dir(kept.join("published/hosts"))?;
    let heads = hosts.map(|host| Ok(host?.path().join("head.json"))).collect::<Result<Vec<_>>>()?;
    heads.into_iter().find(|head| head.is_file()).context("a published head")
}

#[test]
fn the_demo_tells_its_story_and_leaves_what_minisign_and_git_agree_with() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let kept = dir.path().join("kept");
    fs::create_dir(&kept)?;
    let figures: Value = serde_json::from_str(&tell(&["--keep", &kept.display().to_string()], dir.path())?)?;
    ensure!(figures["observed"] == true, "{figures}");
    ensure!(figures["push_to_applied_ms"].as_object().is_some_and(|hosts| hosts.len() == 3), "{figures}");
    // The revert was observed: the line that the demo added is gone from every host.
    for host in fs::read_dir(kept.join("hosts"))? {
        let motd = fs::read_to_string(host?.path().join("root/etc/motd"))?;
        ensure!(!motd.contains("Maintenance"), "the revert did not reach the disk: {motd}");
    }
    // Compliance came back: the branch says so after everything has ended.
    let mut git = command("/usr/bin/git");
    git.arg("-C").arg(kept.join("state.git")).args(["show", "status:README.md"]);
    let status = String::from_utf8(git.output()?.stdout)?;
    ensure!(status.contains("| sync | 3 Synced, 2 Unknown |"), "{status}");
    if !need::has(&[Need::Program("/usr/bin/minisign")]) {
        return Ok(());
    }
    let head = head_of(&kept)?;
    let signature = fs::read_dir(head.parent().context("a folder")?)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("head.json.")))
        .context("the head's signature")?;
    let verify = |key: &str| -> Result<bool> {
        let mut minisign = command("/usr/bin/minisign");
        minisign.arg("-VHm").arg(&head).arg("-x").arg(&signature).arg("-p").arg(kept.join("keys").join(key));
        Ok(minisign.output()?.status.success())
    };
    ensure!(verify("fresh.pub")?, "minisign does not take the head for the fresh key's");
    ensure!(!verify("render.pub")?, "minisign takes the head for another key's");
    Ok(())
}

#[test]
fn the_demo_takes_no_folder_that_has_something_in_it() -> Result<()> {
    let dir = tempfile::tempdir()?;
    fs::write(dir.path().join("mine"), "precious")?;
    ensure!(tell(&["--keep", &dir.path().display().to_string()], tempfile::tempdir()?.path()).is_err());
    ensure!(fs::read_dir(dir.path())?.count() == 1, "something was left in it");
    Ok(())
}

#[test]
fn a_demo_that_is_told_to_end_leaves_nothing_running() -> Result<()> {
    let dir = tempfile::tempdir()?;
    let kept = dir.path().join("kept");
    fs::create_dir(&kept)?;
    let mut demo = command(programs::muster()?);
    demo.args(["demo", "--keep"]).arg(&kept);
    let mut demo = Process::start("demo", demo, &dir.path().join("demo.log"))?;
    let log = kept.join("serve.log");
    wait_until("the orchestrator", LIMIT, || fs::read_to_string(&log).is_ok_and(|text| text.contains("serving on ")))?;
    let text = fs::read_to_string(&log)?;
    let address = text.lines().find_map(|line| line.strip_prefix("serving on http://")).context("an address")?;
    TcpStream::connect(address).context("the orchestrator runs")?;
    demo.stop(LIMIT)?;
    ensure!(TcpStream::connect(address).is_err(), "the orchestrator still runs");
    Ok(())
}
