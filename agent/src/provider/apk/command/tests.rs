use super::{load_simulation, load_versions};

#[test]
fn recorded_words_of_apk_are_read() {
    let simulation = load_simulation(
        "(1/4) Installing pcre (8.45-r2)\n(2/4) Upgrading nginx (1.24.0-r0 -> 1.24.0-r1)\n(3/4) Purging old (1-r0)\n\
         (4/4) Downgrading tls (3-r1 -> 3-r0)\nExecuting busybox-1.36.1-r2.trigger\nOK: 9 MiB in 21 packages\n",
    );
    let installs: Vec<String> =
        simulation.installs.iter().map(|one| format!("{} {:?} {}", one.name, one.old.as_deref(), one.new)).collect();
    assert_eq!(installs, ["pcre None 8.45-r2", "nginx Some(\"1.24.0-r0\") 1.24.0-r1", "tls Some(\"3-r1\") 3-r0"]);
    assert_eq!(simulation.removals.iter().collect::<Vec<_>>(), ["old"]);
    let policy = "nginx policy:\n  1.24.0-r1:\n    lib/apk/db/installed\n    etc/apk/cache\n  1.26.0-r0:\n    main\n";
    assert_eq!(load_versions(policy), ["1.24.0-r1", "1.26.0-r0"]);
}
