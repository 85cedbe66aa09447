//! Files from elsewhere.

use std::time::Duration;

/// A file to fetch from a web server.
#[derive(Debug, Clone, Copy)]
pub struct Fetch<'a> {
    /// Where it is: `http` or `https`.
    pub url: &'a str,
    /// The most that is taken, in bytes.
    pub max_bytes: u64,
    /// How long all of it may take, to the last byte.
    pub timeout: Duration,
}

/// Why a file did not come. The names of places are without what may be a secret: credentials and query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// It is no URL, or of a kind that nothing is fetched from.
    #[error("{0} is no place to fetch from")]
    BadUrl(String),
    /// The server has something else to say.
    #[error("{from} answered with status {status}")]
    Status {
        /// The place.
        from: String,
        /// What the server said.
        status: u16,
    },
    /// It is larger than was allowed.
    #[error("{from} has more than {max_bytes} bytes; `max_bytes` allows more")]
    TooLarge {
        /// The place.
        from: String,
        /// What was allowed.
        max_bytes: u64,
    },
    /// It did not come in time.
    #[error("{from} did not come within {} s; `timeout` allows more", .limit.as_secs())]
    TimedOut {
        /// The place.
        from: String,
        /// What was allowed.
        limit: Duration,
    },
    /// One place points to the next, too often.
    #[error("{from} redirects more than {most} times")]
    Redirects {
        /// The place.
        from: String,
        /// How many are followed.
        most: u32,
    },
    /// No connection, or it broke.
    #[error("{from} cannot be read: {reason}")]
    Broken {
        /// The place.
        from: String,
        /// The reason.
        reason: String,
    },
    /// It is not what was asked for.
    #[error("{from} has the digest {found}, and not {wanted}")]
    Digest {
        /// The place.
        from: String,
        /// What came.
        found: String,
        /// What was to come.
        wanted: String,
    },
}

/// A URL without credentials, query and fragment, for people.
pub fn shown_url(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.chars().take(200).collect() };
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{path}").chars().take(200).collect()
}
