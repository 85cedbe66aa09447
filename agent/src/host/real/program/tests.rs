use super::run;
use crate::host::{HostError, Program};
use crate::test_machine::enter_booted;
use std::time::Duration;

fn told(program: &Program) -> String {
    let output = run(program).unwrap();
    assert!(output.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn what_outlives_the_agent_runs_in_a_group_of_its_own() {
    if !enter_booted("host::real::program::tests::what_outlives_the_agent_runs_in_a_group_of_its_own") {
        return;
    }
    let group = Program::new(["cat", "/proc/self/cgroup"]);
    let ours = told(&group);
    assert_eq!(ours, std::fs::read_to_string("/proc/self/cgroup").unwrap().trim());
    let theirs = told(&Program { outlives: true, ..group });
    assert!(theirs.contains("/system.slice/run-") && theirs.contains(".scope") && theirs != ours, "{theirs}");

    let outlives = |argv: &[&str]| Program { outlives: true, ..Program::new(argv.iter().copied()) };
    assert_eq!(told(&outlives(&["printenv", "PATH"])), told(&Program::new(["printenv", "PATH"])));
    assert_eq!(run(&outlives(&["sh", "-c", "exit 100"])).unwrap().code, 100);
    let endless = Program { timeout: Some(Duration::from_millis(500)), ..outlives(&["sleep", "600"]) };
    assert!(matches!(run(&endless), Err(HostError::Timeout { .. })));
}
