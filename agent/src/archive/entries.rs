//! The entries of a tar archive one after the other, with names that headers of their own give.
//!
//! Such headers are read here and not by the library, which would read them whole, however large they are.

use super::BadArchive;
use super::name::clean_name;
use std::io::{self, Read};
use tar::{EntryType, PaxExtensions};

/// More than any name needs.
const MAX_EXTENSION: u64 = 64 << 10;

/// One entry.
pub(crate) struct Entry<'a> {
    /// The path below the destination.
    pub(crate) name: String,
    pub(crate) kind: EntryType,
    /// As the archive has it.
    pub(crate) mode: u32,
    /// Where a link leads.
    pub(crate) target: Vec<u8>,
    pub(crate) size: u64,
    pub(crate) content: &'a mut dyn Read,
}

/// What headers say of the entry after them.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
}

/// Reads a plain tar archive to its end. Entries that `strip` leaves out are not shown.
///
/// # Errors
/// When it is no archive, a name leads out of the destination, or `take` refuses.
pub(crate) fn read_entries<E: From<BadArchive>>(
    from: &mut dyn Read,
    strip: usize,
    take: &mut dyn FnMut(Entry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = tar::Archive::new(from);
    let entries = archive.entries().map_err(BadArchive::from)?.raw(true);
    let mut more = Extensions::default();
    for entry in entries {
        let mut entry = entry.map_err(BadArchive::from)?;
        let (kind, size) = (entry.header().entry_type(), entry.size());
        match kind {
            EntryType::XGlobalHeader => {
                let mut of_all = Extensions::default();
                of_all.add_pax(&load_extension(&mut entry, size)?)?;
                if of_all.name.is_some() || of_all.target.is_some() || of_all.size.is_some() || of_all.is_sparse {
                    return Err(BadArchive::entry("pax_global_header", "names all entries alike").into());
                }
            }
            EntryType::XHeader => more.add_pax(&load_extension(&mut entry, size)?)?,
            EntryType::GNULongName => set_once(&mut more.name, without_end(load_extension(&mut entry, size)?))?,
            EntryType::GNULongLink => set_once(&mut more.target, without_end(load_extension(&mut entry, size)?))?,
            kind => {
                let more = std::mem::take(&mut more);
                let header = entry.header();
                let raw = more.name.unwrap_or_else(|| header.path_bytes().into_owned());
                let refuse = |reason| E::from(BadArchive::entry(&String::from_utf8_lossy(&raw), reason));
                if more.is_sparse {
                    return Err(refuse("is a sparse file; pack it without `--sparse`"));
                }
                if more.size.is_some_and(|other| other != size) {
                    return Err(refuse("has two sizes"));
                }
                let target = more.target.or_else(|| header.link_name_bytes().map(|target| target.into_owned()));
                let mode = header.mode().map_err(BadArchive::from)?;
                // As the oldest archives have folders.
                let is_folder = kind == EntryType::Regular && raw.ends_with(b"/");
                let kind = if is_folder { EntryType::Directory } else { kind };
                let Some(name) = clean_name(&raw, strip).map_err(refuse)? else { continue };
                let target = target.unwrap_or_default();
                take(Entry { name, kind, mode, target, size, content: &mut entry })?;
            }
        }
    }
    Ok(())
}

fn load_extension(entry: &mut dyn Read, size: u64) -> Result<Vec<u8>, BadArchive> {
    if size > MAX_EXTENSION {
        return Err(io::Error::other(format!("a name in it has {size} bytes")).into());
    }
    let mut bytes = Vec::new();
    entry.take(MAX_EXTENSION).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok(bytes)
}

fn without_end(mut name: Vec<u8>) -> Vec<u8> {
    name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
    name
}

/// Who reads an archive must not see another name than others do.
fn set_once<T>(place: &mut Option<T>, value: T) -> Result<(), BadArchive> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(io::Error::other("an entry in it has two names").into()),
    }
}

impl Extensions {
    fn add_pax(&mut self, bytes: &[u8]) -> Result<(), BadArchive> {
        for extension in PaxExtensions::new(bytes) {
            let extension = extension?;
            let value = || extension.value_bytes().to_vec();
            match extension.key_bytes() {
                b"path" => set_once(&mut self.name, value())?,
                b"linkpath" => set_once(&mut self.target, value())?,
                b"size" => {
                    let size = extension.value().ok().and_then(|size| size.parse().ok());
                    let size = size.ok_or_else(|| io::Error::other("a size in it is no number"))?;
                    set_once(&mut self.size, size)?;
                }
                key if key.starts_with(b"GNU.sparse") => self.is_sparse = true,
                _ => {}
            }
        }
        Ok(())
    }
}
