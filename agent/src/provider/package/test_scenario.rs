//! What every package manager has to stand, told once and run with the real one on a copy of this machine.

use crate::resource::test_converger::{converge, converge_wholly, differences, outcome_of};
use muster_schema::state::ResourceState;
use serde_json::json;

/// How two packages stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Requires,
    Provides,
    Conflicts,
}

/// An archive of packages made for a test, and the manager's own programs in the hands of somebody else.
pub(crate) trait TestArchive {
    /// Adds a package; what was added is to be had after `publish`.
    fn add(&mut self, name: &str, version: &str, relations: &[(Relation, &str)]);
    /// Makes the archive known to the manager.
    fn publish(&self);
    /// Somebody installs a package.
    fn install(&self, name: &str);
    /// Somebody removes a package.
    fn remove(&self, name: &str);
    /// The version that is installed, as the manager itself says.
    fn installed(&self, name: &str) -> Option<String>;
    /// Whether the manager can hold packages here.
    fn holds(&self) -> bool {
        true
    }
    /// Whether older versions are to be had.
    fn keeps_versions(&self) -> bool {
        true
    }
}

/// Packages come with what they need, are held, heal, and go with what they brought.
pub(crate) fn run_life(archive: &mut dyn TestArchive) {
    use Relation::{Provides, Requires};
    archive.add("probe-lib", "1.0-1", &[(Provides, "probe-abi")]);
    archive.add("probe", "1.0-1", &[(Requires, "probe-lib")]);
    archive.add("other", "1.0-1", &[]);
    archive.publish();
    // Names that do not exist hold up nobody. What the manager cannot do is refused, and nothing is done.
    let mut held = json!({"hold": true});
    let (mut ranged, mut let_go) = (json!({"hold": true, "version": "1.*"}), json!({"hold": false}));
    if !archive.holds() {
        let refused = converge(&json!({"packages/probe": held}));
        assert_eq!(outcome_of(&refused, "packages/probe").state, Some(ResourceState::Blocked), "{refused:?}");
        assert_eq!(archive.installed("probe"), None);
        (held, ranged, let_go) = (json!({}), json!({"version": "1.*"}), json!({}));
    }
    let outcomes = converge(&json!({"packages/probe": held, "packages/no-such-package": {}}));
    assert_eq!(outcome_of(&outcomes, "packages/no-such-package").state, Some(ResourceState::Error), "{outcomes:?}");
    assert_eq!(archive.installed("probe").as_deref(), Some("1.0-1"), "{outcomes:?}");

    // What is installed already and provided is right without a change.
    let wanted = json!({"packages/probe": ranged, "packages/probe-abi": {}});
    converge_wholly(&wanted);
    // Drift: somebody else let it go, then removed it.
    converge_wholly(&json!({"packages/probe": let_go}));
    archive.remove("probe");
    assert_eq!(differences(&json!({"packages/probe": {}})).len(), 1);
    // One comes and one goes in the same pass.
    converge_wholly(&json!({"packages/probe": {}, "packages/other": {}}));
    converge_wholly(&json!({"packages/probe": {}}));
    assert_eq!(archive.installed("other"), None);

    // What leans on it stays, and says so.
    archive.add("leans", "1.0-1", &[(Requires, "probe")]);
    archive.publish();
    archive.install("leans");
    let outcomes = converge(&json!({}));
    let blocked = outcome_of(&outcomes, "packages/probe");
    assert_eq!(blocked.state, Some(ResourceState::Blocked), "{blocked:?}");
    assert!(blocked.message.contains("leans"), "{blocked:?}");
    assert!(archive.installed("probe").is_some() && archive.installed("leans").is_some());
    archive.remove("leans");
    converge(&json!({}));
    assert_eq!((archive.installed("probe"), archive.installed("probe-lib")), (None, None), "it came with it");
}

/// Versions go up as asked, down only with leave, and never by the way.
pub(crate) fn run_versions(archive: &mut dyn TestArchive) {
    archive.add("probe", "1.0-1", &[]);
    archive.add("rival", "1.0-1", &[(Relation::Conflicts, "probe")]);
    archive.publish();
    archive.install("probe");
    archive.add("probe", "1.9-1", &[]);
    if archive.keeps_versions() {
        archive.add("probe", "2.0-1", &[]);
        archive.publish();
        converge_wholly(&json!({"packages/probe": {"version": "1.0-1"}}));
        assert_eq!(archive.installed("probe").as_deref(), Some("1.0-1"));
    } else {
        archive.publish();
    }
    converge_wholly(&json!({"packages/probe": {"version": "> 1.0-1, < 2", "allow_downgrade": true}}));
    assert_eq!(archive.installed("probe").as_deref(), Some("1.9-1"));
    if !archive.keeps_versions() {
        archive.add("probe", "2.0-1", &[]);
        archive.publish();
    }
    let mut latest = json!({"meta": {"state": "latest"}, "allow_downgrade": true});
    if archive.holds() {
        latest["hold"] = json!(true);
    }
    converge_wholly(&json!({"packages/probe": latest}));
    assert_eq!(archive.installed("probe").as_deref(), Some("2.0-1"));

    let outcomes = converge(&json!({"packages/probe": {"version": "1.0-1"}}));
    let refused = outcome_of(&outcomes, "packages/probe");
    assert_eq!(refused.state, Some(ResourceState::Blocked), "{refused:?}");
    assert!(refused.message.contains("allow_downgrade"), "{refused:?}");
    let outcomes = converge(&json!({"packages/probe": {"version": "1.0-1", "allow_downgrade": true}}));
    if archive.keeps_versions() {
        assert_eq!(archive.installed("probe").as_deref(), Some("1.0-1"), "{outcomes:?}");
    } else {
        let refused = outcome_of(&outcomes, "packages/probe");
        assert!(refused.message.contains("1.0-1 was not found, only 2.0-1"), "{refused:?}");
        assert_eq!(archive.installed("probe").as_deref(), Some("2.0-1"));
    }

    // Installing one would remove the other.
    let outcomes = converge(&json!({"packages/rival": {}, "packages/probe": {}}));
    let refused = outcome_of(&outcomes, "packages/rival");
    assert!(matches!(refused.state, Some(ResourceState::Blocked | ResourceState::Error)), "{refused:?}");
    assert!(refused.message.contains("probe"), "{refused:?}");
    assert_eq!(archive.installed("rival"), None);
    assert!(archive.installed("probe").is_some());
}
