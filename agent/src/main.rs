//! The daemon on each host.

fn main() {}
