//! One look at the host.

use crate::host::{Accounts, HostError, HostRead, Reader};
use crate::plan::Target;
use muster_schema::Collection;
use muster_schema::resource::Resource;
use std::any::{Any, TypeId};
use std::cell::{RefCell, RefMut};
use std::collections::HashMap;
use std::rc::Rc;

/// Collections that are read by name, and better all at once.
const READ_TOGETHER: [Collection; 4] =
    [Collection::Packages, Collection::Services, Collection::Timers, Collection::Containers];

/// One pass of reading. What many resources need, such as the package database, is read once and kept for the pass;
/// nothing here can write.
pub struct View<'h> {
    host: &'h dyn HostRead,
    reader: RefCell<Box<dyn Reader + 'h>>,
    kept: RefCell<HashMap<TypeId, Rc<dyn Any>>>,
    ids: HashMap<Collection, Vec<String>>,
    targets: Option<&'h [Target]>,
}

impl<'h> View<'h> {
    /// Begins a pass.
    pub fn new(host: &'h dyn HostRead) -> View<'h> {
        View { host, reader: RefCell::new(host.reader()), kept: RefCell::default(), ids: HashMap::new(), targets: None }
    }

    /// The same pass, told which resources it is about, so that what is read together can be.
    #[must_use]
    pub fn about<'r>(mut self, resources: impl IntoIterator<Item = &'r Resource>) -> View<'h> {
        for resource in resources.into_iter().filter(|resource| READ_TOGETHER.contains(&resource.address.collection()))
        {
            let address = &resource.address;
            self.ids.entry(address.collection()).or_default().push(address.id().to_owned());
        }
        self
    }

    /// The same pass, told all that is managed on the host.
    #[must_use]
    pub fn within(self, targets: &'h [Target]) -> View<'h> {
        View { targets: Some(targets), ..self }
    }

    /// All that is managed on the host, if that was told.
    pub fn targets(&self) -> Option<&'h [Target]> {
        self.targets
    }

    /// The ids of a collection that this pass is about, as far as that was told.
    pub fn ids(&self, collection: Collection) -> &[String] {
        self.ids.get(&collection).map_or(&[], Vec::as_slice)
    }

    /// The host.
    pub fn host(&self) -> &'h dyn HostRead {
        self.host
    }

    /// The reader of this pass. Give it back before something else reads.
    pub fn reader(&self) -> RefMut<'_, Box<dyn Reader + 'h>> {
        self.reader.borrow_mut()
    }

    /// What `load` gives, loaded at the first use in this pass. One value of a type is kept.
    ///
    /// # Errors
    /// Those of `load`; then nothing is kept.
    pub fn once<T: Any, E>(&self, load: impl FnOnce(&View<'h>) -> Result<T, E>) -> Result<Rc<T>, E> {
        let known = self.kept.borrow().get(&TypeId::of::<T>()).cloned();
        if let Some(known) = known.and_then(|known| known.downcast::<T>().ok()) {
            return Ok(known);
        }
        let loaded = Rc::new(load(self)?);
        self.kept.borrow_mut().insert(TypeId::of::<T>(), loaded.clone());
        Ok(loaded)
    }

    /// Names and numbers of accounts.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn accounts(&self) -> Result<Rc<Accounts>, HostError> {
        self.once(|view| Accounts::load(view.reader().as_mut()))
    }
}
