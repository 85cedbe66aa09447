use super::*;

#[test]
fn this_machine_tells_what_every_linux_tells() {
    let facts = load_live_facts(Path::new("/")).unwrap();
    assert!(facts.uptime_seconds > 0);
    assert!(facts.memory_available_mib > 0 && facts.memory_available_mib <= facts.stable.memory_mib);
    assert!(facts.network.iter().any(|interface| interface.name == "lo"));
    assert!(!facts.kernel.is_empty());
    let root = facts.mounts.iter().find(|mount| mount.path == "/");
    assert!(root.is_none_or(|root| root.free_mib <= root.size_mib));
}

#[test]
fn a_tree_has_no_packages_and_services_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let facts = load_live_facts(folder.path()).unwrap();
    assert!(facts.packages.is_none() && facts.services.is_none());
}
