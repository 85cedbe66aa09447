#![allow(clippy::disallowed_methods)]

use super::{ChildError, ChildLines};
use crate::host::Program;
use std::path::Path;
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);

fn shell(script: &str) -> ChildLines {
    ChildLines::start(&Program::new(["/bin/sh", "-c", script]), 1024).unwrap()
}

#[test]
fn a_line_asks_and_a_line_answers() {
    let mut child = shell("while read line; do echo \"heard $line\"; done");
    for word in ["one", "two"] {
        assert_eq!(child.ask(word.as_bytes(), SOON).unwrap(), format!("heard {word}").into_bytes());
    }
}

#[test]
fn what_hangs_costs_its_time_and_goes_with_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let note = folder.path().join("child");
    let mut child = shell(&format!("sleep 1000 & echo $! > {}; cat > /dev/null", note.display()));
    let begin = Instant::now();
    let error = child.ask(b"anyone?", Duration::from_millis(300)).unwrap_err();
    assert!(matches!(error, ChildError::TimedOut(_)), "{error:?}");
    assert!(begin.elapsed() < Duration::from_secs(5));
    let id = std::fs::read_to_string(&note).unwrap().trim().to_owned();
    assert!(Path::new("/proc").join(&id).exists());
    drop(child);
    let gone = || match std::fs::read_to_string(Path::new("/proc").join(&id).join("stat")) {
        Ok(stat) => stat.contains(") Z "),
        Err(_) => true,
    };
    for _ in 0..100 {
        if gone() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("process {id} is still there");
}

#[test]
fn what_floods_is_cut_off() {
    let mut child = shell("read line; cat /dev/zero");
    let error = child.ask(b"talk", SOON).unwrap_err();
    assert!(matches!(error, ChildError::TooMuch(1024)), "{error:?}");
    assert!(child.said.len() < 64 << 10, "{} bytes are kept", child.said.len());
}

#[test]
fn what_does_not_listen_is_not_waited_for() {
    let mut child = shell("sleep 1000");
    let error = child.say(&vec![b'x'; 1 << 20], Duration::from_millis(200)).unwrap_err();
    assert!(matches!(error, ChildError::TimedOut(_)), "{error:?}");
}

#[test]
fn what_dies_is_told_with_its_last_words() {
    let mut child = shell("read line; echo 'no such plan' >&2; exit 3");
    let error = child.ask(b"plan", SOON).unwrap_err();
    assert_eq!(error.to_string(), "it ended with code 3: no such plan");
    let mut child = shell("read line; kill -9 $$");
    assert_eq!(child.ask(b"plan", SOON).unwrap_err().to_string(), "it ended with signal 9");
}

#[test]
fn complaints_do_not_hold_it_up() {
    let mut child = shell("head -c 300000 /dev/zero >&2; read line; echo done");
    assert_eq!(child.ask(b"go", SOON).unwrap(), b"done");
}

#[test]
fn what_is_not_there_is_said_so() {
    let error = ChildLines::start(&Program::new(["/no/such/program"]), 10).err().unwrap();
    assert!(matches!(error, ChildError::Start(_)), "{error:?}");
}
