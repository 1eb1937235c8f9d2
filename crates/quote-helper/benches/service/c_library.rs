//! The overhead of `libsgx_quote_ex.so.1` over the Rust client, per round trip.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use aesm::{Client, Request};
use anyhow::{Context, ensure};
use quoting::SGX_AESM_ADDR;
use sgx::IntoBytes;
use tempfile::TempDir;

use crate::figures::medians_of;
use crate::quote_service::SOFTWARE;
use crate::setup::Setup;
use crate::table::{Figure, Row, Table};

const BATCHES: usize = 20;
const CALLS: u32 = 1_000;

/// The size of the buffer that the library requests a quote with, in bytes.
const BUFFER_SIZE: u32 = 8 * 1024;

pub(crate) fn measure(table: &mut Table) -> anyhow::Result<()> {
    let setup = Setup::start(SOFTWARE)?;
    let client = Client::new(setup.service.socket());
    let request = setup.quote.as_request_into(BUFFER_SIZE);
    let mut program = Program::start(&setup)?;
    let [library, rust] =
        medians_of(BATCHES, || Ok([program.round_trip()?, round_trip(&client, &request)?]))?;
    let row = Row::new("sgx_get_quote_ex, one thread", Figure::Time(library));
    table.add(row.compared_with("Rust client", Figure::Time(rust)));
    let more = Figure::Time(library.saturating_sub(rust));
    let row = Row::new("sgx_get_quote_ex, more than the Rust client", more);
    table.add(row.promised("at most 20 µs", 0.020));
    Ok(())
}

/// The average time of a round trip in a batch.
fn round_trip(client: &Client, request: &Request<'_>) -> anyhow::Result<Duration> {
    let begin = Instant::now();
    for _ in 0..CALLS {
        client.call(request)?;
    }
    Ok(begin.elapsed() / CALLS)
}

/// A running `round_trip.c`, killed on drop.
struct Program {
    process: Child,
    calls: ChildStdin,
    times: BufReader<ChildStdout>,
    _directory: TempDir,
}

impl Program {
    fn start(Setup { service, quote, .. }: &Setup) -> anyhow::Result<Self> {
        let directory = tempfile::tempdir()?;
        let report = directory.path().join("report.bin");
        std::fs::write(&report, quote.report().as_bytes())?;
        let mut process = Command::new(compile(directory.path())?)
            .arg(report)
            .env_clear()
            .env("LD_LIBRARY_PATH", directory.path())
            .env(SGX_AESM_ADDR, service.socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let calls = process.stdin.take().context("no standard input")?;
        let times = BufReader::new(process.stdout.take().context("no standard output")?);
        Ok(Self { process, calls, times, _directory: directory })
    }

    /// The same in C.
    fn round_trip(&mut self) -> anyhow::Result<Duration> {
        writeln!(self.calls, "{CALLS}")?;
        let mut nanoseconds = String::new();
        self.times.read_line(&mut nanoseconds)?;
        let nanoseconds = nanoseconds.trim().parse().context("the C program ended")?;
        Ok(Duration::from_nanos(nanoseconds))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Compiles the program into this directory, and links the library there under its soname.
fn compile(directory: &Path) -> anyhow::Result<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = directory.join("libsgx_quote_ex.so.1");
    symlink(build_library(package)?, &library)?;
    let program = directory.join("round_trip");
    let gcc = Command::new("gcc")
        .args(["-O2", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(package.join("../libsgx-quote-ex/include"))
        .arg(package.join("benches/service/round_trip.c"))
        .args([&library, Path::new("-o"), &program])
        .status()?;
    ensure!(gcc.success(), "gcc: {gcc}");
    Ok(program)
}

/// Builds the library in release mode, and returns its path.
fn build_library(directory: &Path) -> anyhow::Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--offline", "--profile=bench", "--package=libsgx-quote-ex"])
        .arg("--message-format=json")
        .current_dir(directory)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "cargo: {}", output.status);
    let messages = String::from_utf8(output.stdout)?;
    let path = messages.split('"').rfind(|text| text.ends_with("libsgx_quote_ex.so"));
    Ok(path.context("cargo does not say where the library is")?.into())
}
