//! Relative relocations are packed: the table of a position-independent program is read whole at start, and stays in
//! the memory of a daemon for ever. Linkers that do not know the option leave it out.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
}
