//! Linker options of the shared library: its soname, which follows from the package's name; no
//! dependency but libc; safe to close at any time; no use of the program's symbols.

use std::path::PathBuf;
use std::{env, fs, io};

/// Replaces `libgcc_s.so`, to which the Rust standard library links, by gcc's static library with
/// the same unwinder, so that no `libgcc_s.so.1` is needed at run time.
const STATIC_UNWINDER: &str = "INPUT(-lgcc_eh -lgcc)\n";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=../libsgx-quote-ex/build.rs");
    let name = variable("CARGO_PKG_NAME")?.replace('-', "_");
    println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,{name}.so.1");
    // Threads that have quoted run code of the library when they end (the crypto library cleans up
    // after them), so it stays in memory after `dlclose`.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    // The crypto library would allocate secrets with functions of the program, if it has some of
    // these names (OPENSSL_memory_alloc). Weak symbols are resolved now or never.
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodynamic-undefined-weak");
    let directory = PathBuf::from(variable("OUT_DIR")?);
    fs::write(directory.join("libgcc_s.so"), STATIC_UNWINDER)?;
    println!("cargo::rustc-link-search=native={}", directory.display());
    Ok(())
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}
