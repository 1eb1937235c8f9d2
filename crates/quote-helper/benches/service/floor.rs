//! The baseline: the minimal cost of a quote.

use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use aesm::MAX_REQUEST_SIZE;
use anyhow::anyhow;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

use crate::cpu_time;
use crate::load::panicked;

/// The size of the signed part of a quote, header and report body, in bytes.
const SIGNED_SIZE: usize = 432;

/// The duration of the measurement of bare signatures.
const SIGNING_TIME: Duration = Duration::from_millis(500);

/// The CPU time of a bare P-256 signature while this number of threads sign.
pub(crate) fn bare_signature(threads: usize) -> anyhow::Result<Duration> {
    let runs: Vec<anyhow::Result<_>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(sign_for_a_while)).collect();
        threads.into_iter().map(|thread| thread.join().map_err(panicked)?).collect()
    });
    let runs: Vec<Work> = runs.into_iter().collect::<Result<_, _>>()?;
    let signatures = runs.iter().map(|run| run.signatures).sum();
    Ok(Work { signatures, cpu_time: runs.iter().map(|run| run.cpu_time).sum() }.per_signature())
}

/// The work of a thread, and its CPU time.
struct Work {
    signatures: u32,
    cpu_time: Duration,
}

impl Work {
    fn per_signature(&self) -> Duration {
        self.cpu_time / self.signatures.max(1)
    }
}

fn sign_for_a_while() -> anyhow::Result<Work> {
    let signer = Signer::new()?;
    let (start, mut signatures) = (Instant::now(), 0);
    let before = cpu_time::of_this_thread()?;
    while start.elapsed() < SIGNING_TIME {
        signer.sign(&[7; SIGNED_SIZE])?;
        signatures += 1;
    }
    Ok(Work { signatures, cpu_time: cpu_time::of_this_thread()? - before })
}

/// A minimal server: accept, read, sign, write, close. It has one blocking thread, no protocol and
/// no deadlines, and sends the same reply to all clients.
pub(crate) struct MinimalServer(JoinHandle<anyhow::Result<Work>>);

impl MinimalServer {
    /// Sends this reply to all clients of `socket`.
    pub(crate) fn start(socket: &Path, reply: Vec<u8>) -> anyhow::Result<Self> {
        let listener = UnixListener::bind(socket)?;
        let signer = Signer::new()?;
        Ok(Self(thread::spawn(move || serve(&listener, &signer, &reply))))
    }

    /// Stops it. Returns its CPU time per request, with one signature each.
    pub(crate) fn stop(self, socket: &Path) -> anyhow::Result<Duration> {
        // A client without a request ends it.
        drop(UnixStream::connect(socket)?);
        Ok(self.0.join().map_err(panicked)??.per_signature())
    }
}

fn serve(listener: &UnixListener, signer: &Signer, reply: &[u8]) -> anyhow::Result<Work> {
    let mut signatures = 0;
    let mut buffer = [0; MAX_REQUEST_SIZE];
    loop {
        let (mut stream, _) = listener.accept()?;
        let size = stream.read(&mut buffer)?;
        if size == 0 {
            return Ok(Work { signatures, cpu_time: cpu_time::of_this_thread()? });
        }
        signer.sign(buffer.get(..SIGNED_SIZE).unwrap_or_default())?;
        stream.write_all(reply)?;
        signatures += 1;
    }
}

struct Signer(EcdsaKeyPair, SystemRandom);

impl Signer {
    fn new() -> anyhow::Result<Self> {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING);
        Ok(Self(key.map_err(|_| anyhow!("cannot make a key"))?, SystemRandom::new()))
    }

    fn sign(&self, message: &[u8]) -> anyhow::Result<()> {
        let signature = self.0.sign(&self.1, black_box(message));
        black_box(signature).map(drop).map_err(|_| anyhow!("cannot sign"))
    }
}
