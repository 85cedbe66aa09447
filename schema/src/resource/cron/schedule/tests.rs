use super::check_schedule;

#[test]
fn what_cron_takes_is_told_from_what_it_would_ignore() {
    for right in ["* * * * *", "*/5 0-8/2,22 1,15 jan-mar MON-fri", "0 0 31 12 7", "  1\t2 3 4 5 ", "@daily", "@reboot"]
    {
        assert_eq!(check_schedule(right), Ok(()), "{right}");
    }
    for wrong in [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "5/2 * * * *",
        "*/0 * * * *",
        "a * * * *",
        "jan * * * *",
        "1, * * * *",
        "-1 * * * *",
        "@often",
        "@daily x",
        "* * * *\n*",
        "007 * * * *",
    ] {
        assert!(check_schedule(wrong).is_err(), "{wrong:?}");
    }
}
