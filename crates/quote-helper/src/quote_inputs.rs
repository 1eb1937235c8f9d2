//! The inputs of commands that read quotes: files, or the lines of files.

use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;

use crate::files;

/// The longest line, in bytes: the largest text that `evidence` reads.
const MAX_LINE: u64 = 1024 * 1024;

/// The files, and the unit of input.
#[derive(Debug, Args)]
pub(crate) struct QuoteInputs {
    /// The files with quotes (`-`: standard input): binary, hexadecimal, base64, PEM, JSON, RA-TLS
    /// certificate or Open Enclave report.
    ///
    /// With several files, the result of each is one line. An unusable file is a result, too, and
    /// the other files are processed.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,

    /// Reads each line of the files as a quote of its own, as hexadecimal, base64 or JSON: for
    /// instance JSON Lines on standard input.
    #[arg(long)]
    lines: bool,
}

pub(crate) struct QuoteInput {
    pub(crate) name: InputName,
    /// The contents, or the read error.
    pub(crate) bytes: anyhow::Result<Vec<u8>>,
}

/// The name of an input. In messages `FILE` or `FILE:LINE`.
#[derive(Debug, Clone)]
pub(crate) struct InputName {
    /// As on the command line.
    pub(crate) file: String,
    /// Counted from 1; `None` for a whole file.
    pub(crate) line: Option<u64>,
}

impl fmt::Display for InputName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}", self.file),
            None => files::Input(Path::new(&self.file)).fmt(f),
        }
    }
}

impl QuoteInputs {
    /// True if there may be several inputs, each with a result of one line.
    pub(crate) fn is_batch(&self) -> bool {
        self.lines || self.files.len() > 1
    }

    /// The inputs in order, one at a time in memory, without empty lines.
    pub(crate) fn each(&self) -> impl Iterator<Item = QuoteInput> {
        self.files.iter().flat_map(|path| match self.lines {
            true => Box::new(Lines::open(path)) as Box<dyn Iterator<Item = QuoteInput>>,
            false => Box::new(std::iter::once(QuoteInput {
                name: InputName { file: path.display().to_string(), line: None },
                bytes: files::read(path),
            })),
        })
    }
}

struct Lines {
    file: String,
    /// `None` after the end, and after an error.
    from: Option<BufReader<Box<dyn Read>>>,
    error: Option<anyhow::Error>,
    number: u64,
}

impl Lines {
    fn open(path: &Path) -> Self {
        let (from, error) = match files::open(path) {
            Ok(from) => (Some(BufReader::new(from)), None),
            Err(error) => (None, Some(error)),
        };
        Self { file: path.display().to_string(), from, error, number: 0 }
    }

    /// The next line, or the error of this line; `None` after the last one.
    fn read(&mut self) -> Option<anyhow::Result<Vec<u8>>> {
        let from = self.from.as_mut()?;
        let mut line = Vec::new();
        let read = from.take(MAX_LINE.saturating_add(1)).read_until(b'\n', &mut line);
        let read = read.and_then(|_| match line.len() as u64 > MAX_LINE {
            true => from.skip_until(b'\n').map(|_| None),
            false => Ok(Some(line)),
        });
        match read {
            Ok(Some(line)) if line.is_empty() => {
                self.from = None;
                None
            }
            Ok(Some(line)) => Some(Ok(line)),
            Ok(None) => Some(Err(anyhow!("the line has more than {MAX_LINE} bytes"))),
            Err(error) => {
                self.from = None;
                Some(Err(error).with_context(|| format!("cannot read {}", self.file)))
            }
        }
    }
}

impl Iterator for Lines {
    type Item = QuoteInput;

    fn next(&mut self) -> Option<QuoteInput> {
        let name = |line| InputName { file: self.file.clone(), line };
        if let Some(error) = self.error.take() {
            return Some(QuoteInput { name: name(None), bytes: Err(error) });
        }
        loop {
            let bytes = self.read()?;
            self.number = self.number.saturating_add(1);
            if bytes.as_ref().is_ok_and(|line| line.trim_ascii().is_empty()) {
                continue;
            }
            let name = InputName { file: self.file.clone(), line: Some(self.number) };
            return Some(QuoteInput { name, bytes });
        }
    }
}
