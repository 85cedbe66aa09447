//! Documents that unfold without end.

use super::*;

#[test]
fn a38_bombs_are_refused_quickly() {
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let list = vec![format!("*a{}", level - 1); 10].join(", ");
        aliases.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let mut block = String::new();
    for depth in 0..10_000 {
        block.push_str(&" ".repeat(depth.min(100)));
        block.push_str("a:\n");
    }
    let many_keys: String = (0..150_000).map(|number| format!("k{number}:\n")).collect();
    let table = [
        (aliases, "aliases expanded"),
        ("[".repeat(500_000), "recursion limit"),
        ("{a: ".repeat(200_000), "recursion limit"),
        (format!("a: {}", "- ".repeat(300_000)), "YAML"),
        ("- ".repeat(300_000), "recursion limit"),
        ("x".repeat(100 << 20), "larger than 1 MiB"),
        (many_keys.repeat(2), "larger than 1 MiB"),
    ];
    for (bomb, expected) in table {
        let started = Instant::now();
        let found = faults(&bomb);
        assert!(found[0].contains(expected), "{expected}: {found:?}");
        assert!(started.elapsed() < Duration::from_secs(5), "{expected}");
    }
    let _ = load_yaml(&Arc::from("deep.yaml"), block.as_bytes());
}
