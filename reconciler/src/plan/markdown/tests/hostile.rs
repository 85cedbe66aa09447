//! A candidate that would rather be read otherwise.

use super::judge::judge;
use super::options;
use crate::plan::render_markdown;
use crate::plan::tests::{BASE, plan};

/// What would be markup, HTML, a link, a mention, a reference, an end of what it stands in, or hidden.
const HOSTILE: [&str; 14] = [
    "`",
    "```",
    "````x",
    "</code></summary></details><h1>approved</h1>",
    "-->",
    "<!-- muster plan of test -->",
    "<img src=http://192.0.2.1/x.png>",
    "![x](http://192.0.2.1/x.png)",
    "[click](http://192.0.2.1/)",
    "www.example.org http://example.org alice@example.org",
    "@alice @team/all #12 !34 org/repo#5 closes #6",
    "**bold** _it_ ~~no~~ | a | b | $x$",
    "\u{202e}desrever\u{2066}",
    "\\` \\\\` &lt;b&gt; &#64;alice",
];

/// The text in double quotes of YAML.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("json")
}

#[test]
fn no_text_of_a_candidate_is_more_than_code() {
    for hostile in HOSTILE {
        let path = format!("/srv/{}", hostile.replace('/', "\u{2215}"));
        let lines = ["{}", " {}", "   {}", "{}\n", "/close\n/merge {}", "+{}", "\n\n{}\n\n"];
        let content: String = lines.iter().map(|line| line.replace("{}", hostile) + "\n").collect();
        let files = format!(
            "    {}: {{content: {}, owner: root}}\n    /etc/kept: {{content: {}}}\n",
            quoted(&path),
            quoted(&content),
            quoted(&format!("x\n{hostile}"))
        );
        let commands = format!("  commands: {{x: {{argv: [a, {}]}}}}\n", quoted(hostile));
        let candidate = BASE
            .replace("    /etc/kept: {content: x, on_remove: keep}\n", &files)
            .replace("  packages:", &format!("{commands}  packages:"));
        for (base, head) in [(BASE, &*candidate), (&candidate, BASE)] {
            let plan = plan(base, head);
            assert_eq!(plan.findings, [], "{hostile}");
            let markdown = render_markdown(&plan, &options(None));
            judge(&markdown, &["approved", "alice", "example", "192.0.2.1", "bold"]);
            assert!(!markdown.contains(['\u{202e}', '\u{2066}']), "{markdown}");
            assert!(markdown.contains("srv"), "the path is told: {markdown}");
        }
        let faulty = BASE.replace("{nginx: {}, curl: {}}", &format!("{{nginx: {{{}: 1}}}}", quoted(hostile)));
        let plan = plan(BASE, &faulty);
        assert_eq!(plan.findings.len(), 1, "{hostile}");
        judge(&render_markdown(&plan, &options(None)), &["approved", "alice", "example", "192.0.2.1", "bold"]);
    }
}

#[test]
fn context_that_looks_like_a_fence_closes_none() {
    // A line of context is indented by one space, as the end of a fence may be.
    let page = |word: &str| format!("content: \"```\\n{word}\\n```\\n<b>@alice</b>\\n\"");
    let base = BASE.replace("content: x", &page("one"));
    let plan = plan(&base, &BASE.replace("content: x", &page("two")));
    let markdown = render_markdown(&plan, &options(None));
    assert!(markdown.contains("\n````diff\n"), "{markdown}");
    judge(&markdown, &["alice"]);
}

#[test]
fn the_name_of_a_revision_is_code() {
    let plan = plan(BASE, BASE);
    let options = crate::plan::MarkdownOptions { base: "@alice`</b>", ..options(None) };
    judge(&render_markdown(&plan, &options), &["alice"]);
}
