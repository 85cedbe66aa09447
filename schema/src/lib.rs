//! Data of muster and the laws on it.
