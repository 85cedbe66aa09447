//! How soon an event is to be looked at.

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};

/// When to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hurry {
    /// The change is complete.
    Now,
    /// Somebody is still writing: the close that follows is the better moment, if it comes.
    Soon,
    /// It was only read.
    Never,
    /// Events were lost: look at everything.
    Everything,
}

/// When to look after an event.
pub fn hurry_of(event: &notify::Event) -> Hurry {
    if event.need_rescan() {
        return Hurry::Everything;
    }
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => Hurry::Now,
        EventKind::Access(_) => Hurry::Never,
        EventKind::Modify(ModifyKind::Data(_) | ModifyKind::Any) => Hurry::Soon,
        EventKind::Modify(_) | EventKind::Create(_) | EventKind::Remove(_) => Hurry::Now,
        EventKind::Any | EventKind::Other => Hurry::Soon,
    }
}
