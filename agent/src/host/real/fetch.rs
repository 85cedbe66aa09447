//! Fetching over HTTP, with the agent's own client: what it trusts in TLS, its name, plain bytes only.

use crate::host::fetch::{Fetch, FetchError, shown_url};
use crate::io::http::client_config;
use std::error::Error;
use std::io::{self, ErrorKind, Read};
use ureq::http::StatusCode;

/// A place may have moved, and its new one too.
const MOST_REDIRECTS: u32 = 5;

pub(super) fn fetch(fetch: &Fetch<'_>) -> Result<Box<dyn Read>, FetchError> {
    let from = shown_url(fetch.url);
    if !fetch.url.starts_with("https://") && !fetch.url.starts_with("http://") {
        return Err(FetchError::BadUrl(from));
    }
    let config = client_config()
        .max_redirects(MOST_REDIRECTS)
        .max_redirects_will_error(true)
        .timeout_global(Some(fetch.timeout))
        .build();
    let told = Told { from: from.clone(), max_bytes: fetch.max_bytes, limit: fetch.timeout };
    let response = config.new_agent().get(fetch.url).call().map_err(|error| told.of(error))?;
    if response.status() != StatusCode::OK {
        return Err(FetchError::Status { from, status: response.status().as_u16() });
    }
    if response.headers().get("content-encoding").is_some_and(|value| value != "identity") {
        let reason = "it is compressed on the way, though plain bytes were asked for".to_owned();
        return Err(FetchError::Broken { from, reason });
    }
    if response.body().content_length().is_some_and(|length| length > fetch.max_bytes) {
        return Err(FetchError::TooLarge { from, max_bytes: fetch.max_bytes });
    }
    // The reader counts a body of exactly the limit as too long.
    let body = response.into_body().into_with_config().limit(fetch.max_bytes.saturating_add(1));
    Ok(Box::new(Body { reader: Box::new(body.reader()), taken: 0, told }))
}

/// What every error says.
struct Told {
    from: String,
    max_bytes: u64,
    limit: std::time::Duration,
}

impl Told {
    fn of(&self, error: ureq::Error) -> FetchError {
        let from = self.from.clone();
        match error {
            ureq::Error::BodyExceedsLimit(_) => FetchError::TooLarge { from, max_bytes: self.max_bytes },
            ureq::Error::Timeout(_) => FetchError::TimedOut { from, limit: self.limit },
            ureq::Error::TooManyRedirects => FetchError::Redirects { from, most: MOST_REDIRECTS },
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => FetchError::BadUrl(from),
            ureq::Error::Io(error) => self.of_io(error),
            other => FetchError::Broken { from, reason: other.to_string() },
        }
    }

    fn of_io(&self, error: io::Error) -> FetchError {
        if error.kind() == ErrorKind::TimedOut {
            return FetchError::TimedOut { from: self.from.clone(), limit: self.limit };
        }
        match error.downcast::<ureq::Error>() {
            Ok(inner) => self.of(inner),
            Err(error) => {
                let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
                FetchError::Broken { from: self.from.clone(), reason: format!("{error}{cause}") }
            }
        }
    }
}

/// The body, whose errors are those of the port.
struct Body {
    reader: Box<dyn Read>,
    taken: u64,
    told: Told,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer).map_err(|error| io::Error::other(self.told.of_io(error)))?;
        self.taken += count as u64;
        if self.taken > self.told.max_bytes {
            let Told { from, max_bytes, .. } = &self.told;
            return Err(io::Error::other(FetchError::TooLarge { from: from.clone(), max_bytes: *max_bytes }));
        }
        Ok(count)
    }
}
