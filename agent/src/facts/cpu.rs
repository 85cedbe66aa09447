//! The kernel's lists of processors, and its memory.

#[cfg(test)]
mod tests;

/// How many processors a list such as `0-3,8` of /sys/devices/system/cpu/online names; none when it is no such list.
pub fn count_processors(list: &str) -> Option<u32> {
    list.trim().split(',').try_fold(0u32, |count, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
        count.checked_add(last.checked_sub(first)?.checked_add(1)?)
    })
}

/// `MemTotal` of /proc/meminfo, in MiB.
pub fn memory_mib(meminfo: &str) -> Option<u64> {
    let total = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim_end().parse().ok()?;
    Some(kib / 1024)
}
