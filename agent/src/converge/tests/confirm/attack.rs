//! A process that ends anywhere in a risky change.

use super::*;

#[test]
fn a43_without_contact_all_risky_changes_of_a_run_come_back_wherever_the_process_ends() {
    for at in 0.. {
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(found()));
        follow_and_reach(dir.path(), &host, &first());
        let (before, reacted) = (host.tree(), host.ran().len());
        let crashed = crash_at(at, || drop(follow_in_vain(dir.path(), &host, &second()))).is_none();
        let converger = follow_in_vain(dir.path(), &host, &second());
        let context = format!("crash at {at}");
        let mut now_there = host.tree();
        assert_eq!(now_there.remove("/etc/motd").map(|node| node.mode), Some(0o644), "{context}");
        assert_eq!(now_there, before, "{context}");
        let reactions = if crashed { 1 } else { 2 };
        assert!(host.ran().len() >= reacted + reactions, "{context}: it reacts to the way there and the way back");
        assert!(converger.managed().owed.is_empty(), "{context}: no reaction is left out");
        for address in ["files/etc/ssh/sshd_config", "files/etc/network/interfaces"] {
            let known = &converger.managed().known.states()[&address.parse().unwrap()];
            assert_eq!(known.state, ResourceState::Error, "{context}");
            assert!(known.message.contains("reverted: the orchestrator was not reached within 120 s"), "{context}");
        }
        drop(converger);

        // Another content is another try, and from there all goes back to what was found.
        let mut third = second();
        third["files/etc/motd"]["text"] = json!("another");
        follow_and_reach(dir.path(), &host, &third);
        assert_eq!(text(&host.tree(), SSHD).as_deref(), Some("two"), "{context}");
        assert_eq!(text(&host.tree(), MADE).as_deref(), Some("auto"), "{context}");
        follow_and_reach(dir.path(), &host, &json!({}));
        assert_eq!(host.tree(), found(), "{context}");
        if !crashed {
            assert!(at > 10, "only {at} points");
            return;
        }
    }
}

#[test]
fn a43_with_contact_all_stands_wherever_the_process_ends() {
    for at in 0.. {
        let (dir, host) = (tempfile::tempdir().unwrap(), FakeHost::new(found()));
        follow_and_reach(dir.path(), &host, &first());
        let crashed = crash_at(at, || follow_and_reach(dir.path(), &host, &second())).is_none();
        follow_and_reach(dir.path(), &host, &second());
        assert_eq!(text(&host.tree(), SSHD).as_deref(), Some("two"), "crash at {at}");
        assert_eq!(host.tree()[SSHD].mode, 0o600, "crash at {at}");
        let converger = begin(dir.path(), &host, &second());
        assert!(converger.managed().risk.armed().is_none(), "crash at {at}");
        drop(converger);
        follow_and_reach(dir.path(), &host, &json!({}));
        assert_eq!(host.tree(), found(), "crash at {at}");
        if !crashed {
            return;
        }
    }
}
