//! Callers as processes of this program, each with a role and another user.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

use crate::cpu_time;
use crate::load::{Connections, load, load_while};
use crate::quote_service::QuoteRequest;

/// The variable that names the role of a process; its first argument is the socket.
const VARIABLE: &str = "ROLE";

/// Stalled requests of one caller.
pub(super) const STALLED_REQUESTS: usize = 10_000;

/// The interval at which closed connections are reopened.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Threads that send garbage, and connections that request quotes without end.
const GARBAGE_THREADS: usize = 4;
const GREEDY_CONNECTIONS: usize = 64;

/// The time for which the well-behaved caller is measured.
const MEASURED: Duration = Duration::from_secs(3);

/// The role of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    /// Requests one quote after the other, and reports the latencies.
    Caller,
    /// Begins thousands of requests at once, and never finishes them.
    Stalling,
    /// Repeatedly sends invalid requests.
    Garbage,
    /// Requests as many quotes as it can.
    Greedy,
}

/// The observations of a caller.
pub(super) struct Latencies {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Role {
    const ALL: [Self; 4] = [Self::Caller, Self::Stalling, Self::Garbage, Self::Greedy];

    /// The role of this process, if it has one.
    pub(crate) fn of_process() -> Option<Self> {
        let name = std::env::var(VARIABLE).ok()?;
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Plays this role; a hostile one forever.
    pub(crate) fn act(self) -> anyhow::Result<()> {
        let socket = std::env::args_os().nth(1).context("no socket")?;
        let socket = Path::new(&socket);
        match self {
            Self::Caller => measure_caller(socket),
            Self::Stalling => stall(socket),
            Self::Garbage => flood(socket),
            Self::Greedy => request_quotes(socket),
        }
    }

    /// Starts a process in this role.
    pub(super) fn play(self, program: &Path, socket: &Path) -> anyhow::Result<RoleProcess> {
        let mut process = Command::new(program)
            .arg(socket)
            .env_clear()
            .env(VARIABLE, self.name())
            .uid(self.user())
            .gid(self.user())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().context("no standard output")?;
        Ok(RoleProcess { process, stdout: BufReader::new(stdout) })
    }

    /// Runs the well-behaved caller to its end.
    pub(super) fn latencies(self, program: &Path, socket: &Path) -> anyhow::Result<Latencies> {
        let line = self.play(program, socket)?.line()?;
        let (p50, p99) = line.split_once(' ').context("the caller got no quotes")?;
        let [p50, p99] =
            [p50, p99].map(|nanoseconds| nanoseconds.parse().map(Duration::from_nanos));
        Ok(Latencies { p50: p50?, p99: p99? })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Caller => "caller",
            Self::Stalling => "stalling",
            Self::Garbage => "garbage",
            Self::Greedy => "greedy",
        }
    }

    /// The uid; each role has another one.
    fn user(self) -> u32 {
        match self {
            Self::Caller => 10_001,
            Self::Stalling => 10_002,
            Self::Garbage => 10_003,
            Self::Greedy => 10_004,
        }
    }
}

/// A process in a role, killed on drop.
pub(super) struct RoleProcess {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl RoleProcess {
    /// The next line of its output.
    pub(super) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    pub(super) fn cpu_time(&self) -> anyhow::Result<Duration> {
        cpu_time::of_process(Pid::from_child(&self.process))
    }
}

impl Drop for RoleProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One client with a connection for each quote, as Intel's and Fortanix's.
fn measure_caller(socket: &Path) -> anyhow::Result<()> {
    let quote = QuoteRequest::prepare_at(socket)?;
    let load = load(1, MEASURED, Connections::OneEach, socket, &quote.as_request())?;
    let [p50, p99] = [50, 99].map(|percent| load.latency(percent).as_nanos());
    println!("{p50} {p99}");
    Ok(())
}

/// Prints a line when all connections are open.
fn stall(socket: &Path) -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let mut stalled: Vec<Option<UnixStream>> = Vec::new();
    stalled.resize_with(STALLED_REQUESTS, || None);
    loop {
        let begin = Instant::now();
        for stream in &mut stalled {
            if !stream.as_ref().is_some_and(is_open) {
                *stream = begin_request(socket).ok();
            }
        }
        println!("{}", stalled.iter().flatten().count());
        thread::sleep(CHECK_INTERVAL.saturating_sub(begin.elapsed()));
    }
}

/// Sends half a request.
fn begin_request(socket: &Path) -> std::io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&[200, 0, 0, 0, 7, 7, 7])?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn is_open(mut stream: &UnixStream) -> bool {
    stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

fn flood(socket: &Path) -> anyhow::Result<()> {
    let send = || -> std::io::Result<()> {
        let mut stream = UnixStream::connect(socket)?;
        stream.write_all(&[0xa5; 64])?;
        // Until the service closes the connection.
        stream.read_to_end(&mut Vec::new()).map(drop)
    };
    thread::scope(|scope| {
        for _ in 0..GARBAGE_THREADS {
            scope.spawn(|| {
                loop {
                    let _ = send();
                }
            });
        }
    });
    Ok(())
}

/// Sends the next request after any reply or error.
fn request_quotes(socket: &Path) -> anyhow::Result<()> {
    let quote = QuoteRequest::prepare_at(socket)?;
    load_while(|| true, GREEDY_CONNECTIONS, Connections::OneEach, socket, &quote.as_request())
        .map(drop)
}
