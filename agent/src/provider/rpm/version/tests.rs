#![allow(clippy::disallowed_methods)]

use super::{compare_versions, compare_wanted};
use std::cmp::Ordering;
use std::process::Command;

const VERSIONS: [&str; 24] = [
    "1.0",
    "1.0.1",
    "1.0~rc1",
    "1.0~rc1^git1",
    "1.0^",
    "1.0^20200101",
    "1.0^git1",
    "1.0^git1~pre",
    "1.01",
    "1.1",
    "1.10",
    "1.9",
    "1.a",
    "1.0a",
    "10xyz",
    "xyz10",
    "xyz.4",
    "2_0",
    "2.0",
    "2a",
    "a1",
    "1.0aa",
    "6.0.rc1",
    "5.5p10",
];

/// rpm itself, by the version comparison of its macro language.
fn rpm_says(a: &str, b: &str) -> Option<String> {
    let script = format!("%{{lua: print(rpm.vercmp('{a}', '{b}'))}}");
    let output = Command::new("rpm").args(["--eval", &script]).output().ok()?;
    Some(String::from_utf8(output.stdout).expect("text").trim().to_owned())
}

#[test]
fn the_order_is_that_of_rpm() {
    for a in VERSIONS {
        for b in VERSIONS.iter().filter(|b| a <= **b) {
            let ours = compare_versions(a, b);
            assert_eq!(ours, compare_versions(b, a).reverse(), "{a} {b}");
            // Elsewhere than beside rpm there is none to ask.
            if let Some(theirs) = rpm_says(a, b) {
                assert_eq!(theirs, (ours as i8).to_string(), "{a} {b}");
            }
        }
    }
}

#[test]
fn epochs_and_releases_count() {
    assert_eq!(compare_versions("1:0.9-1", "2.0-1"), Ordering::Greater);
    assert_eq!(compare_versions("1.0-2", "1.0-10"), Ordering::Less);
    assert_eq!(compare_versions("1.0", "1.0-10"), Ordering::Equal, "any release");
    assert_eq!(compare_wanted("1.0-1", "3:1.0-1"), Ordering::Equal, "any epoch");
    assert_eq!(compare_wanted("0:1.0-1", "3:1.0-1"), Ordering::Less);
}
