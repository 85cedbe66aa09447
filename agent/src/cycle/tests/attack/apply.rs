//! Manifests that would have the agent do what it may not.

use super::*;

#[tokio::test]
async fn a41_a_path_of_the_kernel() {
    refused(RejectCode::ManifestResources, |orchestrator, _| {
        let content = orchestrator.blob("1");
        let manifest = orchestrator.manifest(2, &json!({"files/proc/sys/kernel/panic": {"content": content}}));
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}
