#![allow(clippy::unwrap_used)]

use super::*;
use rustix::mm::{MapFlags, ProtFlags, mmap};

#[test]
fn only_what_nobody_wrote_to_is_let_go() {
    let code = "55c3ed329000-55c3edcb7000 r-xp 0031c000 fe:00 6234487                    /usr/bin/muster-agent";
    assert_eq!(program_range(code), Some(0x55c3_ed32_9000..0x55c3_edcb_7000));
    let constants = "55c3ed00c000-55c3ed329000 r--p 00000000 fe:00 6234487                    /usr/bin/muster-agent";
    assert_eq!(program_range(constants), Some(0x55c3_ed00_c000..0x55c3_ed32_9000));
    for other in [
        "55c3ee0f0000-55c3ee157000 r--p 010de000 fe:00 6234487                    /usr/bin/muster-agent",
        "55c3ee157000-55c3ee159000 rw-p 01145000 fe:00 6234487                    /usr/bin/muster-agent",
        "7ffd37be8000-7ffd37bea000 r-xp 00000000 00:00 0                          [vdso]",
        "7f2e84a3c000-7f2e8656c000 rw-p 00000000 00:00 0 ",
        "7f2e84a3c000-7f2e8656c000 r-xp 00000000 00:00 0 ",
        "",
    ] {
        assert_eq!(program_range(other), None, "{other}");
    }
}

/// KiB of the mapping that begins at `start` that are resident.
fn resident(start: usize) -> u64 {
    let smaps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mapping = smaps.lines().skip_while(|line| !line.starts_with(&format!("{start:x}-")));
    let size = mapping.into_iter().find_map(|line| line.strip_prefix("Rss:")).unwrap();
    size.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

#[test]
#[allow(unsafe_code)]
fn code_that_was_let_go_is_there_again_when_it_is_wanted() {
    const LENGTH: usize = 1 << 20;
    let program = std::fs::File::open("/proc/self/exe").unwrap();
    let (protection, flags) = (ProtFlags::READ | ProtFlags::EXEC, MapFlags::PRIVATE);
    // SAFETY: a new mapping of a file that is longer, which nobody writes to; it is only read, and stays until the end.
    let code: &[u8] = unsafe {
        let start = mmap(std::ptr::null_mut(), LENGTH, protection, flags, &program, 0).unwrap();
        std::slice::from_raw_parts(start.cast(), LENGTH)
    };
    let bytes = code.to_vec();
    let start = code.as_ptr().addr();
    assert_eq!(resident(start), 1024);
    release_program();
    assert_eq!(resident(start), 0);
    assert!(bytes == code, "other bytes came back");
}
