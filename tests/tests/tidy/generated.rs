//! The tables of codes on a page of the book, made from the code. `MUSTER_GENERATE=1` writes them.

use std::fs;

use crate::source::top;

const PAGE: &str = "docs/reference/reject-codes.md";

#[test]
fn the_tables_of_codes_are_current() {
    let read = |path: &str| fs::read_to_string(top().join(path)).unwrap();
    let faults = read("reconciler/src/verify/fault.rs");
    let policy = read("reconciler/src/verify/policy.rs");
    let commits = [named_faults(&faults, "CommitFault"), named_faults(&policy, "PolicyFault")].concat();
    let page = read(PAGE);
    let mut current = page.clone();
    for (name, codes) in [
        ("agent", listed_codes(&read("agent/src/verify/reject.rs"), "\ncodes! {")),
        ("commits", commits),
        ("receipts", listed_codes(&read("schema/src/receipt_code.rs"), "\nreceipt_codes! {")),
    ] {
        assert!(codes.len() > 10, "{name}: {codes:?}");
        current = with_table(&current, name, &codes);
    }
    if std::env::var_os("MUSTER_GENERATE").is_some() {
        fs::write(top().join(PAGE), current).unwrap();
    } else {
        assert!(page == current, "{PAGE} is not current: run make generated");
    }
}

/// A code and what it means.
type Code = (String, String);

/// The codes in a macro's call: each after its doc comment.
fn listed_codes(text: &str, call: &str) -> Vec<Code> {
    documented(body_after(text, call))
}

/// The codes of an error type: what `code` gives for a variant, with the variant's doc comment.
fn named_faults(text: &str, name: &str) -> Vec<Code> {
    let variants = documented(body_after(text, &format!("pub enum {name} {{")));
    let meaning = |variant: &str| variants.iter().find(|(one, _)| one == variant).map(|(_, meaning)| meaning.clone());
    let arms = text.lines().filter_map(|line| line.trim().strip_prefix("Self::")?.split_once(" => \""));
    let codes = arms.filter_map(|(pattern, code)| {
        let variant: String = pattern.chars().take_while(char::is_ascii_alphanumeric).collect();
        Some((code.strip_suffix("\",")?.to_owned(), meaning(&variant)?))
    });
    codes.filter(|(code, _)| code.chars().all(|c| c.is_ascii_alphanumeric())).collect()
}

/// What stands between `start` and the next closing brace at the margin.
fn body_after<'a>(text: &'a str, start: &str) -> &'a str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once("\n}").unwrap().0
}

/// The names at one level of indentation, with the doc comments before them.
fn documented(body: &str) -> Vec<Code> {
    let mut found = Vec::new();
    let mut meaning = Vec::new();
    for line in body.lines().filter_map(|line| line.strip_prefix("    ")) {
        if let Some(text) = line.strip_prefix("///") {
            meaning.push(text.trim());
        } else if line.starts_with(|c: char| c.is_ascii_uppercase()) {
            let name = line.chars().take_while(char::is_ascii_alphanumeric).collect();
            found.push((name, std::mem::take(&mut meaning).join(" ")));
        }
    }
    found
}

/// The page with the table between the marks of `name` made anew.
fn with_table(page: &str, name: &str, codes: &[Code]) -> String {
    let (start, end) = (format!("<!-- codes: {name} -->\n"), format!("<!-- end: {name} -->"));
    let (before, rest) = page.split_once(&start).unwrap();
    let (_, after) = rest.split_once(&end).unwrap();
    let rows: Vec<String> = codes.iter().map(|(code, meaning)| format!("| `{code}` | {meaning} |\n")).collect();
    format!("{before}{start}| code | meaning |\n|---|---|\n{}{end}{after}", rows.concat())
}
