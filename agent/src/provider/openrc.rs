//! OpenRC: links in `/etc/runlevels` say what starts, `/run/openrc/started` what was started.

use super::init_scripts::{BootLinks, names_in};
use crate::host::{HostError, Program, Reader};

/// Any of these is there where OpenRC is at work.
pub(super) const SIGNS: [&str; 3] = ["/run/openrc", "/sbin/rc-service", "/usr/sbin/rc-service"];
const RUNLEVELS: &str = "/etc/runlevels";
const STARTED: &str = "/run/openrc/started";
/// What is started in one of these starts at boot.
const BOOT_LEVELS: [&str; 3] = ["sysinit", "boot", "default"];
const LEVEL: &str = "default";

pub(super) fn load_boot_links(reader: &mut dyn Reader) -> Result<BootLinks, HostError> {
    let mut links = BootLinks::default();
    for level in BOOT_LEVELS {
        for name in names_in(&format!("{RUNLEVELS}/{level}"), reader)? {
            links.levels.entry(name).or_default().push(level.to_owned());
        }
    }
    links.started = names_in(STARTED, reader)?.into_iter().collect();
    Ok(links)
}

/// Whether a script is one of its own. Those of System V init it only runs when it is asked to: it does not write down
/// that it has started or stopped them, and they know no `zap`.
pub(super) fn is_own(script: &[u8]) -> bool {
    let first = script.split(|byte| *byte == b'\n').next().unwrap_or_default();
    first.starts_with(b"#!")
        && ["openrc-run", "runscript"].iter().any(|name| first.trim_ascii_end().ends_with(name.as_bytes()))
}

pub(super) fn program(name: &str, word: &str) -> Program {
    Program::new(["rc-service", "--quiet", "--", name, word])
}

pub(super) fn enable(name: &str) -> Vec<Program> {
    vec![Program::new(["rc-update", "--quiet", "add", name, LEVEL])]
}

pub(super) fn disable(name: &str, links: &BootLinks) -> Vec<Program> {
    let levels = links.levels.get(name).into_iter().flatten();
    levels.map(|level| Program::new(["rc-update", "--quiet", "del", name, level])).collect()
}
