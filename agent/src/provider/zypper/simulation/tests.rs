use super::{load_packages, load_simulation};

const SUMMARY: &str = r#"<?xml version='1.0'?>
<stream>
<install-summary download-size="6121" space-usage-diff="-4" packages-to-change="2">
<to-upgrade>
<solvable type="package" name="probe" edition="1:2.0-1" arch="noarch" edition-old="1.0-1" summary="a &lt; b">
<description>x</description></solvable>
<solvable type="patch" name="fix" edition="1" arch="noarch"/>
</to-upgrade>
<to-remove>
<solvable type="package" name="leans" edition="1.0-1" arch="noarch" summary="test"/>
</to-remove>
</install-summary>
</stream>"#;

#[test]
fn what_zypper_would_do_is_read() {
    let simulation = load_simulation(SUMMARY);
    let installs: Vec<String> =
        simulation.installs.iter().map(|one| format!("{} {:?} {}", one.name, one.old.as_deref(), one.new)).collect();
    assert_eq!(installs, ["probe Some(\"1.0-1\") 1:2.0-1"]);
    assert_eq!(simulation.removals.iter().collect::<Vec<_>>(), ["leans"]);
    let update = r#"<update kind="package" name="probe" edition="2.0-1" arch="noarch" edition-old="1.0-1">"#;
    assert_eq!(load_packages(update, "update"), [("probe".to_owned(), "2.0-1".to_owned())]);
}
