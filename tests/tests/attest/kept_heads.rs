//! What the orchestrator keeps of the heads that it published.

use std::fs;
use std::path::Path;

use muster_schema::Sha256Digest;

/// The digests of all heads in the archive.
pub(crate) fn kept_heads(data: &Path) -> Vec<String> {
    let mut digests = Vec::new();
    for entry in fs::read_dir(data.join("archive")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "heads") {
            let bytes = fs::read(path).unwrap();
            let mut rest = bytes.as_slice();
            while let Some((length, after)) = rest.split_first_chunk::<4>() {
                let (frame, after) = after.split_at(u32::from_le_bytes(*length) as usize);
                digests.push(Sha256Digest::of(frame).to_string());
                rest = after;
            }
        }
    }
    digests
}
