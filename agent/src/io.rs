//! Everything outside the managed host: files of the agent's own, the kernel's view of the machine, the network.

pub mod facts;
pub mod netlink;
