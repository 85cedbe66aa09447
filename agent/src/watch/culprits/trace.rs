//! What is remembered of who touched a path.

use crate::io::process::Process;
use muster_schema::Culprit;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// More paths are not remembered; then nothing is.
const MAX_PATHS: usize = 1024;

/// Who touched a path last.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// Counts up.
    number: u64,
    pid: Option<u32>,
    process: Option<Box<Process>>,
    others: bool,
}

impl Trace {
    /// The later of both, of one thing that has several paths.
    pub(super) fn join(&mut self, other: &Trace) {
        let others = self.others || other.others || self.pid != other.pid;
        if other.number > self.number {
            *self = other.clone();
        }
        self.others = others;
    }

    /// What is told of it, with names for user ids; nothing where nothing is known.
    pub(super) fn into_culprit(self, name_of: impl Fn(u32) -> Option<String>) -> Option<Culprit> {
        let pid = Some(self.pid?);
        let Some(process) = self.process else {
            return Some(Culprit { pid, others: self.others, ..Culprit::default() });
        };
        let Process { pid: _, name, program, uid, login_uid, session, unit, is_ours: _ } = *process;
        Some(Culprit {
            pid,
            name,
            program,
            uid,
            user: uid.and_then(&name_of),
            login_uid,
            login: login_uid.and_then(&name_of),
            session,
            unit,
            others: self.others,
        })
    }
}

/// Who touched which path last, until it is looked at.
#[derive(Debug, Default)]
pub(super) struct Traces {
    by_path: HashMap<PathBuf, Trace>,
    number: u64,
}

impl Traces {
    /// Somebody touched a path.
    pub(super) fn note(&mut self, path: PathBuf, pid: Option<u32>, process: Option<Process>) {
        if self.by_path.len() >= MAX_PATHS && !self.by_path.contains_key(&path) {
            self.forget();
        }
        self.number += 1;
        let mut trace = Trace { number: self.number, pid, process: process.map(Box::new), others: false };
        if let Some(before) = self.by_path.get_mut(&path) {
            // What was seen of a process while it was there still counts when it has ended.
            if before.pid == pid && trace.process.is_none() {
                trace.process = before.process.take();
            }
            trace.others = before.others || before.pid != pid;
        }
        self.by_path.insert(path, trace);
    }

    /// Takes those that are looked at.
    pub(super) fn take(&mut self, is_looked_at: impl Fn(&Path) -> bool) -> Vec<(PathBuf, Trace)> {
        let looked_at: Vec<PathBuf> = self.by_path.keys().filter(|path| is_looked_at(path)).cloned().collect();
        looked_at.into_iter().filter_map(|path| self.by_path.remove_entry(&path)).collect()
    }

    /// Nothing is known.
    pub(super) fn forget(&mut self) {
        self.by_path = HashMap::new();
    }
}
