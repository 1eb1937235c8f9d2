//! Origin of the sources.

use std::fmt;
use std::path::PathBuf;

/// The place where the sources are set. Its [`Display`](fmt::Display) form is a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flags,
    /// These environment variables.
    Variables(Vec<String>),
    /// This file.
    File(PathBuf),
    /// None: they are the default.
    Machine {
        /// The default of virtual machines in Azure.
        azure: bool,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flags => f.write_str("the command line says so"),
            Self::Variables(names) => match names.as_slice() {
                [name] => write!(f, "the variable {name} says so"),
                names => write!(f, "the variables {} say so", names.join(", ")),
            },
            Self::File(path) => write!(f, "{} says so", path.display()),
            Self::Machine { azure: true } => {
                f.write_str("this machine is in Azure, and no settings say otherwise")
            }
            Self::Machine { azure: false } => f.write_str("no settings say otherwise"),
        }
    }
}
