//! What URLs of transfers may be.

use crate::address::is_clean_absolute;

/// Why `url` is no place to fetch from over HTTP, as the end of a sentence.
pub(super) fn check_http_url(url: &Option<String>) -> Option<String> {
    let Some(url) = url.as_deref() else { return Some("needs a 'url'".to_owned()) };
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return Some("has a 'url' that does not begin with https:// or http://".to_owned());
    };
    check_authority(rest)
}

/// Why `url` is no place to fetch commits from, as the end of a sentence.
pub(super) fn check_git_url(url: &Option<String>) -> Option<String> {
    let Some(url) = url.as_deref() else { return Some("needs a 'url'".to_owned()) };
    if let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) {
        return check_authority(rest);
    }
    if let Some(rest) = url.strip_prefix("ssh://") {
        // The user is a part of the address; a password is none.
        let after = rest.split_once('@').filter(|(user, _)| !user.is_empty() && !user.contains([':', '/', '-']));
        return check_authority(after.map_or(rest, |(_, after)| after));
    }
    match url.strip_prefix("file://") {
        Some(path) if is_clean_absolute(path) => None,
        Some(_) => Some("has a 'url' of a file whose path is not clean and absolute".to_owned()),
        None => Some(format!(
            "has a 'url' that does not begin with https://, http://, ssh:// or file://{}",
            if url.contains('@') { "; git@HOST:PATH is written as ssh://git@HOST/PATH" } else { "" }
        )),
    }
}

/// What holds for all: a host, no credentials, nothing that a reader of reports would stumble over.
fn check_authority(rest: &str) -> Option<String> {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("has credentials in its 'url', which would stand in Git and in reports".to_owned());
    }
    if authority.is_empty() || authority.starts_with(['-', ':']) {
        return Some("has a 'url' without a host".to_owned());
    }
    if rest.contains(|c: char| c.is_whitespace() || c.is_control() || !c.is_ascii() || c == '#') {
        return Some("has a 'url' with white space, a fragment or other characters that no URL has".to_owned());
    }
    None
}
