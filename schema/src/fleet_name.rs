//! Fleet names.

crate::name::name_type! {
    /// The name of a fleet, as `muster.yaml` gives it; every signed document carries it.
    FleetName
}
