//! Break-glass bundles that do not stand. After each: the file on disk and what is accepted stay as they were, the code
//! is told and reported, and a good bundle that answers the same challenge is taken.

use super::*;
use crate::cycle::tests::breakglass::{Bundle, People, apply, challenge, code, sign};
use muster_schema::Timestamp;
use muster_schema::breakglass::{BLOB_FOLDER, HEAD_FILE, MANIFEST_FILE};
use muster_schema::digest::Sha256Digest;
use std::path::Path;

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Offers a bundle that `change` made another one, and whose files `spoil` then spoiled.
async fn refused_bundle(wanted: &str, change: impl FnOnce(&mut Bundle), spoil: impl FnOnce(&Agent, &People, &Path)) {
    let (mut agent, _) = begin().await;
    let people = People::begin(&mut agent, 2).await;
    let accepted = snapshot(&mut agent).await;
    let challenge = challenge(&agent).await;
    let mut bundle = people.bundle(&agent, &challenge, "evil");
    change(&mut bundle);
    let folder = people.write(&bundle);
    spoil(&agent, &people, folder.path());

    assert_eq!(code(&apply(&agent, folder.path()).await), wanted);
    agent.wait_for_rejection(wanted).await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"), "{wanted}: the host was touched");
    assert_eq!(snapshot(&mut agent).await, accepted, "{wanted}: what is accepted was touched");

    let good = people.write(&people.bundle(&agent, &challenge, "better"));
    let answer = apply(&agent, good.path()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    agent.wait_for("etc/motd", Some("better")).await;
    agent.end().await;
}

async fn refused_statement(wanted: &str, change: impl FnOnce(&mut Bundle)) {
    refused_bundle(wanted, change, |_, _, _| {}).await;
}

async fn refused_files(wanted: &str, spoil: impl FnOnce(&Agent, &People, &Path)) {
    refused_bundle(wanted, |_| {}, spoil).await;
}

#[tokio::test]
async fn a01_a_root_document_in_a_bundle_that_only_its_new_keys_signed() {
    refused_files("RootInvalid", |agent, people, folder| {
        let thief = TestKey::new();
        let mut root = people.root(agent, 3);
        root.roles.root.keys = vec![thief.public()];
        std::fs::write(folder.join("3.root.json"), serde_json::to_vec(&root).unwrap()).unwrap();
        sign(folder, "3.root.json", &thief);
    })
    .await;
}

#[tokio::test]
async fn a04_a_bundle_that_one_of_two_signed() {
    refused_statement("HeadSignature", |bundle| bundle.signers = [vec![0], vec![0, 1]]).await;
    refused_statement("ManifestSignature", |bundle| bundle.signers = [vec![0, 1], vec![0]]).await;
}

#[tokio::test]
async fn a04_head_and_manifest_by_two_that_are_not_the_same() {
    refused_statement("ManifestSignature", |bundle| bundle.signers = [vec![0, 1], vec![1, 2]]).await;
}

#[tokio::test]
async fn a04_one_signature_under_two_names() {
    refused_files("HeadSignature", |_, people, folder| {
        let name = |key: &TestKey| folder.join(format!("{HEAD_FILE}.{}.minisig", key.public().id()));
        std::fs::copy(name(&people.keys[0]), name(&people.keys[1])).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a09_a_bundle_by_the_keys_of_the_orchestrator() {
    refused_bundle(
        "HeadSignature",
        |bundle| bundle.signers = [vec![], vec![]],
        |agent, _, folder| {
            for key in [&agent.orchestrator.fresh, &agent.orchestrator.render] {
                sign(folder, HEAD_FILE, key);
                sign(folder, MANIFEST_FILE, key);
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a09_a_break_glass_key_in_the_place_of_render_and_fresh() {
    let (mut agent, _) = begin().await;
    let people = People::begin(&mut agent, 2).await;
    let accepted = snapshot(&mut agent).await;
    let manifest = evil(&agent.orchestrator, 50);
    let head = agent.orchestrator.lay_down(&manifest);
    let path = path_of(&agent.orchestrator, &head);
    let bytes = agent.orchestrator.get(&path);
    // A head by `fresh` leads to a manifest that break-glass keys signed, and `render` did not.
    let render = agent.orchestrator.render.public().id();
    agent.orchestrator.put(&format!("{path}.{render}.minisig"), b"");
    for key in &people.keys {
        let signature = key.sign(&bytes);
        agent.orchestrator.put(&format!("{path}.{}.minisig", key.public().id()), signature.text().as_bytes());
        agent.orchestrator.put(&format!("{path}.{render}.minisig"), signature.text().as_bytes());
    }
    agent.orchestrator.set_head(head.clone());
    agent.wait_for_rejection("ManifestSignature").await;
    replay(&agent.orchestrator, &head, &people.keys[0]);
    agent.wait_for_rejection("HeadSignature").await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("good"));
    assert_eq!(snapshot(&mut agent).await, accepted);
    go_on(&agent, 100).await;
    agent.end().await;
}

#[tokio::test]
async fn a09_a_head_by_fresh_does_not_make_a_break_glass_manifest_the_orchestrators() {
    let (mut agent, _) = begin().await;
    let people = People::begin(&mut agent, 2).await;
    let bundle = people.bundle(&agent, &challenge(&agent).await, "mended");
    assert_eq!(apply(&agent, people.write(&bundle).path()).await.status, 200);
    agent.wait_for("etc/motd", Some("mended")).await;
    let manifest = Sha256Digest::of(&serde_json::to_vec(&bundle.manifest).unwrap());
    agent.orchestrator.set_head(Head { manifest, nonce: None, ..bundle.head.clone() });
    agent.wait_for_rejection("ManifestMissing").await;
    agent.stop().await;
    let (store, _) = Store::open(&agent.store()).unwrap();
    assert!(Accepted::load(&store).unwrap().unwrap().break_glass.is_some());
    drop(store);
    agent.start().await;
    agent.end().await;
}

#[tokio::test]
async fn a10_a_serial_near_the_highest_number_in_a_bundle() {
    refused_statement("BreakGlassSerial", |bundle| {
        (bundle.head.serial, bundle.manifest.serial) = (u64::MAX - 1, u64::MAX - 1);
    })
    .await;
    refused_statement("BreakGlassSerial", |bundle| (bundle.head.epoch, bundle.manifest.epoch) = (9, 9)).await;
}

#[tokio::test]
async fn a11_a12_a_bundle_whose_serial_is_not_above_the_mark() {
    refused_statement("BreakGlassSerial", |bundle| (bundle.head.serial, bundle.manifest.serial) = (1, 1)).await;
}

#[tokio::test]
async fn a13_a_bundle_that_answers_no_challenge_of_this_host() {
    refused_statement("BreakGlassChallenge", |bundle| bundle.head.nonce = Some("0".repeat(32))).await;
    refused_statement("BreakGlassChallenge", |bundle| bundle.head.nonce = None).await;
}

#[tokio::test]
async fn a13_a_bundle_that_is_to_last_too_long() {
    refused_statement("HeadLifeTooLong", |bundle| {
        bundle.head.expires = bundle.head.issued.plus(Duration::from_secs(4 * 3600 + 1));
    })
    .await;
}

#[tokio::test]
async fn a13_a_bundle_played_again() {
    let (mut agent, _) = begin().await;
    let people = People::begin(&mut agent, 2).await;
    let first = challenge(&agent).await;
    let second = challenge(&agent).await;
    let late = people.write(&people.bundle(&agent, &first, "late"));
    assert_eq!(code(&apply(&agent, late.path()).await), "BreakGlassChallenge", "another one took its place");
    let mut bundle = people.bundle(&agent, &second, "mended");
    let folder = people.write(&bundle);
    assert_eq!(apply(&agent, folder.path()).await.status, 200);
    agent.wait_for("etc/motd", Some("mended")).await;
    assert_eq!(code(&apply(&agent, folder.path()).await), "BreakGlassSerial");
    // Of a higher serial, by the same people, over a restart: the challenge was answered.
    (bundle.head.serial, bundle.manifest.serial) = (bundle.head.serial + 1, bundle.manifest.serial + 1);
    agent.restart().await;
    assert_eq!(code(&apply(&agent, people.write(&bundle).path()).await), "BreakGlassChallenge");
    agent.end().await;
}

#[tokio::test]
async fn a14_a_break_glass_head_that_leads_to_another_manifest() {
    refused_statement("ManifestSerial", |bundle| bundle.manifest.serial -= 1).await;
    refused_files("ManifestDigest", |agent, people, folder| {
        let other = serde_json::to_vec(&evil(&agent.orchestrator, 7)).unwrap();
        std::fs::write(folder.join(MANIFEST_FILE), other).unwrap();
        people.keys[..2].iter().for_each(|key| sign(folder, MANIFEST_FILE, key));
    })
    .await;
}

#[tokio::test]
async fn a15_a_bundle_for_another_host() {
    refused_statement("HeadOtherHost", |bundle| bundle.head.host.id = "web-2".parse().unwrap()).await;
    refused_statement("HeadOtherHost", |bundle| bundle.head.host.key = TestKey::new().public()).await;
    refused_statement("ManifestOtherHost", |bundle| bundle.manifest.host.id = "web-2".parse().unwrap()).await;
}

#[tokio::test]
async fn a16_a_bundle_of_another_fleet() {
    refused_statement("HeadOtherFleet", |bundle| bundle.head.fleet = "other".parse().unwrap()).await;
    refused_statement("ManifestOtherFleet", |bundle| bundle.manifest.fleet = "other".parse().unwrap()).await;
}

#[tokio::test]
async fn a17_a_bundle_by_a_clock_that_is_a_year_wrong() {
    refused_statement("BreakGlassTime", |bundle| {
        bundle.head.issued = bundle.head.issued.plus(YEAR);
        bundle.head.expires = bundle.head.expires.plus(YEAR);
    })
    .await;
    refused_statement("BreakGlassTime", |bundle| {
        bundle.head.issued = Timestamp(bundle.head.issued.0 - 7_200_000);
        bundle.head.expires = Timestamp(bundle.head.issued.0 + 3_600_000);
    })
    .await;
}

#[tokio::test]
async fn a20_flipped_bits_in_a_bundle() {
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(path, bytes).unwrap();
    };
    refused_files("HeadSignature", |_, _, folder| flip(&folder.join(HEAD_FILE))).await;
    refused_files("ManifestSignature", |_, _, folder| flip(&folder.join(MANIFEST_FILE))).await;
    let blob = |folder: &Path| folder.join(BLOB_FOLDER).join(Sha256Digest::of(b"evil").to_string());
    refused_files("BlobMismatch", |_, _, folder| flip(&blob(folder))).await;
    refused_files("BlobMissing", |_, _, folder| std::fs::remove_file(blob(folder)).unwrap()).await;
}

#[tokio::test]
async fn a24_a_break_glass_head_that_would_retire_or_rename() {
    refused_statement("BreakGlassHead", |bundle| bundle.head.retired = true).await;
    refused_statement("BreakGlassHead", |bundle| bundle.head.renamed = Some("web-2".parse().unwrap())).await;
}

#[tokio::test]
async fn a26_a_file_of_a_bundle_without_end_or_that_is_none() {
    refused_files("HeadTooLarge", |_, people, folder| {
        std::fs::write(folder.join(HEAD_FILE), vec![b' '; 20 * 1024]).unwrap();
        people.keys[..2].iter().for_each(|key| sign(folder, HEAD_FILE, key));
    })
    .await;
    refused_files("BreakGlassFolder", |_, _, folder| {
        std::fs::remove_file(folder.join(MANIFEST_FILE)).unwrap();
        std::fs::create_dir(folder.join(MANIFEST_FILE)).unwrap();
    })
    .await;
}

#[tokio::test]
async fn a45_the_orchestrator_cannot_ask_for_a_challenge() {
    let (mut agent, _) = begin().await;
    let _people = People::begin(&mut agent, 2).await;
    let target = crate::rest::breakglass::CHALLENGE_PATH;
    let request = agent.orchestrator.live_request(1, muster_schema::api::Method::Post, target);
    agent.orchestrator.hand_out(&request, &agent.orchestrator.fresh);
    agent.wait("an answer", || !agent.orchestrator.answers(1).is_empty()).await;
    assert!(agent.orchestrator.answers(1)[0].status >= 400);
    agent.end().await;
}
