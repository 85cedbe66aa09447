use super::compare_versions;

#[test]
fn versions_stand_in_this_order() {
    let ordered = [
        "1.0_alpha1",
        "1.0_beta2",
        "1.0_rc1",
        "1.0",
        "1.0-r1",
        "1.0_git20200101",
        "1.0_p1",
        "1.0_p2",
        "1.0b",
        "1.0.1",
        "1.2",
        "1.10",
        "2",
    ];
    for pair in ordered.windows(2) {
        assert!(compare_versions(pair[0], pair[1]).is_lt(), "{pair:?}");
        assert!(compare_versions(pair[1], pair[0]).is_gt(), "{pair:?}");
    }
    assert!(compare_versions("1.2-r0", "1.2").is_eq());
}
