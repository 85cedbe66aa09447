//! On the real ansible-core of this machine.
#![allow(clippy::disallowed_methods)]

use super::{AnsibleModules, CheckResult};
use crate::host::RealHost;
use crate::test_daemon::wait_for;
use serde_json::{Map, Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

fn installed(test: &str) -> bool {
    let found = Path::new("/usr/lib/python3/dist-packages/ansible").exists();
    if !found {
        println!("skipped: {test} needs ansible-core");
    }
    found
}

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn check(modules: &AnsibleModules, module: &str, arguments: Value) -> Result<CheckResult, String> {
    let module = module.parse().unwrap();
    let answer = modules.check(&module, &object(arguments), Some(Duration::from_secs(20)));
    answer.map_err(|error| chain(&error))
}

fn apply(modules: &AnsibleModules, module: &str, arguments: Value) -> Result<bool, String> {
    let host = RealHost::open(Path::new("/")).unwrap();
    let module = module.parse().unwrap();
    let answer = modules.apply(&module, &object(arguments), Some(Duration::from_secs(20)), &host);
    answer.map_err(|error| chain(&error))
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {}", chain(cause)))
}

/// What the fork server is, where one runs.
fn server(modules: &AnsibleModules) -> Option<u32> {
    modules.shared.lock().as_ref().map(|running| running.server.id())
}

#[test]
fn a_line_is_looked_at_made_and_then_right() {
    if !installed("a_line_is_looked_at_made_and_then_right") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts");
    std::fs::write(&path, "127.0.0.1 localhost\n").unwrap();
    let modules = AnsibleModules::default();
    let asked = json!({"path": path, "line": "10.0.0.1 db"});
    let module = "ansible.builtin.lineinfile";
    let looked = check(&modules, module, asked.clone()).unwrap();
    let CheckResult::Differs { diff: Some(diff) } = looked else { panic!("{looked:?}") };
    assert!(diff.contains("+10.0.0.1 db"), "{diff}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "127.0.0.1 localhost\n", "a look wrote");
    assert_eq!(apply(&modules, module, asked.clone()), Ok(true));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "127.0.0.1 localhost\n10.0.0.1 db\n");
    assert_eq!(check(&modules, module, asked.clone()), Ok(CheckResult::InDesiredState));
    assert_eq!(apply(&modules, module, asked), Ok(false));
}

#[test]
fn a_folder_is_made_with_the_usual_mode() {
    if !installed("a_folder_is_made_with_the_usual_mode") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let modules = AnsibleModules::default();
    let asked = json!({"path": path, "state": "directory"});
    assert!(matches!(check(&modules, "ansible.builtin.file", asked.clone()), Ok(CheckResult::Differs { .. })));
    assert!(!path.exists());
    assert_eq!(apply(&modules, "ansible.builtin.file", asked.clone()), Ok(true));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(check(&modules, "ansible.builtin.file", asked), Ok(CheckResult::InDesiredState));
}

#[test]
fn a_user_is_looked_at_and_not_made() {
    if !installed("a_user_is_looked_at_and_not_made") {
        return;
    }
    let modules = AnsibleModules::default();
    let asked = |name: &str| json!({"name": name, "state": "present"});
    assert_eq!(check(&modules, "ansible.builtin.user", asked("root")), Ok(CheckResult::InDesiredState));
    let looked = check(&modules, "ansible.builtin.user", asked("muster-nobody"));
    assert!(matches!(looked, Ok(CheckResult::Differs { .. })), "{looked:?}");
    assert!(!std::fs::read_to_string("/etc/passwd").unwrap().contains("muster-nobody"));
}

#[test]
fn nobody_switches_check_mode_off() {
    if !installed("nobody_switches_check_mode_off") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new");
    let asked = json!({"path": path, "state": "directory", "_ansible_check_mode": false});
    let looked = check(&AnsibleModules::default(), "ansible.builtin.file", asked);
    assert!(matches!(looked, Ok(CheckResult::Differs { .. })), "{looked:?}");
    assert!(!path.exists());
}

#[test]
fn what_has_no_check_mode_cannot_tell() {
    if !installed("what_has_no_check_mode_cannot_tell") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ran");
    let modules = AnsibleModules::default();
    let asked = json!({"_raw_params": format!("touch {}", path.display())});
    let looked = check(&modules, "ansible.builtin.command", asked.clone());
    assert!(matches!(looked, Ok(CheckResult::CannotTell(_))), "{looked:?}");
    assert!(!path.exists());
    let looked = check(&modules, "ansible.builtin.wait_for", json!({"path": path, "timeout": 1}));
    assert!(matches!(&looked, Ok(CheckResult::CannotTell(why)) if why.contains("check mode")), "{looked:?}");
    assert_eq!(apply(&modules, "ansible.builtin.command", asked), Ok(true));
    assert!(path.exists());
}

#[test]
fn failures_say_why() {
    if !installed("failures_say_why") {
        return;
    }
    let modules = AnsibleModules::default();
    let no_such = check(&modules, "ansible.builtin.nonsense", json!({})).unwrap_err();
    assert!(no_such.contains("there is no module ansible.builtin.nonsense"), "{no_such}");
    let bad = check(&modules, "ansible.builtin.file", json!({"path": "/x", "colour": "red"})).unwrap_err();
    assert!(bad.contains("Unsupported parameters") && bad.contains("colour"), "{bad}");
    let only_plug_in = check(&modules, "ansible.builtin.template", json!({})).unwrap_err();
    assert!(only_plug_in.contains("controller"), "{only_plug_in}");
    assert!(apply(&modules, "ansible.builtin.nonsense", json!({})).unwrap_err().contains("there is no module"));
    let looks = check(&modules, "ansible.builtin.ping", json!({})).unwrap_err();
    assert!(looks.contains("does not say whether"), "{looks}");
}

/// A collection of the test's own, in a copy of this machine.
fn write_collection() {
    let folder = Path::new("/usr/share/ansible/collections/ansible_collections/test/odd/plugins/modules");
    std::fs::create_dir_all(folder).unwrap();
    let head = "import os, subprocess, sys, time\nfrom ansible.module_utils.basic import AnsibleModule\n";
    let begin = "module = AnsibleModule(argument_spec={}, supports_check_mode=True)\n";
    for (name, body) in [
        (
            "hangs",
            "child = subprocess.Popen(['sleep', '1000'])\nopen('/tmp/child', 'w').write(str(child.pid))\ntime.sleep(1000)\n",
        ),
        ("floods", "while True: print('x' * 65536)\n"),
        ("complains", "sys.stderr.write('x' * 1000000)\nmodule.exit_json(changed=False)\n"),
        ("dies", "os.kill(os.getpid(), 9)\n"),
        ("kills", "os.kill(os.getppid(), 9)\ntime.sleep(1000)\n"),
        ("raises", "raise ValueError('not today')\n"),
        (
            "marks",
            "import json\nbefore = getattr(json, 'marked', False)\njson.marked = True\nos.environ['MARK'] = '1'\nmodule.exit_json(changed=before)\n",
        ),
        (
            "leaves",
            "import atexit\natexit.register(lambda: open('/tmp/left', 'w').close())\nmodule.exit_json(changed=False)\n",
        ),
    ] {
        std::fs::write(folder.join(format!("{name}.py")), format!("{head}{begin}{body}")).unwrap();
    }
}

#[test]
fn what_misbehaves_costs_one_error() {
    let test = "extension::ansible::modules::tests::what_misbehaves_costs_one_error";
    if !installed(test) || !crate::test_machine::enter(test) {
        return;
    }
    write_collection();
    let modules = AnsibleModules::default();
    let asked = |name: &str| {
        let module = format!("test.odd.{name}").parse().unwrap();
        modules.check(&module, &Map::new(), Some(Duration::from_secs(2))).map_err(|error| chain(&error))
    };
    let fails = |name: &str, why: &str| {
        let error = asked(name).unwrap_err();
        assert!(error.contains(why), "{name}: {error}");
    };
    assert_eq!(asked("complains"), Ok(CheckResult::InDesiredState));
    let first = server(&modules).unwrap();
    let begin = Instant::now();
    fails("hangs", "took too long");
    assert!(begin.elapsed() < Duration::from_secs(10), "{:?}", begin.elapsed());
    let child = std::fs::read_to_string("/tmp/child").unwrap();
    // A killed process runs on until it is its turn.
    wait_for("what it started to go with it", || {
        let state = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
        state.is_empty() || state.contains(") Z ")
    });
    fails("floods", "more than");
    fails("dies", "code -9");
    fails("raises", "ValueError: not today");
    // Nothing of it reaches the next call.
    assert_eq!(asked("marks"), Ok(CheckResult::InDesiredState));
    assert_eq!(asked("marks"), Ok(CheckResult::InDesiredState));
    assert_eq!(asked("leaves"), Ok(CheckResult::InDesiredState));
    assert!(Path::new("/tmp/left").exists(), "its exit handlers ran");
    assert_eq!(server(&modules), Some(first), "all that by one server");
    fails("kills", "signal 9");
    assert_eq!(asked("marks"), Ok(CheckResult::InDesiredState), "and the next call works");
    assert_ne!(server(&modules), Some(first));
}

#[test]
fn nobody_keeps_what_is_not_used() {
    if !installed("nobody_keeps_what_is_not_used") {
        return;
    }
    let modules = AnsibleModules::with_idle(Duration::from_millis(300));
    let look = || check(&modules, "ansible.builtin.user", json!({"name": "root"}));
    assert_eq!(look(), Ok(CheckResult::InDesiredState));
    let first = server(&modules).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while server(&modules).is_some() {
        assert!(Instant::now() < deadline, "it stays");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!Path::new(&format!("/proc/{first}")).exists(), "not even its remains are there");
    assert_eq!(look(), Ok(CheckResult::InDesiredState));
}

/// Prints what a look costs with and without the fork server; it must be worth it.
#[test]
fn a_fork_costs_less_than_a_start() {
    if !installed("a_fork_costs_less_than_a_start") {
        return;
    }
    let modules = AnsibleModules::default();
    let asked = json!({"path": "/etc/passwd", "state": "file"});
    let median = |call: &dyn Fn()| {
        let mut times: Vec<Duration> = (0..9)
            .map(|_| {
                let begin = Instant::now();
                call();
                begin.elapsed()
            })
            .collect();
        times.sort_unstable();
        times[4]
    };
    let forked = median(&|| drop(check(&modules, "ansible.builtin.file", asked.clone()).unwrap()));
    let started = median(&|| assert_eq!(apply(&modules, "ansible.builtin.file", asked.clone()), Ok(false)));
    println!("a call by the fork server {forked:?}, by a start of its own {started:?}");
    assert!(forked * 2 < started, "{forked:?} against {started:?}");
}
