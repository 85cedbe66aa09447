//! Where an enrolment token is read from: a file, standard input, or the environment; never the command line, which
//! everybody on the machine can read.
#![allow(clippy::disallowed_methods, reason = "reads the token")]

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use muster_schema::TokenSecret;
use muster_schema::token_secret::BadTokenSecret;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// The variable that may hold the token.
pub const TOKEN_VARIABLE: &str = "MUSTER_ENROLMENT_TOKEN";
/// The name of standard input.
const STANDARD_INPUT: &str = "-";
/// A token has fewer bytes than this; the rest of what is there is not read.
const MAX_BYTES: u64 = 1024;

/// A token cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum TokenSourceError {
    /// It cannot be read.
    #[error("the enrolment token in {place}")]
    Unreadable {
        /// Where it was to be.
        place: String,
        /// Why.
        source: io::Error,
    },
    /// Others could have read it.
    #[error("the enrolment token in {0} can be read by others: chmod 600 it")]
    Exposed(PathBuf),
    /// It is none.
    #[error("the enrolment token in {place}")]
    Bad {
        /// Where it was to be.
        place: String,
        /// Why.
        source: BadTokenSecret,
    },
}

/// Reads the token from `file` (`-`: standard input), or else from the environment; none where neither is given.
///
/// # Errors
/// When there is no token in what is given, or others than the owner can read the file.
pub fn load_token(file: Option<&Path>) -> Result<Option<TokenSecret>, TokenSourceError> {
    let (place, text) = match file {
        Some(path) if path.as_os_str() == STANDARD_INPUT => {
            let place = "standard input".to_owned();
            let text =
                read(io::stdin()).map_err(|source| TokenSourceError::Unreadable { place: place.clone(), source })?;
            (place, text)
        }
        Some(path) => (path.display().to_string(), read_file(path)?),
        None => match std::env::var(TOKEN_VARIABLE) {
            Ok(text) => (TOKEN_VARIABLE.to_owned(), Zeroizing::new(text)),
            Err(_) => return Ok(None),
        },
    };
    text.parse().map(Some).map_err(|source| TokenSourceError::Bad { place, source })
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, TokenSourceError> {
    let unreadable = |source| TokenSourceError::Unreadable { place: path.display().to_string(), source };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.mode() & 0o077 != 0 {
        return Err(TokenSourceError::Exposed(path.to_owned()));
    }
    read(file).map_err(unreadable)
}

fn read(from: impl Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    from.take(MAX_BYTES).read_to_string(&mut text)?;
    Ok(text)
}
