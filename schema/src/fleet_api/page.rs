//! Lists come in pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many items a page has where nothing is said.
pub const DEFAULT_LIMIT: usize = 100;

/// The most items of a page.
pub const MAX_LIMIT: usize = 1000;

/// One page of a list. A list that changes between two pages loses and repeats nothing that stayed in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PageOf{T}")]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// How many items all pages have together.
    pub total: usize,
    /// Where the next page begins: the value of `after` that asks for it. None on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next: Option<String>,
}
