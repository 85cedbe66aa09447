//! What a file may have beside content, owner and mode: an access control list, a label, extended attributes.
//!
//! They are read only where a specification asks for them, because each costs system calls in every sweep.

use super::acl::{ACCESS_ACL, decode_acl, encode_acl, owning_group};
use super::{Attributes, Hands, ResourceError, State, Value, View, Wanted};
use crate::host::{HostError, HostPath, NewXattr};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster_schema::resource::{AclEntry, FileSpec};
use std::borrow::Cow;

const ACL: &str = "acl";
const SELINUX: &str = "selinux";
/// Before the name of each extended attribute: every one is an attribute with an original of its own.
const XATTR: &str = "xattr.";
const LABEL: &str = "security.selinux";
/// There where the kernel enforces labels.
const SELINUX_TREE: &str = "/sys/fs/selinux/policy";
/// Before base64, as getfattr(1) writes what is no text.
const BASE64: &str = "0s";

/// Adds what the specification asks for.
pub(super) fn ask_extended(spec: &FileSpec, mut wanted: Wanted) -> Wanted {
    let list = |acl: &Vec<AclEntry>| acl.iter().map(ToString::to_string).collect::<Vec<_>>();
    wanted = wanted.with(ACL, spec.acl.as_ref().map(list)).with(SELINUX, spec.selinux.clone());
    if let State::Present(attributes) = &mut wanted.state {
        let asked = spec.xattr.iter().flatten();
        attributes.extend(asked.map(|(name, value)| (Cow::Owned(format!("{XATTR}{name}")), show(&value_of(value)))));
    }
    wanted
}

/// Reads what the specification asks for, of a file that is there.
pub(super) fn observe_extended(
    spec: &FileSpec,
    path: &HostPath,
    view: &View<'_>,
    attributes: &mut Attributes,
) -> Result<(), ResourceError> {
    let read = |name: &str| view.reader().xattr(path, name).map_err(refusal);
    if let Some(asked) = &spec.acl {
        let entries = match read(ACCESS_ACL)? {
            Some(value) => decode_acl(&value, asked, &*view.accounts()?)?,
            None => Vec::new(),
        };
        attributes.insert(Cow::Borrowed(ACL), entries.into());
    }
    if spec.selinux.is_some() {
        check_selinux(view)?;
        let label = read(LABEL)?.map(|value| String::from_utf8_lossy(&value).trim_end_matches('\0').to_owned());
        attributes.insert(Cow::Borrowed(SELINUX), label.map_or(Value::Nothing, Value::from));
    }
    for name in spec.xattr.iter().flat_map(|asked| asked.keys()) {
        let value = read(name)?.map_or(Value::Nothing, |value| show(&value));
        attributes.insert(Cow::Owned(format!("{XATTR}{name}")), value);
    }
    Ok(())
}

fn check_selinux(view: &View<'_>) -> Result<(), ResourceError> {
    let policy = HostPath::new(SELINUX_TREE).map_err(|error| ResourceError::Failed(error.to_string()))?;
    match view.reader().meta(&policy)? {
        Some(_) => Ok(()),
        None => Err(ResourceError::Blocked("this host has no SELinux, so it keeps no label".to_owned())),
    }
}

/// The extended attributes to set, for a file that is to have the permission bits `mode`, or keeps what it has.
pub(super) fn new_xattrs(
    after: &State,
    path: &HostPath,
    mode: Option<u32>,
    hands: &Hands<'_>,
) -> Result<Vec<NewXattr>, ResourceError> {
    let mut new = Vec::new();
    for (name, value) in after.attributes().into_iter().flatten() {
        let (name, value) = match name.as_ref() {
            ACL => (ACCESS_ACL, new_acl(value, path, mode, hands)?),
            SELINUX => (LABEL, value.text().map(|label| format!("{label}\0").into_bytes())),
            other => match other.strip_prefix(XATTR) {
                Some(name) => (name, value.text().map(value_of)),
                None => continue,
            },
        };
        new.push(NewXattr { name: name.to_owned(), value });
    }
    Ok(new)
}

fn new_acl(
    value: &Value,
    path: &HostPath,
    mode: Option<u32>,
    hands: &Hands<'_>,
) -> Result<Option<Vec<u8>>, ResourceError> {
    let entries = value.list().unwrap_or_default();
    let parsed: Result<Vec<AclEntry>, _> = entries.iter().map(|entry| entry.parse()).collect();
    let entries =
        parsed.map_err(|error: muster_schema::resource::BadAclEntry| ResourceError::Failed(error.to_string()))?;
    if entries.is_empty() {
        return Ok(None);
    }
    let mut reader = hands.host.reader();
    let found = reader.meta(path)?.filter(|meta| meta.kind == crate::host::FileKind::File);
    let group = match found {
        Some(_) => reader.xattr(path, ACCESS_ACL).map_err(refusal)?.map(|value| owning_group(&value)).transpose()?,
        None => None,
    };
    let mode = mode.or(found.map(|meta| meta.mode)).unwrap_or(0);
    encode_acl(&entries, mode, group.flatten(), &hands.accounts()?).map(Some)
}

/// A file system without them is no failure that another attempt could heal.
pub(super) fn refusal(error: HostError) -> ResourceError {
    match error {
        error @ HostError::NoXattr { .. } => ResourceError::Blocked(error.to_string()),
        error => error.into(),
    }
}

/// The bytes of a value as people write it.
fn value_of(text: &str) -> Vec<u8> {
    let binary = text.strip_prefix(BASE64).and_then(|code| STANDARD.decode(code).ok());
    binary.unwrap_or_else(|| text.as_bytes().to_vec())
}

/// A value as people write it: the one form that `value_of` reads back.
fn show(value: &[u8]) -> Value {
    match std::str::from_utf8(value) {
        Ok(text) if value_of(text) == value && !text.contains(char::is_control) => text.to_owned().into(),
        _ => format!("{BASE64}{}", STANDARD.encode(value)).into(),
    }
}
