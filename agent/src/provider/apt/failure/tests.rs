use super::{failure_reason, judge_failure};
use crate::host::ProgramOutput;
use crate::provider::package::Failure;

fn told(stdout: &str, stderr: &str) -> ProgramOutput {
    ProgramOutput { code: 100, stdout: stdout.into(), stderr: stderr.into() }
}

#[test]
fn failures_that_can_be_helped_are_known() {
    for (output, expected) in [
        ("E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (apt)", Failure::Locked),
        ("E: Unable to locate package ngin", Failure::Outdated),
        ("E: Version '9' for 'nginx' was not found", Failure::Outdated),
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", Failure::Interrupted),
        ("E: Sub-process /usr/bin/dpkg returned an error code (1)", Failure::Other),
    ] {
        assert_eq!(judge_failure(&told("", output)), expected, "{output}");
        assert_eq!(judge_failure(&told(output, "W: something else")), expected, "{output}");
    }
}

#[test]
fn the_reason_is_what_apt_calls_an_error() {
    let stdout = "Reading package lists...\nPackage x is a virtual package provided by:\n  y 1\n";
    let stderr = "W: old\nE: Package 'x' has no installation candidate\n";
    assert_eq!(
        failure_reason(&told(stdout, stderr)),
        "Package x is a virtual package provided by:; E: Package 'x' has no installation candidate"
    );
    assert_eq!(failure_reason(&told("", "something\nodd\u{1b}[1m\n")), "odd[1m");
    assert_eq!(failure_reason(&told("", &"E: x".repeat(9999))).len(), 600);
}
