//! A template of one team that would act on another team's host.

use super::*;

const RULE: &str =
    "  - {who: [ana@example.org], may: [write, merge], paths: [\"applications/web/**\"], hosts: role=web}\n";

#[test]
fn a39_a_template_that_makes_an_account_on_another_teams_host() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, first) = begin(folder.path(), RULE);
    let before = published(&fleet);

    let repository = &fleet.repository;
    repository.write("applications/web/application.yaml", format!("{WEB}  users: {{backdoor: {{}}}}\n")).unwrap();
    let tip = publish_as_ana(&fleet, folder.path(), "web: Make an account");
    let refused = fleet.wait_verified("EffectNotAllowed", &tip).unwrap();
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("users/backdoor on db-1") && !message.contains("on web-1"), "{message}");
    let now = published(&fleet);
    let differs = |path: &&PathBuf| now.get(*path) != before.get(*path);
    let changed: Vec<&PathBuf> = now.keys().chain(before.keys()).filter(differs).collect();
    assert!(changed.is_empty(), "something was published: {changed:?}");
    let log = fs::read_to_string(fleet.data().join("audit.log")).unwrap();
    let denied = log.lines().find(|line| line.contains("EffectNotAllowed")).unwrap();
    assert!(denied.contains("signer:ana@example.org") && denied.contains("deny"), "{denied}");

    let work = fleet.repository.work();
    let asked =
        fleet.muster(&["policy", "test", "--commit", "HEAD", work.to_str().unwrap()]).unwrap().output().unwrap();
    let told = String::from_utf8(asked.stdout).unwrap();
    assert_eq!(asked.status.code(), Some(1), "{told}");
    assert!(told.contains("\n    users/backdoor on db-1\n"), "{told}");

    // Her next good update is taken.
    repository.rewind(&first).unwrap();
    repository.write("applications/web/application.yaml", WEB.replace("one", "two")).unwrap();
    let tip = publish_as_ana(&fleet, folder.path(), "web: Say two");
    fleet.wait_verified("Verified", &tip).unwrap();
    let is_whole = |now: &BTreeMap<PathBuf, Vec<u8>>| now != &before && now.keys().all(|path| !is_being_written(path));
    let of_web = |files: &BTreeMap<PathBuf, Vec<u8>>| -> Vec<Vec<u8>> {
        files.iter().filter(|(path, _)| is_of(path, "web-1") && is_head(path)).map(|(_, bytes)| bytes.clone()).collect()
    };
    wait_until("her update to be published", SOON, || {
        let now = published(&fleet);
        is_whole(&now) && of_web(&now) != of_web(&before)
    })
    .unwrap();
    let after = published(&fleet);
    for (path, bytes) in before.iter().filter(|(path, _)| is_of(path, "db-1")) {
        assert!(after[path] == *bytes, "{} has changed", path.display());
    }
}
