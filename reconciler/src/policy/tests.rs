#![allow(clippy::unwrap_used)]

mod documents;
mod patterns;
mod rules;

use super::{ACCESS_POLICY, AccessPolicy, load_access_policy};

fn load(text: &str) -> AccessPolicy {
    load_access_policy(&ACCESS_POLICY.into(), text.as_bytes()).unwrap()
}

fn one(principal: &str) -> Vec<String> {
    vec![principal.to_owned()]
}
