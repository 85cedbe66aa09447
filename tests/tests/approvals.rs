//! A change that needs approval waits for it under a running `muster serve`, and goes on when it comes.
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::process::{Command, Stdio};

use muster_tests::fleet::{Fleet, OPERATOR, SOON, allowed_signer, make_key};
use muster_tests::wait::wait_for;

const ANA: &str = "ana@example.org";

#[test]
fn a_merge_waits_for_its_approval() {
    let folder = tempfile::tempdir().unwrap();
    let mut fleet = Fleet::make(folder.path(), IpAddr::V4(Ipv4Addr::LOCALHOST), None).unwrap();
    let ana = folder.path().join("ana");
    make_key(&ana, ANA).unwrap();
    let repository = &fleet.repository;
    let signers = repository.allowed_signer().unwrap() + &allowed_signer(ANA, &ana).unwrap();
    repository.write("policy/allowed_signers", signers).unwrap();
    let access = format!(
        "rules:\n  - {{who: [{OPERATOR}], may: [all]}}\n  - {{who: [{ANA}], may: [approve]}}\napprovals:\n  - {{paths: [\"policy/**\"], needs: 1}}\n"
    );
    repository.write("policy/access.yaml", access).unwrap();
    let before = repository.publish("policy: Ask for a second person").unwrap();
    fleet.start().unwrap();
    fleet.wait_verified("Verified", &before).unwrap();

    let repository = &fleet.repository;
    repository.git(&["checkout", "-q", "-b", "change"]).unwrap();
    repository.write("policy/revoked_signers", "# none yet\n").unwrap();
    let change = repository.commit("policy: Say that nobody is revoked").unwrap();
    repository.git(&["push", "-q", "origin", "change"]).unwrap();
    repository.git(&["checkout", "-q", "main"]).unwrap();
    repository.git(&["merge", "-q", "--no-ff", "-S", "-m", "Merge change", "change"]).unwrap();
    repository.push().unwrap();
    let merge = repository.tip().unwrap();
    let refused = fleet.wait_verified("ApprovalsMissing", &merge).unwrap();
    assert!(refused["message"].as_str().unwrap().contains(&format!("the merged commit {change} has 0")), "{refused}");
    let anchor = || fs::read_to_string(fleet.data().join("anchor")).unwrap();
    assert_eq!(anchor().trim(), before);

    // The author's own does not help.
    let work = fleet.repository.work();
    let approve = |key: &[&str]| {
        let arguments = [&["change", "approve", "change", "--repo", work.to_str().unwrap()], key].concat();
        let output = fleet.muster(&arguments).unwrap().output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    approve(&[]);
    let refused = wait_for("the author's approval to be looked at", SOON, || {
        let verified = fleet.wait_verified("ApprovalsMissing", &merge).unwrap();
        verified["message"].as_str().unwrap().contains("made the change").then_some(verified)
    });
    assert!(refused.is_ok());

    let told = approve(&["--key", ana.to_str().unwrap()]);
    assert!(told.contains("policy/revoked_signers") && told.contains("of fleet lab"), "{told}");
    fleet.wait_verified("Verified", &merge).unwrap();
    assert_eq!(anchor().trim(), merge);

    // What was signed is what stock programs verify.
    let pattern = format!("refs/muster/approvals/{change}/*");
    let listed = fleet.repository.git_bare(&["for-each-ref", "--format=%(refname)", &pattern]).unwrap();
    assert_eq!(listed.lines().count(), 2, "{listed}");
    let verified = listed.lines().filter(|reference| {
        let approval = fleet.repository.git_bare(&["cat-file", "blob", reference]).unwrap();
        let (line, signature) = approval.split_once('\n').unwrap();
        let (statement, sig) = (folder.path().join("statement"), folder.path().join("statement.sig"));
        fs::write(&statement, format!("{line}\n")).unwrap();
        fs::write(&sig, format!("{signature}\n")).unwrap();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-Y", "verify", "-n", "muster-approval", "-I", ANA, "-f"]);
        keygen.arg(work.join("policy/allowed_signers")).arg("-s").arg(&sig);
        keygen.stdin(fs::File::open(&statement).unwrap()).stdout(Stdio::null()).stderr(Stdio::null());
        keygen.status().unwrap().success()
    });
    assert_eq!(verified.count(), 1);
}
