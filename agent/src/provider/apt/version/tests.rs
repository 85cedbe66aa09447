#![allow(clippy::disallowed_methods)]

use std::cmp::Ordering;
use std::process::Command;

use super::compare_versions;

const VERSIONS: [&str; 22] = [
    "1.0",
    "1.0-1",
    "1.0-0",
    "1.0~rc1",
    "1.0~~",
    "1.0~",
    "1.0+b1",
    "1.0a",
    "1.0.1",
    "1:0.9",
    "0:1.0",
    "01.00",
    "1.0-1.1",
    "1.0-1+deb12u1",
    "2.36-9+deb12u4",
    "2.36-9",
    "1.10",
    "1.9",
    "1.0-a",
    "1.0-",
    "3",
    "7.4.052-1",
];

#[test]
fn the_order_is_that_of_dpkg() {
    for a in VERSIONS {
        for b in VERSIONS {
            let ours = compare_versions(a, b);
            assert_eq!(ours, compare_versions(b, a).reverse(), "{a} {b}");
            // A version that ends in a dash is one that dpkg only warns of.
            if a.ends_with('-') || b.ends_with('-') {
                continue;
            }
            let operator = match ours {
                Ordering::Less => "lt",
                Ordering::Equal => "eq",
                Ordering::Greater => "gt",
            };
            let status = Command::new("dpkg").args(["--compare-versions", a, operator, b]).status();
            // Elsewhere than on Debian there is no dpkg to ask.
            if let Ok(status) = status {
                assert!(status.success(), "{a} {operator} {b}");
            }
        }
    }
}
