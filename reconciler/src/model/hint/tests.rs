use super::did_you_mean;

const WORDS: [&str; 4] = ["content", "group", "mode", "owner"];

#[test]
fn a_slip_of_the_pen_is_recognised() {
    for (typed, meant) in [("contnet", "content"), ("mod", "mode"), ("ownr", "owner")] {
        let expected = format!("did you mean '{meant}'?");
        assert_eq!(did_you_mean(typed, WORDS), Some(expected));
    }
}

#[test]
fn another_word_gets_no_hint() {
    assert_eq!(did_you_mean("colour", WORDS), None);
}
