//! Addresses of remote repositories that may be given to `git`.

use std::fmt;
use std::str::FromStr;

/// An address over https, ssh or file. It holds no option, no helper and no
/// control character, and shows itself without its password.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl(String);

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the repository address is refused: {reason}")]
pub struct BadRemoteUrl {
    reason: &'static str,
}

impl RemoteUrl {
    /// The address for git, password and all. Not for logs.
    pub(super) fn as_argument(&self) -> &str {
        &self.0
    }
}

impl FromStr for RemoteUrl {
    type Err = BadRemoteUrl;

    fn from_str(text: &str) -> Result<Self, BadRemoteUrl> {
        let refuse = |reason| Err(BadRemoteUrl { reason });
        if text.is_empty() || text.len() > 2048 {
            return refuse("it is empty or longer than 2048 bytes");
        }
        if text.starts_with('-') {
            return refuse("it starts with a dash, as options do");
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse("it holds white space or control characters");
        }
        if text.contains("::") {
            return refuse("it names a remote helper");
        }
        if text.starts_with("file:///") {
            return Ok(Self(text.to_owned()));
        }
        let host = match text.split_once("://") {
            Some(("https" | "ssh", rest)) => rest.split('/').next().unwrap_or_default(),
            Some(_) => return refuse("only https, ssh and file are allowed"),
            None => match text.split_once(':') {
                Some((host, _)) if !host.contains('/') => host,
                _ => return refuse("it is no URL; a local repository is given by its path"),
            },
        };
        let name = host.rsplit('@').next().unwrap_or_default();
        if name.is_empty() || name.starts_with('-') || host.starts_with('-') {
            return refuse("its host is missing or starts with a dash");
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            return f.write_str(&self.0);
        };
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        match host.rsplit_once('@') {
            Some((user, host)) => {
                let user = user.split(':').next().unwrap_or_default();
                // A token may stand alone where the name would be.
                let user = if scheme == "https" { "***" } else { user };
                write!(f, "{scheme}://{user}@{host}/{path}")
            }
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({self})")
    }
}
