//! A host in memory, for properties that need thousands of hosts, and for crashes between any two changes.

#![allow(clippy::unwrap_used)]

use super::{
    Fetch, FetchError, FileKind, FileWrite, HostError, HostPath, HostRead, HostWrite, Meta, NewAttributes, NewXattr,
    Notes, Prepared, Program, ProgramOutput, Reader, Scope, candidate_name, is_candidate,
};
use crate::test_crash::point;
use muster_schema::content::BlobRef;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One entry of the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) what: What,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) xattrs: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    File(Vec<u8>),
    Directory,
    Link(String),
}

pub(crate) type Tree = BTreeMap<String, Node>;

/// What programs do on a host. All that they know of it is in the tree.
pub(crate) type Programs = fn(&mut Tree, &Program) -> ProgramOutput;

/// Clones are the same host.
#[derive(Clone)]
pub(crate) struct FakeHost {
    inner: Arc<Mutex<Inner>>,
    programs: Programs,
    notes: Option<Arc<Notes>>,
}

#[derive(Default)]
struct Inner {
    tree: Tree,
    /// What programs were run, each as one line.
    ran: Vec<String>,
    /// What there is elsewhere, by URL.
    served: BTreeMap<String, Vec<u8>>,
    next: u64,
}

impl Node {
    pub(crate) fn new(what: What, mode: u32) -> Node {
        Node { what, mode, uid: 0, gid: 0, xattrs: BTreeMap::new() }
    }

    fn put_xattrs(&mut self, new: &[NewXattr]) {
        for one in new {
            match &one.value {
                Some(value) => drop(self.xattrs.insert(one.name.clone(), value.clone())),
                None => drop(self.xattrs.remove(&one.name)),
            }
        }
    }

    fn kind(&self) -> FileKind {
        match self.what {
            What::File(_) => FileKind::File,
            What::Directory => FileKind::Directory,
            What::Link(_) => FileKind::Link,
        }
    }
}

impl FakeHost {
    pub(crate) fn new(tree: Tree) -> FakeHost {
        let inner = Arc::new(Mutex::new(Inner { tree, ..Inner::default() }));
        FakeHost { inner, programs: |_, _| ProgramOutput::default(), notes: None }
    }

    pub(crate) fn with_programs(self, programs: Programs) -> FakeHost {
        FakeHost { programs, ..self }
    }

    pub(crate) fn with_notes(self, notes: Notes) -> FakeHost {
        FakeHost { notes: Some(Arc::new(notes)), ..self }
    }

    pub(crate) fn tree(&self) -> Tree {
        self.lock().tree.clone()
    }

    /// All is as it was.
    pub(crate) fn reset(&self, tree: Tree) {
        self.lock().tree = tree;
    }

    /// Somebody else does this.
    pub(crate) fn set(&self, path: &str, node: Node) {
        self.lock().tree.insert(path.to_owned(), node);
    }

    /// Somebody else serves this.
    pub(crate) fn serve(&self, url: &str, content: &[u8]) {
        self.lock().served.insert(url.to_owned(), content.to_vec());
    }

    pub(crate) fn ran(&self) -> Vec<String> {
        self.lock().ran.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn check_parent(&self, path: &HostPath) -> Result<(), HostError> {
        let parent = path.parent().unwrap();
        match self.tree.get(parent.as_str()).map(Node::kind) {
            Some(FileKind::Directory) => Ok(()),
            _ => Err(io_error(ErrorKind::NotFound, &parent)),
        }
    }

    fn expect(&self, path: &HostPath, expected: FileKind) -> Result<&Node, HostError> {
        match self.tree.get(path.as_str()) {
            Some(node) if node.kind() == expected => Ok(node),
            Some(node) => Err(HostError::Kind { path: path.to_string(), expected, found: node.kind() }),
            None => Err(io_error(ErrorKind::NotFound, path)),
        }
    }
}

fn io_error(kind: ErrorKind, path: &HostPath) -> HostError {
    HostError::io("touch", path, std::io::Error::from(kind))
}

impl HostRead for FakeHost {
    fn scope(&self) -> Scope {
        Scope { sandbox: false, owners: true }
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(FakeReader(self))
    }

    fn notes(&self) -> Option<&Notes> {
        self.notes.as_deref()
    }

    /// A program that is to look only changes a copy, and is caught at it.
    fn query(&self, program: &Program) -> Result<ProgramOutput, HostError> {
        let found = self.tree();
        let mut tree = found.clone();
        let output = (self.programs)(&mut tree, program);
        assert!(tree == found, "{:?} was to look only", program.argv);
        Ok(output)
    }
}

struct FakeReader<'h>(&'h FakeHost);

impl Reader for FakeReader<'_> {
    fn meta(&mut self, path: &HostPath) -> Result<Option<Meta>, HostError> {
        let inner = self.0.lock();
        let meta = inner.tree.get(path.as_str()).map(|node| Meta {
            kind: node.kind(),
            mode: node.mode,
            uid: node.uid,
            gid: node.gid,
            size: if let What::File(content) = &node.what { content.len() as u64 } else { 0 },
            names: 1,
        });
        Ok(meta)
    }

    fn digest(&mut self, path: &HostPath) -> Result<Option<(Meta, Option<BlobRef>)>, HostError> {
        let Some(meta) = self.meta(path)? else { return Ok(None) };
        let content = match &self.0.lock().tree[path.as_str()].what {
            What::File(content) => Some(BlobRef::of(content)),
            _ => None,
        };
        Ok(Some((meta, content)))
    }

    fn copy(&mut self, path: &HostPath, to: &mut dyn Write) -> Result<BlobRef, HostError> {
        let node = self.0.lock().expect(path, FileKind::File)?.clone();
        let What::File(content) = node.what else { unreachable!() };
        to.write_all(&content).unwrap();
        Ok(BlobRef::of(&content))
    }

    fn link_target(&mut self, path: &HostPath) -> Result<String, HostError> {
        match &self.0.lock().expect(path, FileKind::Link)?.what {
            What::Link(target) => Ok(target.clone()),
            _ => unreachable!(),
        }
    }

    fn xattr(&mut self, path: &HostPath, name: &str) -> Result<Option<Vec<u8>>, HostError> {
        let inner = self.0.lock();
        let node = inner.tree.get(path.as_str()).ok_or_else(|| io_error(ErrorKind::NotFound, path))?;
        Ok(node.xattrs.get(name).cloned())
    }

    fn is_mount_point(&mut self, _: &HostPath) -> Result<bool, HostError> {
        Ok(false)
    }

    fn list(&mut self, path: &HostPath) -> Result<Vec<String>, HostError> {
        let prefix = format!("{}/", path.as_str().trim_end_matches('/'));
        let inner = self.0.lock();
        let names = inner.tree.keys().filter_map(|other| other.strip_prefix(&prefix));
        Ok(names.filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_owned).collect())
    }
}

impl HostWrite for FakeHost {
    fn prepare(&self, mut write: FileWrite<'_>) -> Result<Prepared, HostError> {
        point();
        let mut content = Vec::new();
        write.content.read_to_end(&mut content).unwrap();
        let mut inner = self.lock();
        inner.check_parent(&write.path)?;
        let old = inner.tree.get(write.path.as_str()).cloned();
        if let Some(old) = old.as_ref().filter(|old| old.what == What::Directory) {
            let (path, expected) = (write.path.to_string(), FileKind::File);
            return Err(HostError::Kind { path, expected, found: old.kind() });
        }
        let old = old.filter(|old| old.kind() == FileKind::File);
        let new = write.new;
        let mut node = Node {
            what: What::File(content),
            mode: new.mode.or(old.as_ref().map(|old| old.mode)).unwrap_or(0o644),
            uid: new.uid.or(old.as_ref().map(|old| old.uid)).unwrap_or(0),
            gid: new.gid.or(old.as_ref().map(|old| old.gid)).unwrap_or(0),
            xattrs: old.map(|old| old.xattrs).unwrap_or_default(),
        };
        node.put_xattrs(&write.xattrs);
        inner.next += 1;
        let candidate = write.path.parent().unwrap().join(&candidate_name(inner.next)).unwrap();
        inner.tree.insert(candidate.to_string(), node);
        Ok(Prepared { target: write.path, candidate, backup: write.backup })
    }

    fn commit(&self, prepared: Vec<Prepared>) -> Vec<Result<(), HostError>> {
        let swap = |one: Prepared| {
            point();
            let mut inner = self.lock();
            let node = inner.tree.remove(one.candidate.as_str()).unwrap();
            if let Some(old) = inner.tree.get(one.target.as_str()).filter(|_| one.backup).cloned() {
                inner.tree.insert(format!("{}~", one.target), old);
            }
            inner.tree.insert(one.target.to_string(), node);
            Ok(())
        };
        let results = prepared.into_iter().map(swap).collect();
        point();
        results
    }

    fn discard(&self, prepared: Prepared) {
        self.lock().tree.remove(prepared.candidate.as_str());
    }

    fn set_attributes(&self, path: &HostPath, new: &NewAttributes) -> Result<(), HostError> {
        point();
        let mut inner = self.lock();
        let node = inner.tree.get_mut(path.as_str()).ok_or_else(|| io_error(ErrorKind::NotFound, path))?;
        node.mode = new.mode.unwrap_or(node.mode);
        node.uid = new.uid.unwrap_or(node.uid);
        node.gid = new.gid.unwrap_or(node.gid);
        Ok(())
    }

    fn set_attributes_below(&self, top: &HostPath, new: &[(String, NewAttributes)]) -> Result<(), HostError> {
        for (relative, new) in new {
            let path = HostPath::new(&format!("{top}/{relative}")).unwrap();
            let kind = self.reader().meta(&path)?.map(|meta| meta.kind);
            if matches!(kind, Some(FileKind::File | FileKind::Directory)) {
                self.set_attributes(&path, new)?;
            }
        }
        Ok(())
    }

    fn set_xattrs(&self, path: &HostPath, new: &[NewXattr]) -> Result<(), HostError> {
        point();
        let mut inner = self.lock();
        let node = inner.tree.get_mut(path.as_str()).ok_or_else(|| io_error(ErrorKind::NotFound, path))?;
        node.put_xattrs(new);
        Ok(())
    }

    fn make_directory(&self, path: &HostPath, new: &NewAttributes) -> Result<(), HostError> {
        point();
        let mut inner = self.lock();
        inner.check_parent(path)?;
        if inner.tree.contains_key(path.as_str()) {
            return Err(io_error(ErrorKind::AlreadyExists, path));
        }
        let (uid, gid) = (new.uid.unwrap_or(0), new.gid.unwrap_or(0));
        let node = Node { uid, gid, ..Node::new(What::Directory, new.mode.unwrap_or(0o700)) };
        inner.tree.insert(path.to_string(), node);
        Ok(())
    }

    fn make_link(&self, path: &HostPath, target: &str) -> Result<(), HostError> {
        point();
        let mut inner = self.lock();
        inner.check_parent(path)?;
        if let Some(old) = inner.tree.get(path.as_str()).filter(|old| old.what == What::Directory) {
            let (path, expected) = (path.to_string(), FileKind::Link);
            return Err(HostError::Kind { path, expected, found: old.kind() });
        }
        inner.tree.insert(path.to_string(), Node::new(What::Link(target.to_owned()), 0o777));
        Ok(())
    }

    fn remove(&self, path: &HostPath, kind: FileKind) -> Result<(), HostError> {
        point();
        let mut inner = self.lock();
        if !inner.tree.contains_key(path.as_str()) {
            return Ok(());
        }
        inner.expect(path, kind)?;
        let below = format!("{path}/");
        if inner.tree.keys().any(|other| other.starts_with(&below)) {
            return Err(HostError::NotEmpty(path.to_string()));
        }
        inner.tree.remove(path.as_str());
        Ok(())
    }

    fn remove_candidates(&self, folder: &HostPath) -> Result<(), HostError> {
        let start = format!("{}/", folder.as_str().trim_end_matches('/'));
        let is_left = |path: &String| path.strip_prefix(&start).is_some_and(|n| !n.contains('/') && is_candidate(n));
        self.lock().tree.retain(|path, _| !is_left(path));
        Ok(())
    }

    fn fetch(&self, fetch: &Fetch<'_>) -> Result<Box<dyn Read>, FetchError> {
        let content = self.lock().served.get(fetch.url).cloned();
        let content = content.ok_or_else(|| FetchError::Status { from: fetch.url.to_owned(), status: 404 })?;
        Ok(Box::new(std::io::Cursor::new(content)))
    }

    fn set_parameter(&self, path: &HostPath, value: &str) -> Result<(), HostError> {
        point();
        let mut inner = self.lock();
        let node = inner.tree.get_mut(path.as_str()).ok_or_else(|| io_error(ErrorKind::NotFound, path))?;
        node.what = What::File(format!("{value}\n").into_bytes());
        Ok(())
    }

    fn set_host_name(&self, name: &str) -> Result<(), HostError> {
        self.set_parameter(&HostPath::new("/proc/sys/kernel/hostname").unwrap(), name)
    }

    fn run(&self, program: &Program) -> Result<ProgramOutput, HostError> {
        point();
        let output = {
            let mut inner = self.lock();
            inner.ran.push(program.argv.join(" "));
            (self.programs)(&mut inner.tree, program)
        };
        point();
        Ok(output)
    }

    fn as_read(&self) -> &dyn HostRead {
        self
    }
}
