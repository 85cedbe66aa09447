//! What stands on a managed host.

use std::collections::BTreeMap;

use muster_agent::facts::cpu::{count_processors, memory_mib};
use muster_agent::facts::interface::{load_address, load_interface};
use muster_agent::facts::os_release::load_os;
use muster_agent::facts::virtualisation::{Traces, detect_container};
use muster_agent::host::{Accounts, HostPath};
use muster_agent::provider::accounts::{ACCOUNT_FILES, AccountDatabase};
use muster_agent::provider::apt::{AptManager, STATUS_FILE, compare_versions, load_database};
use muster_agent::provider::package::{PackageName, VersionDemand};
use muster_agent::provider::systemd::UnitName;

use crate::memory_host::MemoryHost;

/// passwd, shadow and group, all with these lines.
pub(crate) fn accounts(bytes: &[u8]) {
    let files: BTreeMap<_, _> = ACCOUNT_FILES.into_iter().map(|path| (path, bytes.to_vec())).collect();
    let mut reader = MemoryHost(files);
    let database = AccountDatabase::load(&mut reader).unwrap();
    let _ = (database.user("root"), database.groups_of("root"), database.group_name(0));
    let accounts = Accounts::load(&mut reader).unwrap();
    assert_eq!(accounts.uid("0"), accounts.uid("0"));
    let _ = (accounts.login("root"), accounts.gid("root"), accounts.user_name(0), accounts.group_name(0));
}

pub(crate) fn dpkg(bytes: &[u8]) {
    let mut reader = MemoryHost([(STATUS_FILE, bytes.to_vec())].into());
    if let Ok(database) = load_database(&mut reader) {
        let _ = (database.get("dpkg"), database.get("libc6:i386"), database.providers("awk"), database.len());
    }
}

pub(crate) fn host_facts(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = (load_os(&text), count_processors(&text), memory_mib(&text));
    let _ = (load_interface(bytes), load_address(bytes));
    let traces = Traces { systemd_container: text.to_string(), dmi: text.to_string(), ..Traces::default() };
    let _ = detect_container(&traces);
}

/// The first line against the second.
pub(crate) fn host_words(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (a, b) = text.split_once('\n').unwrap_or((text, ""));
    assert_eq!(compare_versions(a, b), compare_versions(b, a).reverse());
    let _ = VersionDemand::new(a).is_met(b, &AptManager);
    let _ = (PackageName::new(a), UnitName::new(a));
    if let Ok(path) = HostPath::new(a) {
        assert!(path.as_str().starts_with('/') && !path.as_str().split('/').any(|part| part == ".."));
        let _ = (path.parent(), path.name().len(), path.join(b));
    }
}
