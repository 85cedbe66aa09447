//! Patterns of paths and of principals.

use super::one;
use crate::policy::{PathPattern, PrincipalPattern};

#[test]
fn patterns_match_whole_paths() {
    let cases: [(&str, &[&str], &[&str]); 8] = [
        ("policy/**", &["policy/a", "policy/a/b"], &["policy", "policies/a", "a/policy/b", "Policy/a"]),
        ("**", &["a", "a/b/c"], &[]),
        ("*", &["a", "muster.yaml"], &["a/b"]),
        ("**/x", &["x", "a/x", "a/b/x"], &["x/a", "ax"]),
        ("a/**/b", &["a/b", "a/x/b", "a/b/b", "a/x/b/y/b"], &["a", "b", "a/bb", "a/b/c"]),
        ("environments/*/files/**", &["environments/e/files/x"], &["environments/e/f/files/x", "environments/files/x"]),
        ("a?c/*.yaml", &["abc/x.yaml", "abc/.yaml"], &["ac/x.yaml", "abc/x.yml", "abc/d/x.yaml"]),
        ("**/a/**/a/b", &["a/a/b", "x/a/a/a/b", "a/x/a/b"], &["a/b", "a/a/b/c"]),
    ];
    for (pattern, matched, others) in cases {
        let parsed: PathPattern = pattern.parse().unwrap();
        assert_eq!(parsed.to_string(), pattern);
        assert_eq!(parsed.is_everything(), pattern == "**");
        for path in matched {
            assert!(parsed.matches(path), "{pattern} takes {path}");
        }
        for path in others {
            assert!(!parsed.matches(path), "{pattern} leaves {path}");
        }
    }
}

#[test]
fn what_people_might_mean_otherwise_is_no_pattern() {
    let faulty =
        ["", "/", "/a", "a/", "a//b", "./a", "a/../b", "a**", "a/**b/c", "!a", "a/[bc]", "a/{b,c}", "a\\b", "a\nb"];
    for text in faulty {
        assert!(text.parse::<PathPattern>().is_err(), "{text:?}");
    }
    assert!("a/".repeat(600).parse::<PathPattern>().is_err());
}

#[test]
fn a_hostile_pattern_takes_linear_time() {
    let pattern: PathPattern = format!("{}b", "**/a/".repeat(200)).parse().unwrap();
    assert!(!pattern.matches(&"a/".repeat(2000)));
}

#[test]
fn principals_are_taken_as_they_are_listed() {
    let cases: [(&str, &str, bool); 7] = [
        ("ana@example.org", "ana@example.org", true),
        ("ana@example.org", "ana@example.organisation", false),
        ("*@example.org", "ana@example.org", true),
        ("an?@example.org", "ana@example.org", true),
        ("ana@example.org", "Ana@example.org", false),
        // Listed for a pattern: not for everybody of whom the pattern speaks.
        ("ana@example.org", "*@example.org", false),
        // Listed to take somebody out.
        ("*", "!ana@example.org", false),
    ];
    for (pattern, principal, expected) in cases {
        assert_eq!(
            PrincipalPattern::load(pattern).unwrap().matches(&one(principal)),
            expected,
            "{pattern} {principal}"
        );
    }
    for text in ["", "!ana", "a b", "a,b", "a\"b", "a\u{7}"] {
        assert!(PrincipalPattern::load(text).is_err(), "{text:?}");
    }
}
