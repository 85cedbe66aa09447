//! The committed OpenAPI document is what the types say. `MUSTER_GENERATE=1` writes it.
#![allow(clippy::disallowed_methods)]

use super::fleet_openapi;
use crate::api::check_generated;

#[test]
fn the_openapi_document_is_current() {
    check_generated("openapi/fleet-v1.json", &fleet_openapi());
}
