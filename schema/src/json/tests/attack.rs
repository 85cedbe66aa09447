//! Documents that could be read in two ways, or not in bounded memory.

use super::*;

#[test]
fn a25_ambiguous_documents_are_refused() {
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH + 1), "]".repeat(MAX_DEPTH + 1));
    let long = format!("\"{}\"", "x".repeat(2000));
    for text in
        [r#"{"a": 1, "a": 1}"#, r#"{"a": {"b": 1, "\u0062": 2}}"#, "1.5", "1e3", "{} {}", "{", "NaN", &deep, &long]
    {
        assert!(read(text).is_err(), "{text:.60} was taken");
    }
}

/// What each type does with a document differs: it skips, keeps aside, reads twice, or takes a list for a map.
#[derive(Debug, serde::Deserialize)]
#[allow(dead_code, reason = "only read")]
struct Lenient {
    known: Option<Variant>,
    either: Option<Either>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only read")]
enum Variant {
    One(Value),
    Two { inner: Value },
    Three(Value, Value),
}

#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only read")]
enum Either {
    Map(std::collections::BTreeMap<String, Value>),
    Any(Value),
}

#[test]
fn a25_no_type_reads_less_strictly() {
    let read = |inner: &str| {
        let places = [
            format!(r#"{{"unknown": {inner}}}"#),
            format!(r#"{{"known": {{"one": {inner}}}}}"#),
            format!(r#"{{"known": {{"two": {{"inner": {inner}}}}}}}"#),
            format!(r#"{{"known": {{"three": [1, {inner}]}}}}"#),
            format!(r#"{{"either": {{"x": {inner}}}}}"#),
            format!(r#"{{"either": [{inner}]}}"#),
        ];
        places.map(|text| (load_strict::<Lenient>(text.as_bytes(), 4096).is_ok(), text))
    };
    for (taken, text) in read(r#"{"a": [1, {"b": null}], "c": "d"}"#) {
        assert!(taken, "{text} was refused");
    }
    let deep = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    for bad in [r#"{"a": 1, "a": 1}"#, r#"{"a": 1, "b": 2, "\u0061": 3}"#, "[1.5]", "-0", "1e3", &deep] {
        for (taken, text) in read(bad) {
            assert!(!taken, "{text:.80} was taken");
        }
    }
    for twice in [r#"{"unknown": 1, "unknown": 2}"#, r#"{"known": null, "known": null}"#] {
        assert!(load_strict::<Lenient>(twice.as_bytes(), 4096).is_err(), "{twice} was taken");
    }
}

#[test]
fn a25_nesting_is_bounded_in_every_type() {
    let nested = |depth: usize| format!(r#"{{"known": {{"one": {}{}}}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(load_strict::<Lenient>(nested(MAX_DEPTH - 2).as_bytes(), 4096).is_ok());
    assert!(load_strict::<Lenient>(nested(MAX_DEPTH - 1).as_bytes(), 4096).is_err());
}

#[test]
fn a25_nothing_is_kept_unread() {
    type Raw = Box<serde_json::value::RawValue>;
    assert!(load_strict::<Raw>(br#"{"a": 1, "a": 1}"#, 1024).is_err());
    assert!(load_strict::<Raw>(b"1", 1024).is_err());
    let hidden = br#"{"$serde_json::private::RawValue": "{\"a\": 1, \"a\": 1.5}"}"#;
    assert!(load_strict::<Value>(hidden, 1024).is_err());
}
