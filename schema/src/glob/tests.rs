use super::*;

#[test]
fn a_star_stands_for_any_text() {
    for (pattern, text) in [
        ("a", "a"),
        ("*", ""),
        ("*", "x"),
        ("a*", "abc"),
        ("*c", "abc"),
        ("a*c", "ac"),
        ("a*b*c", "a1b2bc"),
        ("**", "x"),
    ] {
        assert!(matches(pattern, text), "{pattern} {text}");
    }
    for (pattern, text) in
        [("a", "ab"), ("", "a"), ("a*", "ba"), ("a*a", "a"), ("a*b*c", "acb"), ("*b", "ba"), ("a.c", "abc")]
    {
        assert!(!matches(pattern, text), "{pattern} {text}");
    }
}
