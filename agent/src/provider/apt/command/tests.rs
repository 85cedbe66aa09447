use std::time::Duration;

use super::{Freedom, install_program, simulate_program};

const LIMIT: Duration = Duration::from_secs(9);

#[test]
fn nobody_is_asked_and_changed_configuration_stays() {
    let program = install_program(&["nginx".to_owned()], Freedom::default(), LIMIT);
    assert_eq!(program.env.get("DEBIAN_FRONTEND").map(String::as_str), Some("noninteractive"));
    assert_eq!(program.timeout, Some(LIMIT));
    let line = program.argv.join(" ");
    for part in ["-y", "--force-confdef", "--force-confold", "Lock::Timeout=120", "--no-remove", "Purge=false"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(line.ends_with(" install -- nginx"), "{line}");
    assert!(!line.contains("--allow-"), "{line}");
}

#[test]
fn freedoms_are_taken_only_where_given() {
    let free = Freedom { downgrades: true, held: true, removals: true, ..Freedom::default() };
    let line = simulate_program(&["nginx-".to_owned()], free, LIMIT).argv.join(" ");
    for part in ["--simulate", "--allow-downgrades", "--allow-change-held-packages"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("--no-remove"), "{line}");
}

#[test]
fn options_of_packages_reach_apt() {
    let free = Freedom { no_recommends: true, replace_conffiles: true, ..Freedom::default() };
    let line = install_program(&["nginx".to_owned()], free, LIMIT).argv.join(" ");
    assert!(line.contains("--no-install-recommends") && line.contains("--force-confnew"), "{line}");
    assert!(!line.contains("--force-confold"), "{line}");
}
