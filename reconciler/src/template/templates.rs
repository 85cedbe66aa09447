//! Compiled templates by source, so that each is compiled once.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::{Template, TemplateFault};

type Compiled = Result<Arc<Template>, TemplateFault>;

/// Compiled templates by source, so that each is compiled once.
#[derive(Default)]
pub struct Templates {
    strings: RwLock<HashMap<Arc<str>, Compiled>>,
}

impl Templates {
    /// The compiled form of a string of a document.
    pub fn string(&self, source: &Arc<str>) -> Compiled {
        let known = self.strings.read().unwrap_or_else(PoisonError::into_inner).get(source).cloned();
        known.unwrap_or_else(|| {
            let compiled = Template::compile(source).map(Arc::new);
            let mut strings = self.strings.write().unwrap_or_else(PoisonError::into_inner);
            strings.entry(source.clone()).or_insert(compiled).clone()
        })
    }
}
