use super::*;

#[test]
fn the_kernels_numbers_are_read() {
    let load = load_average("0.25 1.50 2.00 3/512 4711\n").unwrap();
    assert_eq!((load.one, load.five, load.fifteen), (0.25, 1.5, 2.0));
    assert_eq!(uptime_seconds("12345.67 99.01\n"), Some(12345));
    let meminfo = "MemTotal:       16384 kB\nMemAvailable:    8192 kB\nSwapFree:           0 kB\n";
    assert_eq!(meminfo_mib(meminfo, "MemAvailable"), Some(8));
    assert_eq!(meminfo_mib(meminfo, "SwapFree"), Some(0));
    assert_eq!(meminfo_mib(meminfo, "Mem"), None);
    assert_eq!(load_average("nothing"), None);
}

const MOUNTS: &str = "\
21 26 0:19 / /sys rw,nosuid shared:7 - sysfs sysfs rw
26 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
27 26 8:1 /srv /mnt/bind rw,relatime shared:1 - ext4 /dev/sda1 rw
28 26 8:2 / /mnt/with\\040space ro,relatime - xfs /dev/sda2 rw
29 26 0:50 / /home rw - nfs4 server:/home rw,vers=4.2
30 26 0:51 / /run rw - tmpfs tmpfs rw
";

#[test]
fn mounts_with_data_are_told_once() {
    let without = types_without_device("nodev\tsysfs\nnodev\ttmpfs\nnodev\tnfs4\n\text4\n\txfs\n");
    let mounts = data_mounts(MOUNTS, &without);
    let paths: Vec<&str> = mounts.iter().map(|mount| mount.path.as_str()).collect();
    assert_eq!(paths, ["/", "/mnt/with space", "/home"]);
    assert_eq!(mounts.iter().map(|mount| mount.read_only).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(mounts.iter().map(MountLine::is_remote).collect::<Vec<_>>(), [false, false, true]);
}
