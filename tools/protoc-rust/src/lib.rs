//! Stands in for the published `protoc-rust`, which runs `protoc`.
//!
//! The tests use the published `aesm-client`, unmodified, whose build script generates its
//! protobuf code with `protoc-rust` and so needs `protoc` on the machine. This crate offers the
//! calls that the build script makes and forwards them to `protobuf-codegen-pure`: the same code
//! generator, behind a parser written in Rust. `[patch.crates-io]` in the workspace's `Cargo.toml`
//! puts it in place.

use std::io;
use std::path::Path;

/// Generates Rust code from a `.proto` file, without `protoc`.
#[derive(Default)]
pub struct Codegen(protobuf_codegen_pure::Codegen);

impl Codegen {
    /// A generator without input.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes the code into this directory.
    pub fn out_dir(&mut self, directory: impl AsRef<Path>) -> &mut Self {
        self.0.out_dir(directory);
        self
    }

    /// Reads this `.proto` file; its path is relative to the package that is built.
    pub fn input(&mut self, file: impl AsRef<Path>) -> &mut Self {
        self.0.include(".").input(file);
        self
    }

    /// Generates the code.
    ///
    /// # Errors
    /// When the `.proto` file cannot be read or parsed, or the code cannot be written.
    pub fn run(&self) -> io::Result<()> {
        self.0.run()
    }
}
