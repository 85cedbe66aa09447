//! Has a file system room?

use muster_schema::resource::DiskProbe;

pub(super) fn probe(disk: &DiskProbe) -> Result<(), String> {
    let path = &disk.path;
    let found = rustix::fs::statvfs(path.as_str()).map_err(|errno| format!("{path}: {errno}"))?;
    // As df counts: what only root may use is not free.
    let used = found.f_blocks.saturating_sub(found.f_bfree);
    let usable = used.saturating_add(found.f_bavail);
    let percent = u128::from(found.f_bavail) * 100 / u128::from(usable.max(1));
    let bytes = found.f_bavail.saturating_mul(found.f_frsize);
    if let Some(wanted) = disk.free_percent.filter(|wanted| percent < u128::from(*wanted)) {
        return Err(format!("{path}: {percent} % are free, of at least {wanted} %"));
    }
    match disk.free_bytes.filter(|wanted| bytes < *wanted) {
        Some(wanted) => Err(format!("{path}: {bytes} bytes are free, of at least {wanted}")),
        None => Ok(()),
    }
}
