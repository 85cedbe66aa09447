//! What a host is called, when and in which language it speaks.

use super::{Dice, Family, file, folders, put, refuses, revision, says, sort_lines, text, words};
use crate::host::fake::{Node, Tree, What};
use crate::host::{Program, ProgramOutput};
use muster_schema::Collection;
use serde_json::{Value, json};

const LIST: &str = "/etc/locale.gen";
const FILE: &str = "/etc/default/locale";
/// What `locale-gen` made.
const ARCHIVE: &str = "/usr/lib/locale/locale-archive";
const LANGUAGES: [&str; 2] = ["en_GB.UTF-8 UTF-8", "de_DE.UTF-8 UTF-8"];

pub(super) const FAMILY: Family = Family {
    name: "identity",
    collections: &[Collection::Hostname, Collection::Timezone, Collection::Locale],
    host,
    manifest,
    programs,
    plain: |tree| sort_lines(tree, &[LIST, FILE]),
};

fn host(dice: &mut Dice) -> Tree {
    let mut tree = folders(&["/", "/etc", "/etc/default", "/proc", "/proc/sys", "/proc/sys/kernel", "/usr"]);
    tree.extend(folders(&["/usr/lib", "/usr/lib/locale", "/usr/share", "/usr/share/zoneinfo"]));
    tree.extend(folders(&["/usr/share/zoneinfo/Europe"]));
    for zone in ["UTC", "Europe/Berlin", "Europe/Paris"] {
        put(&mut tree, &format!("/usr/share/zoneinfo/{zone}"), file("TZif"));
    }
    put(&mut tree, "/proc/sys/kernel/hostname", file(dice.one(&["found\n", "other\n"])));
    if dice.roll(3) != 0 {
        put(&mut tree, "/etc/hostname", file("found\n"));
    }
    match dice.roll(3) {
        0 => {}
        1 => put(&mut tree, "/etc/localtime", link("/usr/share/zoneinfo/UTC")),
        _ => put(&mut tree, "/etc/localtime", link("/usr/share/zoneinfo/Europe/Paris")),
    }
    if dice.roll(2) == 0 {
        put(&mut tree, "/etc/timezone", file(dice.one(&["Etc/UTC\n", "Europe/Paris\n"])));
    }
    if dice.roll(2) == 0 {
        put(&mut tree, "/etc/debian_version", file("12.0\n"));
        if dice.roll(2) == 0 {
            put(&mut tree, FILE, file("# theirs\nLANG=C.UTF-8\nLC_TIME=en_GB.UTF-8\n"));
        }
    }
    let mut list = String::from("# theirs\n");
    for language in LANGUAGES {
        list.push_str(&format!("{}{language}\n", if dice.roll(2) == 0 { "# " } else { "" }));
    }
    put(&mut tree, LIST, file(list));
    generate(&mut tree);
    tree
}

fn link(target: &str) -> Node {
    Node::new(What::Link(target.to_owned()), 0o777)
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Vec::new();
    if dice.roll(4) != 0 {
        resources.push(("hostname/system".to_owned(), json!({"name": dice.one(&["web", "db"])})));
    }
    if dice.roll(4) != 0 {
        resources.push(("timezone/system".to_owned(), json!({"zone": dice.one(&["Europe/Berlin", "UTC"])})));
    }
    let generated = dice.one(&LANGUAGES);
    let locale = match dice.roll(5) {
        0 => return revision(resources),
        1 => json!({"lang": "C.UTF-8"}),
        2 => json!({"generate": [generated]}),
        3 => json!({"lang": "de_DE.UTF-8", "variables": {"LC_TIME": "C.UTF-8"}, "generate": LANGUAGES}),
        _ => json!({"variables": {"LC_PAPER": dice.one(&["a", "b"])}, "generate": [generated]}),
    };
    resources.push(("locale/system".to_owned(), locale));
    revision(resources)
}

fn generate(tree: &mut Tree) {
    let list = text(tree, LIST);
    let mut made: Vec<&str> = list.lines().filter(|line| !line.starts_with('#')).collect();
    made.sort_unstable();
    put(tree, ARCHIVE, file(made.join("\n")));
}

fn programs(tree: &mut Tree, program: &Program) -> ProgramOutput {
    match words(program).as_slice() {
        ["locale-gen"] => {
            generate(tree);
            ProgramOutput::default()
        }
        ["locale", "-a"] => {
            let made = text(tree, ARCHIVE);
            let names = made.lines().map(|line| line.split(' ').next().unwrap().replace("UTF-8", "utf8"));
            says(format!("C\nC.utf8\nPOSIX\n{}\n", names.collect::<Vec<_>>().join("\n")))
        }
        other => refuses(&format!("no program {other:?}")),
    }
}
