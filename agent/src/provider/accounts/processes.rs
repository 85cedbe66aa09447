//! Who runs processes.

#![allow(clippy::disallowed_methods)]

#[cfg(test)]
mod tests;

/// Whether a process of the user is running: by real, effective or saved id.
///
/// # Errors
/// When /proc cannot be read.
pub fn has_processes(uid: u32) -> std::io::Result<bool> {
    for entry in std::fs::read_dir("/proc")? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        // One that ended since runs no more.
        let Ok(status) = std::fs::read_to_string(entry.path().join("status")) else { continue };
        let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap_or_default();
        if ids.split_whitespace().take(3).any(|id| id.parse() == Ok(uid)) {
            return Ok(true);
        }
    }
    Ok(false)
}
