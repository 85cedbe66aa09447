use super::*;

#[test]
fn a_name_is_kept_in_place() {
    let longest = "a".repeat(MAX_EXTENSION_NAME_BYTES);
    for name in ["greetings", "a", "x_1", &longest] {
        assert_eq!(ExtensionName::new(name).map(|name| name.to_string()), Ok(name.to_owned()));
    }
    let mut names = ["b", "ab", "a", "a_b"].map(|name| ExtensionName::new(name).expect(name));
    names.sort();
    assert_eq!(names.map(|name| name.to_string()), ["a", "a_b", "ab", "b"]);
    // Every resource has an address, and several lists hold each.
    assert!(size_of::<Collection>() <= 32, "{}", size_of::<Collection>());
    assert!(size_of::<crate::Address>() <= 56, "{}", size_of::<crate::Address>());
}

#[test]
fn other_names_are_refused() {
    let long = "a".repeat(MAX_EXTENSION_NAME_BYTES + 1);
    for name in ["", "A", "1a", "_a", "a-b", "a.b", "a b", "ä", "a/b", &long] {
        assert!(matches!(ExtensionName::new(name), Err(BadExtensionName::Form(_))), "{name:?} was taken");
    }
    for name in ["files", "packages", "secrets", "facts", "plan", "converge", "applications"] {
        assert!(matches!(ExtensionName::new(name), Err(BadExtensionName::Taken(_))), "{name:?} was taken");
    }
}
