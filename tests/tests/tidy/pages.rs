//! The pages of the book.

use std::path::Path;

use crate::check;
use crate::source::{sources, top};

#[test]
fn every_page_is_in_the_summary_and_every_link_leads_to_a_page() {
    let Some(summary) = ["docs/SUMMARY.md", "docs/src/SUMMARY.md"].iter().find(|path| top().join(path).exists()) else {
        println!("no book yet");
        return;
    };
    let folder = Path::new(summary).parent().unwrap();
    let text = std::fs::read_to_string(top().join(summary)).unwrap();
    let links: Vec<String> =
        text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).map(str::to_owned).collect();
    let mut findings = Vec::new();
    for page in
        sources(&[".md"]).iter().filter_map(|page| Path::new(&page.path).strip_prefix(folder).ok().map(Path::to_owned))
    {
        let page = page.to_str().unwrap();
        if page != "SUMMARY.md" && !links.iter().any(|link| link.trim_start_matches("./") == page) {
            findings.push(format!("{page} is not in the summary"));
        }
    }
    for link in links.iter().filter(|link| !link.is_empty() && !top().join(folder).join(link).exists()) {
        findings.push(format!("the summary names {link}, which does not exist"));
    }
    check("the summary is the book", &findings);
}
