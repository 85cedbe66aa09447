//! Words with a form of their own.

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::path::Component;
use std::str::FromStr;

use muster_reconciler::inbound::PublishedPath;
use muster_reconciler::io::bus::BrokerUrl;
use muster_reconciler::io::git::RemoteUrl;
use muster_schema::document::Selector;
use muster_schema::mode::Mode;
use muster_schema::{Address, CommitId, HostId, PublicKey, Sha256Digest};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// What is written is read again as the same.
fn check_word<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(word) = text.parse::<T>() {
        assert!(word.to_string().parse::<T>().is_ok_and(|again| again == word), "{word:?} is written {word}");
    }
}

pub(crate) fn words(bytes: &[u8]) {
    let text = text(bytes);
    check_word::<Address>(text);
    check_word::<CommitId>(text);
    check_word::<HostId>(text);
    check_word::<Mode>(text);
    check_word::<PublicKey>(text);
    check_word::<Sha256Digest>(text);
    if let Ok(url) = text.parse::<BrokerUrl>() {
        let _ = url.to_string();
    }
    if let Ok(url) = text.parse::<RemoteUrl>() {
        let _ = url.to_string();
    }
}

pub(crate) fn selector(bytes: &[u8]) {
    let text = text(bytes);
    check_word::<Selector>(text);
    if let Ok(selector) = text.parse::<Selector>() {
        let labels: BTreeMap<&str, &str> = [("role", "web"), ("tier", "test")].into();
        let _ = selector.selects(&labels);
    }
}

pub(crate) fn published_path(bytes: &[u8]) {
    if let Ok(path) = text(bytes).parse::<PublishedPath>() {
        let stays = |part: Component<'_>| matches!(part, Component::Normal(_));
        assert!(path.relative().components().all(stays), "{path:?} leaves the tree");
    }
}
