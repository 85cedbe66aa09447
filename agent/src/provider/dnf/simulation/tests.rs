use super::load_simulation;

const TABLE: &str = "Last metadata expiration check: 0:00:03 ago on Sun Nov 22 22:09:06 2026.
Dependencies resolved.
================================================================================
 Package               Architecture       Version           Repository     Size
================================================================================
Installing:
 probe                 noarch             1:1.0-1           t             6.0 k
     replacing  older.noarch 3-1
 a-package-whose-name-is-longer-than-its-column
                       noarch             1.0-1             t             6.0 k
Installing dependencies:
 probe-lib             noarch             1.0-1             t             6.0 k
Downgrading:
 down                  noarch             1.0-1             t             6.0 k
Removing:
 gone                  noarch             1.0-1             @t              4
Removing dependent packages:
 leans                 noarch             1.0-1             @t              4

Transaction Summary
================================================================================
Install  2 Packages
 odd line with many words here
";

#[test]
fn what_dnf_would_do_is_read() {
    let simulation = load_simulation(TABLE);
    let installs: Vec<String> =
        simulation.installs.iter().map(|found| format!("{} {}", found.name, found.new)).collect();
    let expected = ["probe 1:1.0-1", "a-package-whose-name-is-longer-than-its-column 1.0-1", "probe-lib 1.0-1"];
    assert_eq!(installs[..3], expected);
    assert_eq!(installs[3], "down 1.0-1");
    assert_eq!(simulation.removals.iter().collect::<Vec<_>>(), ["gone", "leans", "older"]);
}
