//! Parts of a repository's URL.

/// The host of a URL, without user and port; empty where the URL names none.
pub(in crate::provider) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.find(']').and_then(|end| host.get(1..end)).unwrap_or_default();
    }
    host.split(':').next().unwrap_or_default()
}
