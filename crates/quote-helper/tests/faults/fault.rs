//! A fault, what is promised about it, and whether that holds.

use std::any::Any;
use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rustix::process::geteuid;

use crate::load::Load;
use crate::trouble::Trouble;

/// The documentation of all faults.
const DOCUMENTED: &str = include_str!("../../../../docs/service-faults.md");

/// Set where what this process mounts is nobody else's.
const OWN_MOUNTS: &str = "OWN_MOUNTS";

/// Something that goes wrong around the service.
pub(crate) struct Fault {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    /// Errors that applications get meanwhile; none if they get each quote.
    pub(crate) troubles: &'static [Trouble],
    /// A remark on these errors.
    pub(crate) note: &'static str,
    /// The log line; empty if there is none.
    pub(crate) log: &'static str,
    /// The remedy, and the state afterwards.
    pub(crate) afterwards: &'static str,
    pub(crate) happen: fn() -> Outcome,
}

/// Without what a test cannot bring the fault about.
#[derive(Clone, Copy)]
pub(crate) enum Needs {
    Nothing,
    /// To mount file systems that nobody else sees.
    Mounts,
    /// To put processes into groups with a limit on memory.
    MemoryGroups,
}

/// The outcome of a fault.
pub(crate) struct Outcome {
    pub(crate) load: Load,
    pub(crate) log: String,
}

/// Has each of them happen that can be brought about here, and tells all that is not as promised.
#[track_caller]
pub(crate) fn check(faults: &[Fault]) {
    let broken: Vec<_> = faults.iter().filter_map(|fault| fault.check().err()).collect();
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

impl Fault {
    /// One that needs nothing, during which applications get each quote.
    pub(crate) fn new(
        name: &'static str,
        log: &'static str,
        afterwards: &'static str,
        happen: fn() -> Outcome,
    ) -> Self {
        Self { name, needs: Needs::Nothing, troubles: &[], note: "", log, afterwards, happen }
    }

    fn check(&self) -> Result<(), String> {
        if let Err(missing) = self.needs.are_met() {
            // Past the capture of the test harness.
            let skipped = format!("SKIPPED: {} needs {missing}\n", self.name);
            io::stderr().write_all(skipped.as_bytes()).unwrap();
            return Ok(());
        }
        let outcome = catch_unwind(AssertUnwindSafe(self.happen));
        let Outcome { load, log } = outcome.map_err(|panic| self.broken(&message(&*panic)))?;
        let troubles = load.troubles();
        println!("{self}\n    {} quotes, {} failed", load.quotes(), load.failures());
        if troubles != self.troubles {
            return Err(self.broken(&format!("applications got {troubles:?}; the log:\n{log}")));
        }
        if !log.contains(self.log) {
            return Err(self.broken(&format!("the log does not say \"{}\":\n{log}", self.log)));
        }
        if !DOCUMENTED.contains(&self.to_string()) {
            return Err(self.broken(&format!("docs/service-faults.md lacks\n{self}")));
        }
        Ok(())
    }

    fn broken(&self, what: &str) -> String {
        format!("{}: {what}", self.name)
    }
}

/// As a row of the documentation.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let troubles: Vec<_> = self.troubles.iter().map(ToString::to_string).collect();
        let seen = if troubles.is_empty() { "every quote".to_owned() } else { troubles.join(", ") };
        let log = if self.log.is_empty() { "–".to_owned() } else { format!("`{}`", self.log) };
        write!(f, "| {} | {seen}{} | {log} | {} |", self.name, self.note, self.afterwards)
    }
}

impl Needs {
    /// Or what is missing.
    fn are_met(self) -> Result<(), &'static str> {
        let met = match self {
            Self::Nothing => true,
            Self::Mounts => geteuid().is_root() && std::env::var_os(OWN_MOUNTS).is_some(),
            Self::MemoryGroups => geteuid().is_root() && crate::memory_group::Group::is_possible(),
        };
        let missing = match self {
            Self::Nothing | Self::Mounts => "root, and mounts of its own (`just faults`)",
            Self::MemoryGroups => "root, and control groups with a limit on memory",
        };
        if met { Ok(()) } else { Err(missing) }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}
