//! The cases of `docs/attacks.md`, and what their tests came to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};

/// One line of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// `7` of `A7`.
    pub number: u8,
    /// What is tried.
    pub attempt: String,
    /// What must come of it.
    pub outcome: String,
    /// The codes by which it is refused.
    pub codes: Vec<String>,
}

/// What the tests of one case came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried {
    /// Tests that ran to their end.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests for which this machine lacked something.
    pub skipped: usize,
    /// `http`, `amqp`, as the names end.
    pub transports: BTreeSet<&'static str>,
    /// The crates and test programs that hold them.
    pub places: BTreeSet<String>,
}

impl Tried {
    /// Whether there are tests, all of them passed, and none was skipped.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.passed > 0 && self.failed + self.skipped == 0
    }
}

/// The cases of the page, in its order.
#[must_use]
pub fn load_cases(page: &str) -> Vec<Case> {
    let row = |line: &str| {
        let mut cells = line.strip_prefix("| A")?.split('|').map(str::trim);
        let number = cells.next()?.parse().ok()?;
        let (attempt, outcome) = (cells.next()?.to_owned(), cells.next()?.to_owned());
        let codes = cells.next()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        Some(Case { number, attempt, outcome, codes })
    };
    page.lines().filter_map(row).collect()
}

/// The cases of a test by its path: `…::attack::…::a07_words`.
#[must_use]
pub fn cases_of(test: &str) -> Vec<u8> {
    let (modules, function) = test.rsplit_once("::").unwrap_or_default();
    if modules.split("::").any(|part| part == "attack") { cases_of_function(function) } else { Vec::new() }
}

/// The cases of a function by its name: `a07_words`, or `a07_a08_words` where it tries several.
#[must_use]
pub fn cases_of_function(name: &str) -> Vec<u8> {
    let number = |word: &str| {
        let digits = word.strip_prefix('a').filter(|digits| digits.len() == 2)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    name.split('_').map_while(number).collect()
}

/// What the tests came to, by case, from nextest's JUnit report.
///
/// # Errors
/// When the text is no such report.
pub fn load_results(junit: &str) -> Result<BTreeMap<u8, Tried>> {
    let document = roxmltree::Document::parse(junit).context("the report is no XML")?;
    let mut results: BTreeMap<u8, Tried> = BTreeMap::new();
    for test in document.descendants().filter(|node| node.has_tag_name("testcase")) {
        let name = test.attribute("name").context("a test has no name")?;
        let has = |tags: &[&str]| test.children().any(|node| tags.contains(&node.tag_name().name()));
        let mut output = test.children().filter_map(|node| node.text()).flat_map(str::lines);
        let skipped = has(&["skipped"]) || output.any(|line| line.contains("SKIPPED: "));
        let failed = has(&["failure", "error"]);
        for case in cases_of(name) {
            let tried = results.entry(case).or_default();
            match (failed, skipped) {
                (true, _) => tried.failed += 1,
                (_, true) => tried.skipped += 1,
                _ => tried.passed += 1,
            }
            tried.transports.extend(["http", "amqp"].into_iter().filter(|end| name.ends_with(&format!("_{end}"))));
            tried.places.extend(test.attribute("classname").map(str::to_owned));
        }
    }
    Ok(results)
}
