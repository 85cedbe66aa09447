#![allow(clippy::disallowed_methods)]

use std::process::Command;
use std::time::{Duration, Instant};

use super::load_facts;

/// What a program of this machine says.
fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("runs");
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn facts_are_what_the_tools_of_the_host_say() {
    let facts = load_facts().expect("facts");
    assert_eq!(facts.arch, said_by("uname", &["-m"]));
    assert_eq!(facts.hostname, said_by("uname", &["-n"]));
    assert_eq!(facts.cpus.to_string(), said_by("getconf", &["_NPROCESSORS_ONLN"]));
    assert!(facts.memory_mib > 64, "{}", facts.memory_mib);
    assert!(!facts.os.family.is_empty());
    let mut sorted = facts.addresses.clone();
    sorted.sort_unstable();
    assert_eq!(facts.addresses, sorted);
    assert!(facts.addresses.iter().all(|address| !address.is_loopback()), "{facts:?}");
}

#[test]
fn facts_are_quick_and_the_same_each_time() {
    let first = load_facts().expect("facts");
    let mut times: Vec<Duration> = (0..50)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(load_facts().expect("facts"), first);
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    assert!(times[25] < Duration::from_millis(50), "p50 {:?}", times[25]);
    println!("p50 {:?}, p99 {:?}", times[25], times[49]);
}

#[test]
fn without_a_default_route_the_first_address_is_the_address() {
    let lasting: Vec<std::net::IpAddr> = vec!["10.91.0.11".parse().unwrap(), "10.92.0.1".parse().unwrap()];
    let route = super::address_by_route(&lasting);
    assert_eq!(super::default_address(&lasting), route.or(Some(lasting[0])));
    assert_eq!(super::or_first(None, &lasting), Some(lasting[0]));
    assert_eq!(super::or_first(Some(lasting[1]), &lasting), Some(lasting[1]));
    assert_eq!(super::or_first(None, &[]), None);
}
