use super::{count_processors, memory_mib};

#[test]
fn lists_of_processors_are_counted() {
    assert_eq!(count_processors("0-3\n"), Some(4));
    assert_eq!(count_processors("0"), Some(1));
    assert_eq!(count_processors("0-1,4,6-7\n"), Some(5));
    for bad in ["", "3-1", "a", "0-", "0-4294967295"] {
        assert_eq!(count_processors(bad), None, "{bad}");
    }
}

#[test]
fn memory_is_read_in_mebibytes() {
    let meminfo = "MemTotal:        8131328 kB\nMemFree:          811224 kB\n";
    assert_eq!(memory_mib(meminfo), Some(7940));
    assert_eq!(memory_mib("MemFree: 1 kB\n"), None);
    assert_eq!(memory_mib("MemTotal: lots\n"), None);
}
