//! Load: clients that send one request after the other, each in its own thread.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use aesm::{Client, FRAME_HEADER_SIZE, MAX_RESPONSE_SIZE, Request, Response, body_size};
use anyhow::{anyhow, ensure};

use crate::figures::percentile;

/// The result of a load.
pub(crate) struct Load {
    /// The latencies of all requests, in ascending order.
    latencies: Vec<Duration>,
    /// The reasons of failures.
    failures: Vec<anyhow::Error>,
    elapsed: Duration,
}

impl Load {
    pub(crate) fn requests(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn failures(&self) -> &[anyhow::Error] {
        &self.failures
    }

    /// The time per reply of all clients together.
    pub(crate) fn time_per_request(&self) -> Duration {
        self.elapsed.div_f64(self.requests().max(1) as f64)
    }

    pub(crate) fn latency(&self, percent: usize) -> Duration {
        percentile(&self.latencies, percent)
    }
}

/// The use of connections.
#[derive(Clone, Copy)]
pub(crate) enum Connections {
    /// One for each request, as with Intel's client.
    OneEach,
    /// One for all requests of a client.
    Kept,
}

/// Runs `clients` for `time`. Fails at the first wrong reply.
pub(crate) fn load(
    clients: usize,
    time: Duration,
    connections: Connections,
    socket: &Path,
    request: &Request<'_>,
) -> anyhow::Result<Load> {
    let start = Instant::now();
    let keep_going = || start.elapsed() < time;
    let mut load = load_while(keep_going, clients, connections, socket, request)?;
    load.failures.pop().map_or(Ok(load), Err)
}

/// Runs `clients` while `keep_going` returns true, and ignores failures.
pub(crate) fn load_while(
    keep_going: impl Fn() -> bool + Sync,
    clients: usize,
    connections: Connections,
    socket: &Path,
    request: &Request<'_>,
) -> anyhow::Result<Load> {
    let start = Instant::now();
    let client = || match connections {
        Connections::OneEach => {
            let client = Client::new(socket);
            Ok(repeat(&keep_going, || {
                client.call(request)?;
                Ok(())
            }))
        }
        Connections::Kept => {
            let mut stream = UnixStream::connect(socket)?;
            let frame = request.to_frame(None);
            Ok(repeat(&keep_going, || exchange(&mut stream, &frame)))
        }
    };
    let runs: Vec<anyhow::Result<_>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients).map(|_| scope.spawn(client)).collect();
        clients.into_iter().map(|client| client.join().map_err(panicked)?).collect()
    });
    let elapsed = start.elapsed();
    let outcomes = runs.into_iter().collect::<anyhow::Result<Vec<_>>>()?.into_iter().flatten();
    let (mut latencies, mut failures) = (Vec::new(), Vec::new());
    for (latency, outcome) in outcomes {
        latencies.push(latency);
        failures.extend(outcome.err());
    }
    latencies.sort_unstable();
    Ok(Load { latencies, failures, elapsed })
}

/// Measures `other` under load.
pub(crate) fn during<T>(
    load: impl FnOnce() -> anyhow::Result<Load> + Send,
    other: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    thread::scope(|scope| {
        let load = scope.spawn(load);
        // The time for the load to start.
        thread::sleep(Duration::from_millis(100));
        let result = other()?;
        ensure!(!load.is_finished(), "the load was over too early");
        load.join().map_err(panicked)??;
        Ok(result)
    })
}

fn repeat(
    keep_going: impl Fn() -> bool,
    mut ask: impl FnMut() -> anyhow::Result<()>,
) -> Vec<(Duration, anyhow::Result<()>)> {
    let mut outcomes = Vec::new();
    while keep_going() {
        let begin = Instant::now();
        let outcome = ask();
        outcomes.push((begin.elapsed(), outcome));
    }
    outcomes
}

/// One request and its reply on a connection that stays open.
fn exchange(stream: &mut UnixStream, frame: &[u8]) -> anyhow::Result<()> {
    stream.write_all(frame)?;
    let mut header = [0; FRAME_HEADER_SIZE];
    stream.read_exact(&mut header)?;
    let mut message = vec![0; body_size(header, MAX_RESPONSE_SIZE)?];
    stream.read_exact(&mut message)?;
    let response = Response::decode(&message)?;
    ensure!(response.error.is_none(), "the service answered with an error: {:?}", response.error);
    Ok(())
}

pub(crate) fn panicked(_: Box<dyn std::any::Any + Send>) -> anyhow::Error {
    anyhow!("a thread panicked")
}
