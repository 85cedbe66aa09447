//! Everything outside the managed host: files of the agent's own, the kernel's view of the machine, the network.

pub mod amqp;
pub mod api_client;
pub mod api_socket;
pub mod breakglass_folder;
pub mod child_lines;
pub mod clock;
pub mod facts;
pub mod fanotify;
pub mod host_keys;
pub mod http;
pub mod inotify;
pub mod live_facts;
pub mod memory;
pub mod messenger;
pub mod mounts;
pub mod netlink;
pub mod probe;
pub mod process;
pub mod status_file;
pub mod tls;
pub mod token_source;
pub mod transport;
