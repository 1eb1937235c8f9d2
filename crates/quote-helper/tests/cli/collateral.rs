//! `collateral fetch|list|export|import|status`.

mod bundle;
mod expiry;
mod fetch;
mod proxy;
mod status;
mod trouble;

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Machine, RunResult, SERVE, Serve};

/// The items that a verifier needs, the PCK certificate included.
const ITEMS: usize = 5;

/// A machine with a service of a software platform's collateral, its root in `root.pem`, and a
/// quote with an encrypted PPID in `q.bin`.
struct Site {
    machine: Machine,
    serve: Serve,
    flags: String,
}

impl Site {
    fn new() -> Self {
        let machine = Machine::new();
        let line = format!("{SERVE} --certification-data encrypted-ppid");
        let serve = Serve::start(&mut machine.command(&line));
        machine.succeed("platform root --state-dir state --out root.pem");
        machine.quote("01");
        let flags = format!("--cache-dir cache --trusted-root root.pem --source {}", serve.pccs());
        Self { machine, serve, flags }
    }

    /// The same, with the collateral of the quote in `cache`.
    fn fetched() -> Self {
        let site = Self::new();
        site.run("fetch --quote q.bin").with_code(0);
        site
    }

    /// Runs `collateral` and this, with the cache and the source.
    fn run(&self, line: &str) -> RunResult {
        RunResult::of(&mut self.command(line))
    }

    fn command(&self, line: &str) -> std::process::Command {
        let mut command = self.machine.command(&format!("collateral {line} {}", self.flags));
        command.env("QUOTE_HELPER_COLLATERAL_RETRIES", "0");
        command
    }

    /// Runs `collateral` and this where there is no source, with a cache in this directory.
    fn offline(&self, line: &str, cache: &str) -> RunResult {
        let line = format!("collateral {line} --cache-dir {cache} --trusted-root root.pem");
        let mut command = self.machine.command(&line);
        RunResult::of(command.env("QUOTE_HELPER_COLLATERAL_LOCAL_ONLY", "true"))
    }

    fn tcb(&self, change: &str) -> Value {
        let line = format!("platform tcb {change} --state-dir state --output json");
        self.machine.succeed(&line).json()
    }

    /// The output of `collateral list` for this directory.
    fn list(&self, cache: &str) -> Value {
        self.offline("list --output json", cache).with_code(0).json()
    }

    /// The file of the item that begins with this.
    fn file(&self, item: &str) -> PathBuf {
        let entries = std::fs::read_dir(self.machine.path("cache")).unwrap();
        let mut paths = entries.map(|entry| entry.unwrap().path());
        let is_it = |path: &PathBuf| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(item) && name.ends_with(".json")
        };
        paths.find(is_it).unwrap_or_else(|| panic!("{item} is not cached"))
    }

    /// The kind of platform, as flags.
    fn platform(&self) -> String {
        let shown = self.machine.succeed("platform show --state-dir state --output json").json();
        format!("--fmspc {} --ca platform", shown["fmspc"].as_str().unwrap())
    }
}

/// The outcomes of `collateral fetch`, and of `collateral import`.
fn outcomes(items: &Value) -> Vec<&str> {
    let items = items.as_array().unwrap().iter();
    items.map(|item| item["outcome"].as_str().unwrap()).collect()
}
