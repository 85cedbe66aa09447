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
