//! What a running process costs, from /proc.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// User and system time of all threads of process `pid`, in steps of 10 ms: /proc counts in
/// hundredths of a second, whatever the kernel's own clock does.
pub(crate) fn load_cpu_time(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may have spaces; utime and stime are the 12th and 13th field behind it.
    let behind = stat.rsplit_once(") ").context("/proc/PID/stat has a name")?.1;
    let fields: Vec<&str> = behind.split(' ').collect();
    let ticks = |index: usize| -> Result<u64> { Ok(fields.get(index).context("/proc/PID/stat is short")?.parse()?) };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// Resident memory (VmRSS) in MiB.
pub(crate) fn load_rss_mib(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u32 = line.trim().trim_end_matches(" kB").trim().parse()?;
    Ok(f64::from(kib) / 1024.0)
}
