use super::has_processes;

#[test]
fn this_process_is_seen() {
    let own = rustix::process::getuid().as_raw();
    assert!(has_processes(own).expect("read"));
    assert!(!has_processes(3_999_999_999).expect("read"));
}
