//! Facts with templates in them.

use super::*;

#[test]
fn a38_what_hosts_report_is_never_rendered() {
    let mut hostile = debian("10.0.0.1");
    hostile.hostname = "{{ secret('db') }}{% include 'x' %}".to_owned();
    let facts: FactsOfFleet = [("web-1".parse().expect("a host id"), hostile)].into_iter().collect();
    let shown = render(&repository("{{ facts.hostname }} {{ 'a' ~ facts.hostname }}"), "web-1", &facts);
    assert!(shown.contains("| {{ secret('db') }}{% include 'x' %} a{{ secret('db') }}{% include 'x' %}"), "{shown}");
}
