//! The committed C header says what the library exports.
//!
//! To write it anew after a change: `just headers`.

use std::collections::HashMap;
use std::path::Path;

use cbindgen::{Builder, Config, DocumentationLength, DocumentationStyle, ExportConfig, Language};

/// A header that cbindgen makes out of the functions of a crate.
pub struct Header<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its first lines, in a comment.
    pub about: &'a str,
    /// The types of the functions, in Rust and in C.
    pub types: &'a [(&'a str, &'a str)],
}

impl Header<'_> {
    /// Compares it to the committed one of the crate, or with `WRITE_HEADERS` set replaces that.
    pub fn is_up_to_date_in(&self, manifest_dir: &str) {
        let directory = Path::new(manifest_dir);
        let path = directory.join("include").join(self.name);
        let generated = self.generate(directory);
        if std::env::var_os("WRITE_HEADERS").is_some() {
            std::fs::write(&path, &generated).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == generated, "{} is old: run `just headers`", path.display());
    }

    fn generate(&self, directory: &Path) -> String {
        let bindings =
            Builder::new().with_src(directory.join("src/lib.rs")).with_config(self.config());
        let mut text = Vec::new();
        bindings.generate().unwrap().write(&mut text);
        without_safety(&String::from_utf8(text).unwrap())
    }

    fn config(&self) -> Config {
        let types = |(rust, c): &(&str, &str)| ((*rust).to_owned(), (*c).to_owned());
        let rename: HashMap<String, String> = self.types.iter().map(types).collect();
        let exclude = rename.keys().cloned().collect();
        let guard = format!("SGX_QUOTE_HELPER_{}", self.name.to_uppercase().replace('.', "_"));
        Config {
            language: Language::C,
            header: Some(format!("/*\n * {}\n */", self.about.trim().replace('\n', "\n * "))),
            include_guard: Some(guard),
            includes: vec!["sgx_quote_types.h".to_owned()],
            no_includes: true,
            cpp_compat: true,
            usize_is_size_t: true,
            documentation_style: DocumentationStyle::Doxy,
            documentation_length: DocumentationLength::Full,
            export: ExportConfig { rename, exclude, ..ExportConfig::default() },
            ..Config::default()
        }
    }
}

/// The header without the safety sections of Rust's documentation: in C, they say nothing new.
fn without_safety(header: &str) -> String {
    let mut kept = Vec::new();
    let mut in_safety = false;
    for line in header.lines() {
        in_safety = (in_safety || line == " * # Safety") && line != " */";
        if !in_safety {
            kept.push(line);
        } else if kept.last() == Some(&" *") {
            kept.pop();
        }
    }
    kept.join("\n") + "\n"
}
