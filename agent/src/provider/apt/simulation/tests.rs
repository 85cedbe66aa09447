use super::load_simulation;

#[test]
fn what_apt_would_do_is_read() {
    let output = "Reading package lists...\nBuilding dependency tree...\n\
        The following packages will be REMOVED:\n  git\n\
        Inst nginx-common (1.22.1-9+deb12u11 Debian-Security:12/oldstable-security [all])\n\
        Inst libc6:i386 [2.36-9] (2.36-8 Debian:12 [i386]) [libc6-dev:i386 ]\n\
        Inst local []\n\
        Inst mine (1.0 )\n\
        Remv git [1:2.39.5-0+deb12u3]\nPurg old [1]\n\
        Conf nginx-common (1.22.1-9+deb12u11 Debian-Security:12/oldstable-security [all])\n";
    let simulation = load_simulation(output);
    let installs: Vec<String> = simulation
        .installs
        .iter()
        .map(|found| format!("{} {:?} {}", found.name, found.old.as_deref(), found.new))
        .collect();
    assert_eq!(
        installs,
        ["nginx-common None 1.22.1-9+deb12u11", "libc6:i386 Some(\"2.36-9\") 2.36-8", "mine None 1.0"]
    );
    assert_eq!(simulation.removals.iter().collect::<Vec<_>>(), ["git", "old"]);
}
