//! Containers, on a copy of this machine where systemd runs and a script stands for podman.

use super::Dice;
use super::booted::goes_back;
use crate::test_machine::enter_booted;
use muster_schema::Collection;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Types that are tried here.
pub(super) const COLLECTIONS: [Collection; 1] = [Collection::Containers];

const STATE: &str = "/run/test-podman";
const GENERATORS: &str = "/usr/lib/systemd/system-generators";
const SEEDS: u64 = 4;

/// A container is a process that sleeps, and a file that says so; images are lines.
const PODMAN: &str = r#"#!/bin/sh
state=/run/test-podman
mkdir -p $state
touch $state/images
verb=$1
shift
case "$verb" in
ps) cat $state/*.json 2>/dev/null | paste -sd, | sed 's/^/[/; s/$/]/' ;;
image) grep -qxF "$2" $state/images ;;
pull) echo "$2" >> $state/images ;;
rmi) grep -vxF "$1" $state/images > $state/left; mv $state/left $state/images ;;
run)
    while [ $# -gt 0 ]; do
        case "$1" in
        --name) name=$2; shift ;;
        *@sha256:*) image=$1 ;;
        esac
        shift
    done
    printf '{"Names":["%s"],"Image":"%s","Labels":{"PODMAN_SYSTEMD_UNIT":"%s"},"State":"running"}\n' \
        "$name" "$image" "$PODMAN_SYSTEMD_UNIT" > "$state/$name.json"
    systemd-notify --ready
    exec sleep infinity ;;
stop) ;;
rm) for name; do rm -f "$state/$name.json"; done ;;
esac
"#;

/// Makes units of quadlets, as far as ours go.
const GENERATOR: &str = r#"#!/bin/sh
for file in /etc/containers/systemd/*.container; do
    [ -e "$file" ] || continue
    unit=$(basename "$file" .container).service
    image=$(sed -n 's/^Image=//p' "$file")
    {
        echo "[Service]"
        echo "Type=notify"
        echo "NotifyAccess=all"
        echo "Environment=PODMAN_SYSTEMD_UNIT=%n"
        echo "ExecStart=/usr/bin/podman run --name %i $image"
        echo "ExecStopPost=/usr/bin/podman rm --force --ignore %i"
    } > "$1/$unit"
    if grep -q '^WantedBy=' "$file"; then
        mkdir -p "$1/multi-user.target.wants"
        ln -s "../$unit" "$1/multi-user.target.wants/$unit"
    fi
done
"#;

fn install(path: &str, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn manifest(dice: &mut Dice) -> Value {
    let mut resources = Map::new();
    for name in ["one", "two"] {
        let digest = dice.one(&["1", "2"]).repeat(64);
        let mut container = json!({"image": format!("registry.example.org/{name}@sha256:{digest}")});
        match dice.roll(6) {
            0 => continue,
            1 => container["meta"] = json!({"state": "absent"}),
            2 => container["running"] = false.into(),
            3 => container["enabled"] = false.into(),
            _ => {}
        }
        resources.insert(format!("containers/{name}"), container);
    }
    Value::Object(resources)
}

/// What lies in the folders of both forms, what runs, and which images there are.
fn snapshot() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Path::new("/etc/containers").to_owned(), Path::new("/etc/systemd/system").to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            // systemd makes folders for links, and leaves them.
            let of_systemd = path.starts_with("/etc/systemd");
            let text = if kind.is_file() { fs::read_to_string(&path).unwrap() } else { String::new() };
            if !(kind.is_dir() && of_systemd) {
                found.insert(path.display().to_string(), text);
            }
            if kind.is_dir() {
                open.push(path);
            }
        }
    }
    found.insert("/etc/containers".to_owned(), Path::new("/etc/containers").exists().to_string());
    for name in ["one", "two"] {
        let unit = format!("muster-container@{name}.service");
        let state = Command::new("systemctl").args(["is-active", &unit]).output().unwrap();
        found.insert(unit, String::from_utf8(state.stdout).unwrap());
    }
    let podman = |words: &[&str]| Command::new("podman").args(words).output().unwrap().stdout;
    found.insert("runs".to_owned(), String::from_utf8(podman(&["ps"])).unwrap());
    found.insert("images".to_owned(), fs::read_to_string(format!("{STATE}/images")).unwrap());
    found
}

#[test]
fn what_podman_has_is_as_it_was_found() {
    if !enter_booted("converge::tests::reversible::containers::what_podman_has_is_as_it_was_found") {
        return;
    }
    install("/usr/bin/podman", PODMAN);
    for seed in 1..=SEEDS {
        let generator = format!("{GENERATORS}/podman-system-generator");
        if seed % 2 == 0 {
            install(&generator, GENERATOR)
        } else {
            drop(fs::remove_file(&generator))
        }
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (first, second) = (manifest(&mut dice), manifest(&mut dice));
        goes_back(&format!("seed {seed}: {first:#} {second:#}"), [&first, &second], snapshot);
    }
}
