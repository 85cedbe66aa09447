//! What stands at a path.

use super::{Family, put};
use crate::host::ProgramOutput;
use crate::host::fake::{Node, What};
use muster_schema::Collection;

pub(super) const FAMILY: Family = Family {
    name: "paths",
    collections: &[Collection::Directories, Collection::Files, Collection::Links],
    host: |dice| {
        let mut tree = dice.host();
        // What is to lie in it needs a folder.
        put(&mut tree, "/srv", Node::new(What::Directory, 0o755));
        tree
    },
    manifest: |dice| {
        let mut manifest = dice.manifest();
        // What only reacts is tried with the other properties.
        manifest.as_object_mut().unwrap().remove("commands/react");
        for (address, attributes) in manifest.as_object_mut().unwrap() {
            let owned = !address.starts_with("links") && attributes.get("meta").is_none() && dice.roll(3) == 0;
            if owned {
                attributes["owner"] = dice.one(&["0", "7"]).into();
                attributes["group"] = "7".into();
            }
        }
        manifest
    },
    programs: |_, _| ProgramOutput::default(),
    plain: |tree| tree,
};
