use super::is_name;

#[test]
fn names_are_plain_labels() {
    for good in ["web-1", "a", "db.internal", "9", "x_y"] {
        assert!(is_name(good), "{good}");
    }
    let long = "a".repeat(64);
    for bad in ["", "-a", "a-", "A", "a/b", "a..b", "..", "\u{1b}[2J", "a b", "ü", long.as_str()] {
        assert!(!is_name(bad), "{bad:?}");
    }
}
