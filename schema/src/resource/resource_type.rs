//! What is known of a resource type before any host is asked.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::address::IdForm;
use crate::content::BlobRef;
use crate::resource::Meta;
use crate::secret::SecretContent;

/// The attributes of one resource type, and what follows from them alone.
///
/// Everything has a default but the form of ids, so that a type says only what is special about it.
pub trait ResourceSpec: Default + Serialize + DeserializeOwned + JsonSchema {
    /// What ids look like.
    const ID: IdForm;

    /// What of the same application it comes after, and before.
    const CLASS: Option<OrderClass> = None;

    /// How it may react to the change of other resources.
    const REACTIONS: Reactions = Reactions::None;

    /// How documents give its contents.
    const CONTENTS: ContentForm = ContentForm::None;

    /// Whether `mode` are permission bits; what is done about a difference is then written `enforcement`, or `mode`
    /// where it is one of its words.
    const HAS_PERMISSIONS: bool = false;

    /// Whether it owns a part of the file that its attribute `path` names, and no more of it.
    const EDITS_FILE: bool = false;

    /// Which attribute says where it stands, where the id does not.
    const OWN_PATH: OwnPath = OwnPath::None;

    /// Attributes beside [`Self::OWN_PATH`] that name a file which is the thing's, whole.
    const FURTHER_PATHS: &'static [&'static str] = &[];

    /// The slots of [`ContentForm::slots`] whose contents may have secrets in them.
    const SECRET_SLOTS: &'static [&'static str] = &[];

    /// Attributes that are a text, no content, and may have secrets in it; `env.*` are all texts of the map `env`.
    const SECRET_TEXTS: &'static [&'static str] = &[];

    /// The paths of the files that a resource of this id is, whole: no other resource has them.
    fn paths_of(id: &str) -> Vec<String> {
        if Self::ID == IdForm::Path { vec![id.to_owned()] } else { Vec::new() }
    }

    /// The blobs of the contents that it names, by slot: one of [`ContentForm::slots`].
    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        Vec::new()
    }

    /// Takes the content of a slot of [`ContentForm::slots`].
    fn set_content(&mut self, _slot: &str, _content: BlobRef) {}

    /// Takes the content of a slot of [`Self::SECRET_SLOTS`], or the text of one of [`Self::SECRET_TEXTS`].
    fn set_secret_content(&mut self, _slot: &str, _content: SecretContent) {}

    /// Its contents and texts with secrets in them, each with its slot.
    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        Vec::new()
    }

    /// As [`Self::secrets`], to be read.
    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        Vec::new()
    }

    /// The accounts that it needs, by name or number: they are made before it.
    fn accounts(&self) -> NamedAccounts<'_> {
        NamedAccounts::default()
    }

    /// The file of which it owns a part, where [`Self::EDITS_FILE`].
    fn edited_path(&self) -> Option<&str> {
        None
    }

    /// What the attribute [`Self::OWN_PATH`] holds.
    fn own_path(&self) -> Option<&str> {
        None
    }

    /// What the attributes [`Self::FURTHER_PATHS`] hold.
    fn further_paths(&self) -> Vec<&str> {
        Vec::new()
    }

    /// What it is about, where the id is a free name: with another place it is another thing, and the old one goes
    /// back to what was found first.
    fn place(&self) -> Option<String> {
        None
    }

    /// What fits the types and still makes no sense, as the end of a sentence that begins with the address:
    /// `cannot be masked and running`. Not asked of what is to be absent.
    fn contradiction(&self, _meta: &Meta) -> Option<String> {
        None
    }
}

/// What resources of one application wait for without saying so: each class for those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderClass {
    /// Where packages come from.
    Repositories,
    /// Packages.
    Packages,
    /// What stands at a path, or in a file.
    Paths,
    /// What runs.
    Services,
}

impl OrderClass {
    /// All classes, in their order.
    pub const ALL: [OrderClass; 4] =
        [OrderClass::Repositories, OrderClass::Packages, OrderClass::Paths, OrderClass::Services];
}

/// How a resource may react to the change of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reactions {
    /// Not at all.
    None,
    /// It restarts or reloads: `restart_on`, `reload_on`.
    RestartOrReload,
    /// It runs: `run_on`.
    Run,
}

/// The attribute that says where a thing with a free name stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnPath {
    /// There is none.
    None,
    /// The file or tree at this path is the thing: no other resource has it.
    Whole(&'static str),
    /// The thing lies in the folder at this path, which may be managed by itself, and be there before.
    Within(&'static str),
}

impl OwnPath {
    /// The name of the attribute.
    pub const fn attribute(self) -> Option<&'static str> {
        match self {
            OwnPath::None => None,
            OwnPath::Whole(name) | OwnPath::Within(name) => Some(name),
        }
    }
}

/// How documents give contents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentForm {
    /// There is none.
    None,
    /// One content, by `content`, `source` or `template` (with `vars`) among the attributes. Its slot is `content`.
    Whole,
    /// A folder of contents, by `source`: each file of it becomes a resource of its own.
    Tree,
    /// One content each in these attributes: a text, or a map of `content`, `source` or `template`.
    /// `undo.script` is the attribute `script` in `undo`.
    Attributes(&'static [&'static str]),
}

impl ContentForm {
    /// The names of the contents.
    pub const fn slots(self) -> &'static [&'static str] {
        match self {
            ContentForm::None | ContentForm::Tree => &[],
            ContentForm::Whole => &["content"],
            ContentForm::Attributes(slots) => slots,
        }
    }
}

/// Users and groups that a resource names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NamedAccounts<'a> {
    /// Users, by name or number.
    pub users: Vec<&'a str>,
    /// Groups, by name or number.
    pub groups: Vec<&'a str>,
}

impl<'a> NamedAccounts<'a> {
    /// An owner and a group, as files have them.
    pub fn of_owner(owner: &'a Option<String>, group: &'a Option<String>) -> NamedAccounts<'a> {
        NamedAccounts {
            users: owner.iter().map(String::as_str).collect(),
            groups: group.iter().map(String::as_str).collect(),
        }
    }

    /// A user and no group.
    pub fn of_user(user: &'a Option<String>) -> NamedAccounts<'a> {
        NamedAccounts::of_owner(user, &None)
    }
}

/// Attributes that are kept in a box are those that are in it.
impl<S: ResourceSpec> ResourceSpec for Box<S>
where
    Box<S>: Default + Serialize + DeserializeOwned + JsonSchema,
{
    const ID: IdForm = S::ID;
    const CLASS: Option<OrderClass> = S::CLASS;
    const REACTIONS: Reactions = S::REACTIONS;
    const CONTENTS: ContentForm = S::CONTENTS;
    const HAS_PERMISSIONS: bool = S::HAS_PERMISSIONS;
    const EDITS_FILE: bool = S::EDITS_FILE;
    const OWN_PATH: OwnPath = S::OWN_PATH;
    const FURTHER_PATHS: &'static [&'static str] = S::FURTHER_PATHS;
    const SECRET_SLOTS: &'static [&'static str] = S::SECRET_SLOTS;
    const SECRET_TEXTS: &'static [&'static str] = S::SECRET_TEXTS;

    fn paths_of(id: &str) -> Vec<String> {
        S::paths_of(id)
    }

    fn contents(&self) -> Vec<(&'static str, BlobRef)> {
        S::contents(self)
    }

    fn set_content(&mut self, slot: &str, content: BlobRef) {
        S::set_content(self, slot, content);
    }

    fn set_secret_content(&mut self, slot: &str, content: SecretContent) {
        S::set_secret_content(self, slot, content);
    }

    fn secret_contents(&mut self) -> Vec<&mut SecretContent> {
        S::secret_contents(self)
    }

    fn secrets(&self) -> Vec<(Cow<'_, str>, &SecretContent)> {
        S::secrets(self)
    }

    fn accounts(&self) -> NamedAccounts<'_> {
        S::accounts(self)
    }

    fn edited_path(&self) -> Option<&str> {
        S::edited_path(self)
    }

    fn own_path(&self) -> Option<&str> {
        S::own_path(self)
    }

    fn further_paths(&self) -> Vec<&str> {
        S::further_paths(self)
    }

    fn place(&self) -> Option<String> {
        S::place(self)
    }

    fn contradiction(&self, meta: &Meta) -> Option<String> {
        S::contradiction(self, meta)
    }
}
