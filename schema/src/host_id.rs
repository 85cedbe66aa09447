//! Host ids.

crate::name::name_type! {
    /// The id of a host: the stem of its file, unique in the fleet.
    HostId
}
