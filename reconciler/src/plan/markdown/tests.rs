mod hostile;
mod judge;

use muster_schema::{FleetName, HostId};

use self::judge::judge;
use super::{LEAST_MAX_BYTES, MarkdownOptions, hosts, render_markdown};
use crate::plan::tests::{BASE, head, plan};

fn options(max_bytes: Option<usize>) -> MarkdownOptions<'static> {
    MarkdownOptions { fleet: None, base: "main", max_bytes, whole: None }
}

#[test]
fn a_comment_names_deletions_and_restarts_first() {
    let fleet: FleetName = "test".parse().expect("a name");
    let options = MarkdownOptions { fleet: Some(&fleet), ..options(Some(LEAST_MAX_BYTES)) };
    let base = BASE.replace("reload_on", "restart_on");
    let markdown = render_markdown(&plan(&base, &head().replace("reload_on", "restart_on")), &options);
    let expected = "<!-- muster plan of test -->
### Plan: 3 hosts, 4 changes, 3 deletions, 1 restart

Compared with `main`. Changes that are the same on several hosts are told once.

#### Deletions
**deletion** retired, left as it is, on 1 host: `old-1`

**deletion** `files/etc/kept` left as it is, on 2 hosts: `web-1, web-2`

**deletion** `packages/curl` returns to what was found, on 2 hosts: `web-1, web-2`

#### Restarts and commands
**restart** `services/nginx`, on 2 hosts: `web-1, web-2`

#### Changes
<details><summary><b>change</b> <code>files/etc/nginx.conf</code> +1 −1, on 2 hosts: <code>web-1, web-2</code></summary>

```diff
@@ -1,3 +1,3 @@
 a
-b
+B
 c
```
</details>
";
    assert!(markdown.starts_with(expected), "{markdown}");
    judge(&markdown, &[]);
}

#[test]
fn nothing_changes_is_one_line() {
    let markdown = render_markdown(&plan(BASE, BASE), &options(None));
    let expected = "<!-- muster plan -->\n### Plan: no changes on 3 hosts\n\nCompared with `main`.";
    assert!(markdown.starts_with(expected), "{markdown}");
    assert_eq!(markdown.lines().count(), 5, "{markdown}");
}

#[test]
fn faults_stand_on_top_and_commands_are_marked() {
    let commands = BASE.replace("  packages:", "  commands: {migrate: {argv: [migrate]}}\n  packages:");
    let markdown = render_markdown(&plan(BASE, &commands), &options(None));
    assert!(markdown.contains("\n### Plan: 3 hosts, 1 change, 0 deletions, 0 restarts, 1 command run\n"), "{markdown}");
    assert!(markdown.contains("<b>command run</b>, new: <code>commands/migrate</code>"), "{markdown}");

    let faulty = BASE.replace("{nginx: {}, curl: {}}", "{nginx: {verion: 1}}");
    let markdown = render_markdown(&plan(BASE, &faulty), &options(None));
    assert!(markdown.contains("\n### Plan: 1 fault; no changes on 3 hosts\n"), "{markdown}");
    assert!(markdown.contains("told once.\n\n#### Faults\nNothing of the environments concerned"), "{markdown}");
    let told = "**fault** `applications/nginx/application.yaml:5:22`: `unknown field 'verion'`, \
                `did you mean 'version'?`";
    assert!(markdown.contains(told), "{markdown}");
    judge(&markdown, &[]);
}

#[test]
fn rows_of_hosts_are_whole_and_written_alike() {
    let named = |ids: &[&str], most| {
        let ids = ids.iter().map(|id| id.parse::<HostId>().expect("a name")).collect();
        hosts::name_hosts(&ids, most)
    };
    let all = usize::MAX;
    assert_eq!(named(&["web-9", "web-10", "web-11", "db-1"], all), ("db-1, web-9 … web-11".to_owned(), 0));
    assert_eq!(named(&["web-1", "web-2", "web-4", "web-5", "web-6"], all).0, "web-1, web-2, web-4 … web-6");
    assert_eq!(named(&["n08", "n09", "n10", "n7"], all).0, "n7, n08 … n10", "n8 would be another host");
    assert_eq!(named(&["a1.x9", "a2.x9", "a3.x9", "a4.x8"], all).0, "a4.x8, a1.x9 … a3.x9");
    assert_eq!(named(&["plain", "99999999999999999999999", "18446744073709551615"], all).1, 0);
    let forty: Vec<String> = (1..=40).map(|number| format!("web-{number}")).collect();
    let forty: Vec<&str> = forty.iter().map(String::as_str).collect();
    assert_eq!(named(&forty, 1), ("web-1 … web-40".to_owned(), 0));
    assert_eq!(named(&["a", "b1", "b2", "b3", "c"], 1), ("a".to_owned(), 4));
}

/// `count` files, each with `lines` new lines, and a package that goes.
fn large(count: usize, lines: usize) -> String {
    let content = "a new line\\n".repeat(lines);
    let files: String = (0..count).map(|index| format!("    /srv/{index:04}: {{content: \"{content}\"}}\n")).collect();
    BASE.replace("    /etc/kept", &format!("{files}    /etc/kept")).replace(", curl: {}", "")
}

#[test]
fn what_exceeds_the_bound_is_cut_at_borders_and_counted() {
    let plan = plan(BASE, &large(300, 15));
    let whole = render_markdown(&plan, &options(None));
    assert!(whole.len() > 60_000, "{}", whole.len());
    assert!(!whole.contains("left out"), "all of it");
    for max_bytes in [LEAST_MAX_BYTES, 10_000, 27_123, 60_000] {
        let options = MarkdownOptions { whole: Some("plan.md"), ..options(Some(max_bytes)) };
        let cut = render_markdown(&plan, &options);
        assert!(cut.len() <= max_bytes, "{} of {max_bytes}", cut.len());
        judge(&cut, &[]);
        let told = cut.lines().find(|line| line.starts_with("**Not all is shown:**")).expect("is told").to_owned();
        assert!(told.ends_with("The whole is in `plan.md` of the run that wrote this."), "{told}");
        let numbers: Vec<usize> = told.split(' ').filter_map(|word| word.parse().ok()).collect();
        let blocks = cut.matches("/srv/").count();
        assert_eq!(numbers[0], 300 - blocks, "blocks of {max_bytes}: {told}");
        assert_eq!(numbers[1], blocks - cut.matches("<details>").count(), "details of {max_bytes}: {told}");
        assert!(cut.contains("**deletion** `packages/curl`"), "deletions are there first: {cut}");
    }
    let cut = render_markdown(&plan, &options(Some(60_000)));
    assert_eq!(cut.matches("/srv/").count(), 300, "details go before blocks");
    assert!(cut.contains("The whole is told by `muster plan --base main`."), "{cut}");
}

#[test]
fn what_just_fits_is_not_cut() {
    let plan = plan(BASE, &large(60, 5));
    let whole = render_markdown(&plan, &options(None));
    assert_eq!(render_markdown(&plan, &options(Some(whole.len()))), whole);
    let cut = render_markdown(&plan, &options(Some(whole.len() - 1)));
    assert!(cut.contains("left out") && cut.len() < whole.len(), "{cut}");
}
