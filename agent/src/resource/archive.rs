//! Where an archive comes from: a plain tar in a file without a name.

use super::transfer::{MAX_BYTES, open_transfer};
use super::unpacked::Unpacked;
use super::{Hands, ResourceError};
use crate::host::{FetchError, HostPath, scratch_file};
use flate2::read::MultiGzDecoder;
use muster_schema::Collection;
use muster_schema::resource::ArchiveSpec;
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// RFC 1952, section 2.3.1.
const GZIP: &[u8] = &[0x1f, 0x8b];
/// What else people pack with, by how it starts.
const OTHERS: [(&[u8], &str); 5] = [
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
];

impl Unpacked for ArchiveSpec {
    const COLLECTION: Collection = Collection::Archives;
    const WHOLE: &str = "archive";

    fn identity(&self) -> String {
        self.digest().map(|digest| digest.to_string()).unwrap_or_default()
    }

    fn ownership(&self) -> (&Option<String>, &Option<String>) {
        (&self.owner, &self.group)
    }

    fn strip(&self) -> u32 {
        self.strip.unwrap_or(0)
    }

    fn max_entries(&self) -> Option<u32> {
        self.max_entries
    }

    fn open_tar(&self, hands: &Hands<'_>) -> Result<File, ResourceError> {
        let most = self.max_bytes.unwrap_or(MAX_BYTES);
        let mut file = scratch_file().map_err(|error| failed(&error))?;
        match (&self.content, &self.url, &self.path, self.sha256) {
            (Some(content), ..) => copy(hands.contents.open(content)?.as_mut(), &mut file, most)?,
            (_, Some(url), _, Some(sha256)) => {
                copy(open_transfer(url, sha256, Some(most), hands)?.as_mut(), &mut file, most)?;
            }
            (_, _, Some(path), Some(sha256)) => {
                let path = HostPath::new(path).map_err(|error| ResourceError::Blocked(format!("'path': {error}")))?;
                let found = hands.host.reader().copy(&path, &mut Capped { to: &mut file, left: most })?;
                if found.sha256 != sha256 {
                    return Err(ResourceError::Failed(format!(
                        "{path} has the digest {}, and not {sha256}",
                        found.sha256
                    )));
                }
            }
            _ => return Err(ResourceError::Blocked("it names no archive".to_owned())),
        }
        file.rewind().map_err(|error| failed(&error))?;
        let mut start = Vec::new();
        (&mut file).take(6).read_to_end(&mut start).map_err(|error| failed(&error))?;
        file.rewind().map_err(|error| failed(&error))?;
        if let Some((_, form)) = OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
            let reason =
                format!("the archive is packed by {form}; only tar, and tar in gzip, is unpacked: pack it anew");
            return Err(ResourceError::Blocked(reason));
        }
        if start.starts_with(GZIP) {
            let mut plain = scratch_file().map_err(|error| failed(&error))?;
            copy(&mut MultiGzDecoder::new(io::BufReader::new(file)), &mut plain, most)?;
            plain.rewind().map_err(|error| failed(&error))?;
            return Ok(plain);
        }
        Ok(file)
    }
}

fn copy(from: &mut dyn Read, to: &mut File, most: u64) -> Result<(), ResourceError> {
    io::copy(from, &mut Capped { to, left: most }).map(drop).map_err(|error| failed(&error))
}

fn failed(error: &io::Error) -> ResourceError {
    match error.get_ref() {
        Some(inner) if inner.is::<TooLarge>() => ResourceError::Blocked(inner.to_string()),
        Some(inner) if inner.is::<FetchError>() => ResourceError::Failed(inner.to_string()),
        _ => ResourceError::Failed(format!("the archive cannot be read: {error}")),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the archive is larger than `max_bytes` allows, itself or unpacked")]
struct TooLarge;

/// Takes no more than was allowed.
struct Capped<'a> {
    to: &'a mut File,
    left: u64,
}

impl Write for Capped<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| io::Error::other(TooLarge))?;
        self.to.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
