//! Markdown judged by a parser that is not ours.

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// Fails where anything but words of ours is outside code: HTML of others, a link, an image, a mention, or one of
/// `foreign`. A line that begins with a slash is a command of GitLab's.
pub(super) fn judge(markdown: &str, foreign: &[&str]) {
    assert!(!markdown.lines().any(|line| line.trim_start().starts_with('/')), "a command:\n{markdown}");
    let mut fence = None;
    let mut html = String::new();
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(name))) => {
                assert_eq!(&*name, "diff");
                fence = Some(String::new());
            }
            Event::End(TagEnd::CodeBlock) => {
                let text = fence.take().expect("began");
                assert!(
                    !text.lines().any(|line| line == "</details>"),
                    "a fence takes in what comes after it:\n{text}"
                );
            }
            Event::Text(text) => match &mut fence {
                Some(fence) => fence.push_str(&text),
                None => {
                    assert!(!text.contains(['@', '<', '`', '[']) && !text.contains("http"), "{text:?} in\n{markdown}");
                    foreign.iter().for_each(|foreign| assert!(!text.contains(foreign), "{text:?} in\n{markdown}"));
                }
            },
            Event::Html(text) => html.push_str(&text),
            Event::Start(Tag::Paragraph | Tag::Heading { .. } | Tag::Strong | Tag::HtmlBlock)
            | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Strong | TagEnd::HtmlBlock)
            | Event::Code(_)
            | Event::SoftBreak => {}
            other => panic!("{other:?} in\n{markdown}"),
        }
    }
    judge_html(&html);
}

/// Of HTML there is the marker, and blocks to unfold whose texts are escaped.
fn judge_html(html: &str) {
    for line in html.lines() {
        let line = line.strip_prefix("<!-- muster plan").map_or(line, |rest| {
            assert!(rest.ends_with(" -->"), "{line}");
            ""
        });
        let mut rest = line.to_owned();
        for tag in ["details", "summary", "code", "b"] {
            rest = rest.replace(&format!("<{tag}>"), "").replace(&format!("</{tag}>"), "");
        }
        assert!(!rest.contains(['<', '>', '"', '@', '\'']), "{line}");
        assert_eq!(line.matches("<code>").count(), line.matches("</code>").count(), "{line}");
    }
}
