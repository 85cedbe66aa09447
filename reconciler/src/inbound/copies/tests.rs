use super::*;

fn key() -> PublicKey {
    "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3".parse().expect("a key")
}

/// A machine as it is now: its start, and what that has heard.
struct Machine(String, Option<String>);

impl Machine {
    fn started(start: &str) -> Self {
        Machine(start.to_owned(), None)
    }

    /// Shows itself; the answer arrives. Whether two machines were seen.
    fn show(&mut self, copies: &mut Copies, answers: &mut u32) -> bool {
        let seen = copies.note_presence(key(), &self.0, self.1.as_deref());
        *answers += 1;
        let answer = format!("answer {answers}");
        copies.note_answer(&key(), &self.0, &answer);
        self.1 = Some(answer);
        seen
    }
}

#[test]
fn two_machines_that_go_on_are_seen() {
    let (mut copies, mut answers) = (Copies::default(), 0);
    let (mut first, mut second) = (Machine::started("a"), Machine::started("b"));
    let mut shown = Vec::new();
    for _ in 0..3 {
        shown.push(first.show(&mut copies, &mut answers));
        shown.push(second.show(&mut copies, &mut answers));
    }
    assert_eq!(shown, [false, false, false, false, true, true], "at the third time of the first");
    copies.forget(&key());
    assert!(!first.show(&mut copies, &mut answers));
}

#[test]
fn one_machine_that_starts_again_is_never_two_whatever_is_held_back_or_repeated() {
    let (mut copies, mut answers) = (Copies::default(), 0);
    let mut held: Vec<(String, Option<String>)> = Vec::new();
    for start in 0..40 {
        let mut machine = Machine::started(&format!("start {start}"));
        for _ in 0..3 {
            held.push((machine.0.clone(), machine.1.clone()));
            assert!(!machine.show(&mut copies, &mut answers));
        }
        // Everything that it ever said comes again, the newest first and the oldest first.
        let again: Vec<_> = held.iter().rev().chain(held.iter()).cloned().collect();
        for (start, heard) in again {
            assert!(!copies.note_presence(key(), &start, heard.as_deref()), "{start}");
            // The answer goes to nobody: the machine has another start by now, or has an answer of its own.
            answers += 1;
            copies.note_answer(&key(), &start, &format!("answer {answers}"));
        }
    }
}

#[test]
fn what_nobody_answered_proves_nothing() {
    let mut copies = Copies::default();
    for _ in 0..10 {
        for start in ["a", "b"] {
            assert!(!copies.note_presence(key(), start, Some("made up")));
        }
    }
}
