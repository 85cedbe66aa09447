//! System V init: links `S20name` in the folder of a runlevel say what starts there.

use super::init_scripts::{BootLinks, names_in, script_path};
use crate::host::{HostError, HostPath, Program, Reader};

/// The runlevels of a host that is up, and that of the boot itself.
const LEVELS: [&str; 5] = ["S", "2", "3", "4", "5"];
/// Debian's tool, and that of Red Hat and SUSE.
const UPDATE_RC: &str = "/usr/sbin/update-rc.d";

pub(super) fn load_boot_links(reader: &mut dyn Reader) -> Result<BootLinks, HostError> {
    let mut links = BootLinks::default();
    for level in LEVELS {
        for folder in [format!("/etc/rc{level}.d"), format!("/etc/rc.d/rc{level}.d")] {
            for name in names_in(&folder, reader)?.iter().filter_map(|link| started_by(link)) {
                links.levels.entry(name.to_owned()).or_default().push(level.to_owned());
            }
        }
    }
    Ok(links)
}

/// The service that a link starts: `S`, two digits, the name. Links with `K` stop it.
fn started_by(link: &str) -> Option<&str> {
    let rest = link.strip_prefix('S')?;
    let name = rest.get(2..).filter(|name| !name.is_empty())?;
    rest.bytes().take(2).all(|byte| byte.is_ascii_digit()).then_some(name)
}

pub(super) fn program(name: &str, word: &str) -> Program {
    let script = script_path(name).map(|path| path.to_string()).unwrap_or_default();
    Program::new([script.as_str(), word])
}

pub(super) fn enable(name: &str, reader: &mut dyn Reader) -> Result<Vec<Program>, HostError> {
    // One that has no links yet gets them by the first, one that was disabled by the second.
    Ok(match has_update_rc(reader)? {
        true => ["defaults", "enable"].map(|word| Program::new(["update-rc.d", name, word])).to_vec(),
        false => {
            vec![Program::new(["chkconfig", "--add", name]), Program::new(["chkconfig", "--level", "2345", name, "on"])]
        }
    })
}

pub(super) fn disable(name: &str, reader: &mut dyn Reader) -> Result<Vec<Program>, HostError> {
    Ok(vec![match has_update_rc(reader)? {
        true => Program::new(["update-rc.d", name, "disable"]),
        false => Program::new(["chkconfig", name, "off"]),
    }])
}

fn has_update_rc(reader: &mut dyn Reader) -> Result<bool, HostError> {
    match HostPath::new(UPDATE_RC) {
        Ok(path) => Ok(reader.meta(&path)?.is_some()),
        Err(_) => Ok(false),
    }
}
