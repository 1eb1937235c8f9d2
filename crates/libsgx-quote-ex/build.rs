//! Linker options for the shared library that C programs expect: its soname, libc as all it needs,
//! that it can be closed at any time, and that no symbol of theirs gets into it. The soname follows
//! from the package's name.

use std::path::PathBuf;
use std::{env, fs, io};

/// Stands in for `libgcc_s.so`, which the Rust standard library asks for: the linker takes the same
/// unwinder from gcc's static library instead, so that no `libgcc_s.so.1` is needed at run time.
const STATIC_UNWINDER: &str = "INPUT(-lgcc_eh -lgcc)\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=../libsgx-quote-ex/build.rs");
    let name = variable("CARGO_PKG_NAME")?.replace('-', "_");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{name}.so.1");
    // Threads that have quoted run code of the library when they end (the crypto library cleans up
    // after them), so it stays in memory after `dlclose`.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // The crypto library calls functions of the program to allocate and to free what may be secret,
    // if there are some of these names (OPENSSL_memory_alloc). What is not found when this library
    // is linked is nowhere.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodynamic-undefined-weak");
    let directory = PathBuf::from(variable("OUT_DIR")?);
    fs::write(directory.join("libgcc_s.so"), STATIC_UNWINDER)?;
    println!("cargo::rustc-link-search=native={}", directory.display());
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}
