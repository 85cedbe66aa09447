//! Who had a right and has it no more.

use super::*;

/// How many runs over everything the agent says that it has done since its start.
fn runs(agent: &SandboxAgent) -> Option<u64> {
    let status: Value = serde_json::from_slice(&fs::read(agent.state().join("status.json")).ok()?).ok()?;
    status["sweeps"].as_u64()
}

#[test]
fn a46_an_order_by_somebody_whose_right_was_taken_away_http() {
    let folder = tempfile::tempdir().unwrap();
    let (fleet, agents) = begin(folder.path(), &["web"]);
    let [gone, stays] = ["gone", "stays"].map(|name| create(&fleet, &[name, "--scope", "read,query,act"]));
    let converge = |token: &str| {
        let path = "/api/v1/hosts/web-1/v1/converge";
        let (status, answer) = ask(&fleet, "POST", path, Some(&format!("Bearer {token}")));
        (status, answer["reason"].as_str().map(str::to_owned))
    };
    assert_eq!(converge(&gone).0, 200);
    assert!(token(&fleet, &["revoke", "gone"]).status.success());
    // The file is written at most once a second; what came before is in it then.
    std::thread::sleep(Duration::from_secs(2));
    let before = runs(&agents[0]).unwrap();
    assert_eq!(converge(&gone), (401, Some("Unauthorized".to_owned())));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(runs(&agents[0]), Some(before), "it ran all the same");
    assert_eq!(converge(&stays).0, 200, "who still may is heard");
    wait_for("the run", SOON, || (runs(&agents[0])? > before).then_some(())).unwrap();
    let log = fs::read_to_string(fleet.data().join("audit.log")).unwrap();
    assert!(log.lines().any(|line| line.contains("deny") && line.contains("/v1/converge")), "{log}");
}
