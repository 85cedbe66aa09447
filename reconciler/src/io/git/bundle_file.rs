//! Git's own bundle files, version 2 (gitformat-bundle(5)): references, then a pack of all that they need.

use git2::{Oid, Repository, Sort};

use super::error::GitError;
use crate::verify::APPROVAL_REFERENCES;

const SIGNATURE: &str = "# v2 git bundle\n";

/// What is written.
const WHAT: &str = "the git bundle";

/// Packs `tip` with its whole history as `reference`, with the approvals of commits in it.
///
/// # Errors
/// When the repository does not give an object.
pub fn pack_bundle(repository: &Repository, tip: Oid, reference: &str) -> Result<Vec<u8>, GitError> {
    let mut walk = repository.revwalk().map_err(GitError::read(WHAT))?;
    walk.set_sorting(Sort::TOPOLOGICAL).map_err(GitError::read(WHAT))?;
    walk.push(tip).map_err(GitError::read(WHAT))?;
    let commits = walk.collect::<Result<Vec<Oid>, _>>().map_err(GitError::read(WHAT))?;
    let mut pack = repository.packbuilder().map_err(GitError::read(WHAT))?;
    for commit in &commits {
        pack.insert_commit(*commit).map_err(GitError::read(WHAT))?;
    }
    let mut header = format!("{SIGNATURE}{tip} {reference}\n");
    let approvals = repository.references_glob(&format!("{APPROVAL_REFERENCES}*")).map_err(GitError::read(WHAT))?;
    for approval in approvals {
        let approval = approval.map_err(GitError::read(WHAT))?;
        let (Ok(name), Some(id)) = (approval.name(), approval.target()) else { continue };
        let of = name
            .strip_prefix(APPROVAL_REFERENCES)
            .and_then(|rest| rest.split('/').next())
            .and_then(|id| Oid::from_str(id).ok());
        if of.is_some_and(|of| commits.contains(&of)) && repository.find_blob(id).is_ok() {
            pack.insert_object(id, None).map_err(GitError::read(WHAT))?;
            header += &format!("{id} {name}\n");
        }
    }
    let mut bytes = (header + "\n").into_bytes();
    let write = |part: &[u8]| {
        bytes.extend_from_slice(part);
        true
    };
    pack.foreach(write).map_err(GitError::write(WHAT))?;
    Ok(bytes)
}

/// Puts what a bundle holds into `repository`: objects and references. Returns where `reference` is.
///
/// # Errors
/// When it is no bundle with that reference, or does not hold what it says.
pub fn unpack_bundle(repository: &Repository, bytes: &[u8], reference: &str) -> Result<Oid, GitError> {
    let malformed = |reason: &str| GitError::Read { what: WHAT.to_owned(), source: git2::Error::from_str(reason) };
    let end = bytes.windows(2).position(|pair| pair == b"\n\n").ok_or_else(|| malformed("its header does not end"))?;
    let (header, pack) = bytes.split_at(end + 2);
    let header = std::str::from_utf8(header).ok().and_then(|text| text.strip_prefix(SIGNATURE));
    let lines = header.ok_or_else(|| malformed("it is no git bundle of version 2"))?;
    let odb = repository.odb().map_err(GitError::write(WHAT))?;
    let mut writer = odb.packwriter().map_err(GitError::write(WHAT))?;
    std::io::Write::write_all(&mut writer, pack).map_err(|error| malformed(&error.to_string()))?;
    writer.commit().map_err(GitError::read(WHAT))?;
    let mut tip = None;
    for line in lines.lines().filter(|line| !line.is_empty()) {
        let (id, name) = line.split_once(' ').ok_or_else(|| malformed("a line of its header is no reference"))?;
        let id = Oid::from_str(id).map_err(GitError::read(WHAT))?;
        if name == reference {
            tip = Some(id);
        } else if !name.starts_with(APPROVAL_REFERENCES) {
            return Err(malformed(&format!("it holds {name}, which is neither {reference} nor an approval")));
        }
        repository.reference(name, id, false, "bundle").map_err(GitError::read(WHAT))?;
    }
    tip.ok_or_else(|| malformed(&format!("it does not hold {reference}")))
}
