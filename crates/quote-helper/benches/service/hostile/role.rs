//! Callers in processes of their own, each another user: this program again, told what to play.

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

/// The variable that says what a process plays; its first argument is the socket.
const VARIABLE: &str = "ROLE";

/// Requests that were begun and do not go on, held by one caller.
pub(super) const STALLED: usize = 10_000;

/// The interval of checks of all connections, at which closed ones are opened again.
const ROUND: Duration = Duration::from_secs(2);

/// Threads that send garbage, and connections on which quotes are asked for without end.
const FLOOD: usize = 4;
const GREED: usize = 64;

/// For how long the caller that behaves is measured.
const MEASURED: Duration = Duration::from_secs(3);

/// The role of a process.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    /// Asks for one quote after the other, and tells how long they took.
    Caller,
    /// Begins requests, thousands at once.
    Stalling,
    /// Sends what is no request, again and again.
    Garbage,
    /// Asks for as many quotes as it can.
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

    /// Plays it; without end, if it is hostile.
    pub(crate) fn act(self) -> anyhow::Result<()> {
        let socket = std::env::args_os().nth(1).context("no socket")?;
        let socket = Path::new(&socket);
        match self {
            Self::Caller => behave(socket),
            Self::Stalling => stall(socket),
            Self::Garbage => flood(socket),
            Self::Greedy => be_greedy(socket),
        }
    }

    /// Starts a process that plays it.
    pub(super) fn play(self, program: &Path, socket: &Path) -> anyhow::Result<Playing> {
        let mut process = Command::new(program)
            .arg(socket)
            .env_clear()
            .env(VARIABLE, self.name())
            .uid(self.user())
            .gid(self.user())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = process.stdout.take().context("no standard output")?;
        Ok(Playing { process, stdout: BufReader::new(stdout) })
    }

    /// Plays the caller that behaves, to its end.
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

    /// Each is a user of its own.
    fn user(self) -> u32 {
        match self {
            Self::Caller => 10_001,
            Self::Stalling => 10_002,
            Self::Garbage => 10_003,
            Self::Greedy => 10_004,
        }
    }
}

/// A process that plays a role; killed when this is dropped.
pub(super) struct Playing {
    process: Child,
    stdout: BufReader<ChildStdout>,
}

impl Playing {
    /// The next line that it says.
    pub(super) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }

    pub(super) fn cpu_time(&self) -> anyhow::Result<Duration> {
        cpu_time::of_process(Pid::from_child(&self.process))
    }
}

impl Drop for Playing {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One client, and one connection for each quote, as Intel's and Fortanix's clients do it.
fn behave(socket: &Path) -> anyhow::Result<()> {
    let quote = QuoteRequest::prepare_at(socket)?;
    let load = load(1, MEASURED, Connections::OneEach, socket, &quote.as_request())?;
    let [p50, p99] = [50, 99].map(|percent| load.latency(percent).as_nanos());
    println!("{p50} {p99}");
    Ok(())
}

/// Says so when all connections are there.
fn stall(socket: &Path) -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let mut stalled: Vec<Option<UnixStream>> = Vec::new();
    stalled.resize_with(STALLED, || None);
    loop {
        let begin = Instant::now();
        for stream in &mut stalled {
            if !stream.as_ref().is_some_and(is_open) {
                *stream = begin_request(socket).ok();
            }
        }
        println!("{}", stalled.iter().flatten().count());
        thread::sleep(ROUND.saturating_sub(begin.elapsed()));
    }
}

/// Sends the half of a request.
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
        // To its end, which comes soon, or to an error.
        stream.read_to_end(&mut Vec::new()).map(drop)
    };
    thread::scope(|scope| {
        for _ in 0..FLOOD {
            scope.spawn(|| {
                loop {
                    let _ = send();
                }
            });
        }
    });
    Ok(())
}

/// Whatever it gets, it asks again.
fn be_greedy(socket: &Path) -> anyhow::Result<()> {
    let quote = QuoteRequest::prepare_at(socket)?;
    load_while(|| true, GREED, Connections::OneEach, socket, &quote.as_request()).map(drop)
}
