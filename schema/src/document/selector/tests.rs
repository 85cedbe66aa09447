use std::collections::BTreeMap;

use super::{BadSelector, Selector};

#[test]
fn all_terms_must_hold() {
    let labels = BTreeMap::from([("role", "web"), ("tier", "prod")]);
    let table = [
        ("role=web", true),
        ("role=db", false),
        ("role=web,tier!=test", true),
        ("role=web, tier=test", false),
        ("tier", true),
        ("!tier", false),
        ("!rack,role", true),
        ("rack!=a", true),
        ("*", true),
    ];
    for (text, expected) in table {
        let selector: Selector = text.parse().expect(text);
        assert_eq!(selector.selects(&labels), expected, "{text}");
        let again: Selector = selector.to_string().parse().expect("what it prints");
        assert_eq!(again, selector);
    }
}

#[test]
fn other_text_is_refused() {
    assert_eq!("".parse::<Selector>(), Err(BadSelector::Empty));
    for bad in ["role=", "=web", "a=b=c", "role==web", "role in (web)", "a,,b", "!", "ro le"] {
        let refused = bad.parse::<Selector>();
        assert!(matches!(refused, Err(BadSelector::BadTerm(_))), "{bad}: {refused:?}");
    }
}
