#![allow(clippy::unwrap_used)]
use super::*;
use serde_json::{Value, json};

struct Book {
    checks: Checks,
    now: Instant,
}

impl Book {
    fn new() -> Book {
        Book { checks: Checks::default(), now: Instant::now() }
    }

    fn set(&mut self, wanted: &Value, anew: bool) {
        let one = |(id, spec): (&String, &Value)| {
            let mut spec = spec.clone();
            let mut meta = |name: &str| spec.as_object_mut().unwrap().remove(name).and_then(|v| v.as_u64());
            let (timeout, retry) = (meta("timeout"), meta("retry"));
            let number = |value: Option<u64>| value.map(|value| u32::try_from(value).unwrap());
            let check =
                Check { spec: serde_json::from_value(spec).unwrap(), timeout: number(timeout), retry: number(retry) };
            (address(id), check)
        };
        self.checks.set(wanted.as_object().unwrap().iter().map(one).collect(), anew, |_| None, self.now);
    }

    fn pass_time(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// The one probe that is due.
    fn probe(&mut self) -> Probe {
        let mut due = self.checks.take_due(self.now);
        assert_eq!(due.len(), 1, "{due:?}");
        due.pop().unwrap()
    }

    fn answer(&mut self, probe: &Probe, answer: Result<(), &str>) -> Option<CheckState> {
        self.checks.answer(&probe.address, probe.number, answer.map_err(str::to_owned), self.now)
    }

    fn wait(&self) -> u64 {
        self.checks.due().unwrap().saturating_duration_since(self.now).as_secs()
    }
}

fn address(id: &str) -> Address {
    format!("checks/{id}").parse().unwrap()
}

fn fails(why: &str) -> Option<CheckState> {
    Some(CheckState::Fails(why.to_owned()))
}

#[test]
fn one_success_passes_and_a_failure_is_repeated_before_it_counts() {
    let mut book = Book::new();
    book.set(&json!({"a": {"tcp": "a:1", "interval": 60}}), true);
    assert_eq!(book.checks.summary().undecided, Some(address("a")));
    let probe = book.probe();
    assert_eq!(book.answer(&probe, Err("no")), None);
    assert_eq!(book.wait(), 5, "soon again");
    book.pass_time(5);
    let probe = book.probe();
    assert_eq!(book.answer(&probe, Ok(())), Some(CheckState::Passes));
    assert!(book.checks.are_decided() && book.checks.summary() == CheckSummary::default());
    assert_eq!(book.wait(), 60);

    for why in ["one", "two"] {
        book.pass_time(60);
        let probe = book.probe();
        assert_eq!(book.answer(&probe, Err(why)), None);
    }
    book.pass_time(5);
    let probe = book.probe();
    assert_eq!(book.answer(&probe, Err("three")), fails("three"));
    assert_eq!(book.checks.summary().failing.as_deref(), Some("checks/a: three"));
    // It goes on failing in other words: nothing is told.
    assert_eq!(book.wait(), 60);
    book.pass_time(60);
    let probe = book.probe();
    assert_eq!(book.answer(&probe, Err("four")), None);
    book.pass_time(60);
    let probe = book.probe();
    assert_eq!(book.answer(&probe, Ok(())), Some(CheckState::Passes), "back to well by one success");
}

#[test]
fn a_new_manifest_asks_all_again() {
    let mut book = Book::new();
    let wanted = json!({"a": {"unit": "a"}});
    book.set(&wanted, true);
    let old = book.probe();
    assert_eq!(book.answer(&old, Ok(())), Some(CheckState::Passes));
    book.set(&wanted, false);
    assert!(book.checks.are_decided() && book.checks.take_due(book.now).is_empty(), "the same checks go on");

    book.set(&wanted, true);
    assert!(!book.checks.are_decided());
    let first = book.probe();
    // A newer manifest before the answer: that answer is about the old one.
    book.set(&wanted, true);
    assert_eq!(book.answer(&first, Ok(())), None);
    assert!(!book.checks.are_decided());
    let second = book.probe();
    assert_eq!(book.answer(&second, Ok(())), Some(CheckState::Passes), "the same state, said of the new manifest");
    book.set(&json!({}), true);
    assert!(book.checks.are_decided() && book.checks.due().is_none());
}

#[test]
fn what_is_known_from_before_counts_under_the_same_manifest() {
    let mut checks = Checks::default();
    let spec: CheckSpec = serde_json::from_value(json!({"unit": "a"})).unwrap();
    let wanted = BTreeMap::from([(address("a"), Check { spec: Box::new(spec), timeout: None, retry: None })]);
    checks.set(wanted.clone(), false, |_| fails("as before"), Instant::now());
    assert_eq!(checks.summary().failing.as_deref(), Some("checks/a: as before"));
    let mut checks = Checks::default();
    checks.set(wanted, true, |_| fails("as before"), Instant::now());
    assert_eq!(checks.summary(), CheckSummary { undecided: Some(address("a")), ..CheckSummary::default() });
}

#[test]
fn a_probe_that_hangs_is_a_failure_and_is_not_begun_again() {
    let mut book = Book::new();
    let wanted = json!({"a": {"tcp": "a:1", "timeout": 2, "severity": "wanted"}});
    book.set(&wanted, true);
    let probe = book.probe();
    assert_eq!((book.wait(), probe.timeout), (7, Duration::from_secs(2)));
    book.pass_time(7);
    let told = book.checks.take_hanging(book.now);
    assert_eq!(told, [(address("a"), CheckState::Fails("the probe hangs: no answer within 2 s".to_owned()))]);
    assert_eq!(book.checks.summary().warning.as_deref(), Some("checks/a: the probe hangs: no answer within 2 s"));
    book.pass_time(3600);
    assert!(book.checks.take_due(book.now).is_empty() && book.checks.take_hanging(book.now).is_empty());
    assert_eq!(book.checks.due(), None, "there is nothing to wait for");
    // Nor does a new manifest wait for it.
    book.set(&wanted, true);
    assert!(book.checks.are_decided());
    assert_eq!(book.answer(&probe, Ok(())), None, "it is too late to count");
    let probe = book.probe();
    assert_eq!(book.answer(&probe, Ok(())), Some(CheckState::Passes));
}

#[test]
fn many_checks_take_turns_and_hanging_ones_hold_up_nobody() {
    let mut book = Book::new();
    let wanted: serde_json::Map<String, Value> =
        (0..40).map(|n| (format!("c{n:02}"), json!({"unit": "a", "timeout": 1}))).collect();
    book.set(&Value::Object(wanted), true);
    let first = book.checks.take_due(book.now);
    assert_eq!(first.len(), MAX_PROBES);
    assert!(book.checks.take_due(book.now).is_empty());
    assert_eq!(book.answer(&first[0], Ok(())), Some(CheckState::Passes));
    assert_eq!(book.checks.take_due(book.now).len(), 1);
    book.pass_time(6);
    assert_eq!(book.checks.take_hanging(book.now).len(), MAX_PROBES);
    assert_eq!(book.checks.take_due(book.now).len(), MAX_PROBES, "others have their turn");
}
