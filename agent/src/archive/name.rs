//! Names in archives, and where links lead.

use crate::host::is_candidate;

/// Deeper trees are no use to anybody.
const MAX_PARTS: usize = 64;
const MAX_PART_BYTES: usize = 255;
const MAX_BYTES: usize = 2048;

/// The path below the destination; `None` where all of the name is stripped.
pub(super) fn clean_name(bytes: &[u8], strip: usize) -> Result<Option<String>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "has a name that is not UTF-8")?;
    if text.starts_with('/') {
        return Err("has an absolute name");
    }
    if text.contains(char::is_control) {
        return Err("has control characters in its name");
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err("has '..' in its name");
    }
    if bytes.len() > MAX_BYTES || parts.len() > MAX_PARTS || parts.iter().any(|part| part.len() > MAX_PART_BYTES) {
        return Err("has a name that is too long");
    }
    // The agent removes such names as its own after a crash.
    if parts.iter().any(|part| is_candidate(part)) {
        return Err("has a name that the agent uses itself");
    }
    let rest = parts.get(strip..).unwrap_or_default();
    Ok((!rest.is_empty()).then(|| rest.join("/")))
}

/// Whether the link `name` stays in the destination. `..` is allowed in front only: behind another link, which may lead
/// anywhere in the destination, it would lead up from there.
pub(super) fn check_link(name: &str, target: &str) -> Result<(), &'static str> {
    if target.len() > MAX_BYTES {
        return Err("is a link to a name that is too long");
    }
    if target.is_empty() || target.contains(char::is_control) {
        return Err("is a link to nowhere");
    }
    if target.starts_with('/') {
        return Err("is a link to an absolute path");
    }
    let parts: Vec<&str> = target.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    let up = parts.iter().take_while(|part| **part == "..").count();
    if parts.iter().skip(up).any(|part| *part == "..") {
        return Err("is a link with '..' behind a name");
    }
    if up > name.matches('/').count() {
        return Err("is a link out of the destination");
    }
    Ok(())
}
