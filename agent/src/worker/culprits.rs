//! Who made the drift that a run finds.

use super::Worker;
use crate::converge::Extent;
use crate::watch::{Culprits, Watch};

impl Worker {
    /// Before a run that looks for drift: takes up who touched what it looks at.
    pub(super) fn begin_blame(&mut self, extent: Extent<'_>) {
        let looked_at = match extent {
            Extent::All => None,
            Extent::Only(addresses) => Some(addresses),
        };
        let culprits = self.culprits().map(|culprits| culprits.take(looked_at)).unwrap_or_default();
        self.input.converger.set_culprits(culprits);
    }

    /// After it: what follows is made by nobody of them.
    pub(super) fn end_blame(&mut self) {
        self.culprits().into_iter().for_each(Culprits::rest);
        self.input.converger.set_culprits(std::collections::BTreeMap::new());
    }

    fn culprits(&self) -> Option<&Culprits> {
        self.watch.as_ref().and_then(Watch::culprits)
    }
}
