//! Bytes that nobody signed so, and documents that say two things.

use super::*;

#[tokio::test]
async fn a20_a_flipped_bit_in_the_head() {
    refused(RejectCode::HeadSignature, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        let mut bytes = serde_json::to_vec(&head).unwrap();
        let signature = orchestrator.fresh.sign(&bytes);
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        orchestrator.replay(&bytes, &signature);
    })
    .await;
}

#[tokio::test]
async fn a20_a_flipped_bit_in_the_manifest() {
    refused(RejectCode::ManifestSignature, |orchestrator, _| {
        let head = orchestrator.lay_down(&evil(orchestrator, 2));
        let path = path_of(orchestrator, &head);
        let mut bytes = orchestrator.get(&path);
        bytes[10] ^= 1;
        orchestrator.put(&path, &bytes);
        orchestrator.set_head(head);
    })
    .await;
}

#[tokio::test]
async fn a20_another_blob_under_the_digest() {
    refused(RejectCode::BlobMismatch, |orchestrator, _| {
        let manifest = evil(orchestrator, 2);
        let blob = manifest.resources[0].spec.blobs()[0];
        orchestrator.put(&format!("blobs/{}", blob.sha256), b"Evil");
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}

#[tokio::test]
async fn a24_a_manifest_shown_as_a_head() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let bytes = serde_json::to_vec(&evil(orchestrator, 2)).unwrap();
        orchestrator.replay(&bytes, &orchestrator.fresh.sign(&bytes));
    })
    .await;
}

#[tokio::test]
async fn a24_a_head_that_calls_itself_a_manifest() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let head = serde_json::to_string(&orchestrator.lay_down(&evil(orchestrator, 2))).unwrap();
        let other = head.replace(r#""type":"head""#, r#""type":"manifest""#);
        assert_ne!(other, head);
        orchestrator.replay(other.as_bytes(), &orchestrator.fresh.sign(other.as_bytes()));
    })
    .await;
}

#[tokio::test]
async fn a25_a_duplicate_key() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let head = serde_json::to_string(&orchestrator.lay_down(&evil(orchestrator, 2))).unwrap();
        let twice = head.replacen('{', "{\"serial\":9,", 1);
        orchestrator.replay(twice.as_bytes(), &orchestrator.fresh.sign(twice.as_bytes()));
    })
    .await;
}

/// A head with another signature, which `spoil` makes of the text of the right one.
async fn signature_refused(code: RejectCode, spoil: impl FnOnce(&str) -> String) {
    refused(code, |orchestrator, _| {
        let head = serde_json::to_string(&orchestrator.lay_down(&evil(orchestrator, 2))).unwrap();
        let signature = spoil(orchestrator.fresh.sign(head.as_bytes()).text());
        orchestrator.replay_text(head, signature);
    })
    .await;
}

#[tokio::test]
async fn a20_a_flipped_bit_in_the_comment() {
    signature_refused(RejectCode::HeadSignature, |text| text.replace("trusted comment: t", "trusted comment: u")).await;
}

#[tokio::test]
async fn a21_a_signature_relabelled_as_the_legacy_form() {
    signature_refused(RejectCode::HeadSignature, |text| {
        let line = text.lines().nth(1).unwrap();
        // `RUQ` is the base64 of `ED` and the start of the key, `RWQ` that of `Ed`.
        text.replace(line, &line.replacen("RU", "RW", 1))
    })
    .await;
}

#[tokio::test]
async fn a23_a_signature_with_trailing_lines() {
    signature_refused(RejectCode::HeadSignature, |text| format!("{text}\n")).await;
}

#[tokio::test]
async fn a23_a_signature_with_carriage_returns() {
    signature_refused(RejectCode::HeadSignature, |text| text.replace('\n', "\r\n")).await;
}

#[tokio::test]
async fn a25_depth_without_end() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let deep = "[".repeat(8000);
        orchestrator.replay(deep.as_bytes(), &orchestrator.fresh.sign(deep.as_bytes()));
    })
    .await;
}

#[tokio::test]
async fn a25_an_unknown_field() {
    refused(RejectCode::HeadMalformed, |orchestrator, _| {
        let head = serde_json::to_string(&orchestrator.lay_down(&evil(orchestrator, 2))).unwrap();
        let more = head.replacen('{', "{\"force\":true,", 1);
        orchestrator.replay(more.as_bytes(), &orchestrator.fresh.sign(more.as_bytes()));
    })
    .await;
}

#[tokio::test]
async fn a26_a_head_that_is_too_large() {
    refused(RejectCode::HeadTooLarge, |orchestrator, _| {
        let head = serde_json::to_string(&orchestrator.lay_down(&evil(orchestrator, 2))).unwrap();
        let padded = format!("{head}{}", " ".repeat(17 * 1024));
        orchestrator.replay(padded.as_bytes(), &orchestrator.fresh.sign(padded.as_bytes()));
    })
    .await;
}

#[tokio::test]
async fn a26_a_blob_of_the_wrong_length() {
    refused(RejectCode::BlobMismatch, |orchestrator, _| {
        let manifest = evil(orchestrator, 2);
        let blob = manifest.resources[0].spec.blobs()[0];
        orchestrator.put(&format!("blobs/{}", blob.sha256), b"evi");
        orchestrator.set_head(orchestrator.lay_down(&manifest));
    })
    .await;
}
