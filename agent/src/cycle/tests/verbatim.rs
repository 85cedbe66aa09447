//! Contents that the manifest says to be files of the signed commit.

use super::harness::Agent;
use muster_schema::{BlobId, Sha256Digest};
use serde_json::json;

/// Publishes a file of this content, which the manifest says to be the Git blob `id`.
fn publish(agent: &Agent, serial: u64, content: &str, id: BlobId) {
    let orchestrator = &agent.orchestrator;
    let blob = orchestrator.blob(content);
    let mut manifest = orchestrator.manifest(serial, &json!({"files/etc/motd": {"content": blob}}));
    manifest.verbatim.insert(Sha256Digest::of(content.as_bytes()), id);
    orchestrator.set_head(orchestrator.lay_down(&manifest));
}

#[tokio::test]
async fn what_is_no_file_of_the_commit_is_not_written() {
    let mut agent = Agent::begin().await;
    publish(&agent, 1, "first\r\n", BlobId::of(b"first\r\n"));
    agent.wait_for("etc/motd", Some("first\r\n")).await;
    publish(&agent, 2, "evil", BlobId::of(b"second"));
    agent.wait_for_rejection("VerbatimMismatch").await;
    assert_eq!(agent.read("etc/motd").as_deref(), Some("first\r\n"));
    // Not either where the content is there already.
    publish(&agent, 3, "first\r\n", BlobId::of(b"second"));
    agent
        .wait("the second refusal", || agent.orchestrator.reports().iter().flat_map(|one| &one.rejections).count() > 1)
        .await;
    publish(&agent, 4, "second", BlobId::of(b"second"));
    agent.wait_for("etc/motd", Some("second")).await;
    agent.end().await;
}
