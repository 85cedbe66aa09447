//! RabbitMQ as its administrator reaches it, and the folder of what is set up there.

mod control;
mod setup_folder;

pub use control::{BrokerControl, ControlError};
pub use setup_folder::{SetupFolder, SetupFolderError};
