//! What comes from elsewhere: bound by its digest, and not by where it came from.

use super::{Hands, ResourceError};
use crate::host::{Fetch, FetchError, HostError, shown_url};
use muster_schema::Sha256Digest;
use muster_schema::content::ContentDigest;
use std::io::{self, Read};
use std::time::Duration;

pub(super) const MAX_BYTES: u64 = 1 << 30;
const TIMEOUT: Duration = Duration::from_secs(600);

/// A stream that ends well only when all of it has the digest.
struct Checked<'a> {
    from: Box<dyn Read + 'a>,
    name: String,
    digest: ContentDigest,
    wanted: Sha256Digest,
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.digest.add(buffer.get(..count).unwrap_or_default());
        if count == 0 && !buffer.is_empty() {
            let found = self.digest.clone().finish().sha256;
            if found != self.wanted {
                let (found, wanted) = (found.to_string(), self.wanted.to_string());
                return Err(io::Error::other(FetchError::Digest { from: self.name.clone(), found, wanted }));
            }
        }
        Ok(count)
    }
}

/// Opens what `url` gives. Reading it to its end fails unless it has the digest.
pub(super) fn open_transfer<'h>(
    url: &str,
    sha256: Sha256Digest,
    max_bytes: Option<u64>,
    hands: &'h Hands<'_>,
) -> Result<Box<dyn Read + 'h>, ResourceError> {
    let fetch = Fetch { url, max_bytes: max_bytes.unwrap_or(MAX_BYTES), timeout: hands.timeout.unwrap_or(TIMEOUT) };
    let from = hands.host.fetch(&fetch).map_err(|error| ResourceError::Failed(error.to_string()))?;
    Ok(Box::new(Checked { from, name: shown_url(url), digest: ContentDigest::default(), wanted: sha256 }))
}

/// An error of writing what was fetched: it is the transfer's, where that broke.
pub(super) fn transfer_error(error: HostError) -> ResourceError {
    match error {
        HostError::Io { source, .. } if source.get_ref().is_some_and(|inner| inner.is::<FetchError>()) => {
            ResourceError::Failed(source.to_string())
        }
        other => other.into(),
    }
}
