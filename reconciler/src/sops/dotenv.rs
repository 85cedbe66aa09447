//! Lines of `NAME=value`, the part `sops` among them: `sops_age__list_0__map_recipient=…`.

use super::SopsError;
use super::tree::{Leaf, Tree};

/// What the keys of the part `sops` begin with.
const PREFIX: &str = "sops_";

/// Reads the lines.
pub(super) fn load(bytes: &[u8]) -> Result<Tree, SopsError> {
    let text = std::str::from_utf8(bytes).map_err(|_| SopsError::Form("the file is not UTF-8".to_owned()))?;
    let (mut values, mut sops) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let fault = || SopsError::Form(format!("line {} is not NAME=value", number + 1));
        let (name, value) = line.split_once('=').ok_or_else(fault)?;
        let value = Tree::Leaf(Leaf::string(&value.replace("\\n", "\n")));
        match name.strip_prefix(PREFIX) {
            Some(name) => sops.push((name, value)),
            None => values.push((name.to_owned(), value)),
        }
    }
    if !sops.is_empty() {
        values.push(("sops".to_owned(), unflatten(sops)));
    }
    Ok(Tree::Map(values))
}

/// `age__list_0__map_enc` is the key `enc` of the first item of `age`; nothing deeper is needed.
fn unflatten(flat: Vec<(&str, Tree)>) -> Tree {
    let mut entries: Vec<(String, Tree)> = Vec::new();
    for (name, value) in flat {
        let item = name.split_once("__list_").and_then(|(list, rest)| {
            let (index, key) = rest.split_once("__map_")?;
            Some((list, index.parse::<usize>().ok()?, key))
        });
        let Some((list, index, key)) = item else {
            entries.push((name.to_owned(), of_text(name, value)));
            continue;
        };
        let at = entries.iter().position(|(name, _)| name == list).unwrap_or_else(|| {
            entries.push((list.to_owned(), Tree::List(Vec::new())));
            entries.len() - 1
        });
        if let Some((_, Tree::List(items))) = entries.get_mut(at) {
            // Sorted as text: the tenth comes before the second. Nothing depends on which is which.
            while items.len() <= index.min(MAX_ITEMS) {
                items.push(Tree::Map(Vec::new()));
            }
            if let Some(Tree::Map(map)) = items.get_mut(index) {
                map.push((key.to_owned(), value));
            }
        }
    }
    Tree::Map(entries)
}

/// More recipients than anybody has.
const MAX_ITEMS: usize = 1000;

/// The one key that is no text.
fn of_text(name: &str, value: Tree) -> Tree {
    match (name, value.text()) {
        ("mac_only_encrypted", Some("true")) => Tree::Leaf(Leaf { text: "True".to_owned(), string: false }),
        _ => value,
    }
}
