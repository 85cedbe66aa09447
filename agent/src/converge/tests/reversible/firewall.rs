//! What the firewall lets in: the kernel's table is the text that it was told last.

use super::{Dice, Family, file, folders, put, refuses, revision, says, sort_lines, text, words};
use crate::host::fake::Tree;
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const MAIN: &str = "/etc/nftables.conf";
const KERNEL: &str = "/proc/nftables";

pub(super) const FAMILY: Family = Family {
    name: "firewall",
    collections: &[Collection::Firewall],
    host,
    manifest,
    programs,
    plain: |tree| sort_lines(tree, &[MAIN]),
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/proc", "/usr", "/usr/sbin"]);
    put(&mut tree, "/usr/sbin/nft", file("program"));
    put(&mut tree, KERNEL, file(""));
    if dice.roll(2) == 0 {
        put(&mut tree, MAIN, file("#!/usr/sbin/nft -f\nflush ruleset\n"));
    }
    if dice.roll(2) == 0 {
        tree.extend(folders(&["/etc/nftables.d"]));
    }
    tree
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    for name in ["ssh", "web", "a.b"] {
        let rule = match dice.roll(5) {
            0 => continue,
            1 => json!({"meta": {"state": "absent"}}),
            2 => json!({"ports": [80, "8000-8010"], "sources": ["192.0.2.0/24", "2001:db8::/32"]}),
            3 if name == "ssh" => json!({"policy": "drop", "ports": [22]}),
            _ => json!({"ports": [dice.roll(2) + 22], "protocol": dice.one(&["tcp", "udp"])}),
        };
        resources.push((format!("firewall/{name}"), rule));
    }
    revision(resources)
}

fn programs(tree: &mut Tree, program: &Program) -> ProgramOutput {
    let table = text(tree, KERNEL);
    match words(program).as_slice() {
        ["nft", "-j", "list", "tables"] if table.is_empty() => says(r#"{"nftables": []}"#),
        ["nft", "-j", "list", "tables"] => says(r#"{"nftables": [{"table": {"family": "inet", "name": "muster"}}]}"#),
        ["nft", "-j", "list", "table", "inet", "muster"] => {
            let policy = if table.contains("policy drop;") { "drop" } else { "accept" };
            let comments = table.lines().filter_map(|line| line.split_once(" comment \"")?.1.split('"').next());
            let mut objects = vec![json!({"chain": {"name": "input", "policy": policy}})];
            objects.extend(comments.map(|comment| json!({"rule": {"comment": comment}})));
            says(json!({"nftables": objects}).to_string())
        }
        ["nft", "-c", "-f", "-"] => ProgramOutput::default(),
        ["nft", "-f", "-"] => {
            let told = String::from_utf8_lossy(&program.stdin).into_owned();
            let kept = if told.contains("chain input") { told } else { String::new() };
            put(tree, KERNEL, file(kept));
            ProgramOutput::default()
        }
        other => refuses(&format!("no program {other:?}")),
    }
}
