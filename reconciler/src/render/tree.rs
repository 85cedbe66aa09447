//! A directory with `source`: every file and folder of a tree becomes a resource.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::Value;
use muster_schema::{Address, Collection};

use super::content::{content_fault, file_path};
use super::placed::{Contents, Filling, Placed, PlacedContent};
use super::rendering::{Rendering, Stopped};
use crate::model::{Finding, Map, Node, NodeValue};

/// What files and folders of a tree take over from its directory; folders take the mode as well.
const INHERITED: [&str; 8] = ["enforcement", "group", "on_remove", "owner", "requires", "retry", "risky", "timeout"];

/// The directory, and what its source tree puts below it.
pub(super) fn expand_tree(
    rendering: &Arc<Rendering>,
    directory: Placed,
    source: &Node,
    scope: &Value,
) -> Result<Vec<Placed>, Stopped> {
    let folder = file_path(rendering, source, scope)?;
    let contents = rendering.model.contents();
    let files: Vec<String> = contents.below(&folder).map(|(path, _)| path.to_owned()).collect();
    if files.is_empty() {
        let reason = format!("there is no file below '{folder}/'");
        return Err(rendering.fault(Finding::new(source.place.clone(), reason)));
    }
    files.iter().for_each(|below| rendering.read_document(&Arc::from(format!("{folder}/{below}"))));
    let folders: BTreeSet<&str> = files.iter().flat_map(|path| ancestors(path)).collect();
    let mut placed = Vec::with_capacity(files.len() + folders.len() + 1);
    for below in folders {
        placed.push(member(rendering, &directory, source, Collection::Directories, below)?);
    }
    let mut stopped = false;
    for below in &files {
        let path = format!("{folder}/{below}");
        let content = match contents.load(&path) {
            Ok(content) => content,
            Err(fault) => {
                content_fault(rendering, fault, source);
                stopped = true;
                continue;
            }
        };
        let mut file = member(rendering, &directory, source, Collection::Files, below)?;
        let (content, place) = (Filling::Bytes(content), source.place.clone());
        let content = PlacedContent { content, place, origin: "source", file: Some(path.into()) };
        file.contents.insert("content", content);
        placed.push(file);
    }
    placed.push(directory);
    if stopped { Err(Stopped) } else { Ok(placed) }
}

/// The folders above a path, without the tree's root.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').filter_map(|(index, _)| path.get(..index))
}

fn member(
    rendering: &Rendering,
    directory: &Placed,
    source: &Node,
    collection: Collection,
    below: &str,
) -> Result<Placed, Stopped> {
    let id = format!("{}/{below}", directory.address.id());
    let address = Address::new(collection, id)
        .map_err(|error| rendering.fault(Finding::new(source.place.clone(), error.to_string())))?;
    let is_inherited =
        |name: &str| INHERITED.contains(&name) || (name == "mode" && collection == Collection::Directories);
    let inherited = directory.map().map_or(&[][..], Map::entries).iter().filter(|entry| is_inherited(&entry.key));
    let attributes = Map::of_sorted(inherited.cloned().collect());
    Ok(Placed {
        address,
        place: source.place.clone(),
        instance: directory.instance.clone(),
        attributes: Node::new(source.place.clone(), NodeValue::Map(Arc::new(attributes))),
        contents: Contents::new(),
        tainted: false,
    })
}
