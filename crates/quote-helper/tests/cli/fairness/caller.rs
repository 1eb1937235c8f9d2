//! Callers that are other users: a thread with a uid of its own is one to the kernel.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use aesm::{Client, Request};
use rustix::process::{Resource, Rlimit, Uid, getrlimit, setrlimit};
use rustix::thread::set_thread_res_uid;

/// Does something as this user, if this process may.
pub(super) fn as_user<T: Send>(uid: u32, work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let thread = scope.spawn(move || {
            let uid = Uid::from_raw(uid);
            set_thread_res_uid(uid, uid, uid).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}

/// True if a request on a new connection is answered.
pub(super) fn is_served(socket: &Path) -> bool {
    let client = Client::new(socket).timeout(Duration::from_secs(5));
    client.call(&Request::GetSupportedAttKeyIdNum).is_ok()
}

/// Connections on which nothing is asked.
pub(super) struct Held(Vec<UnixStream>);

impl Held {
    pub(super) fn by(uid: u32, socket: &Path, count: usize) -> Self {
        let connect = || {
            let stream = UnixStream::connect(socket).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        };
        as_user(uid, || Self((0..count).map(|_| connect()).collect()))
    }

    /// The number that the service has not closed.
    pub(super) fn open(&self) -> usize {
        self.0.iter().filter(|stream| is_open(stream)).count()
    }
}

/// Begins so many requests and leaves them unfinished, and again those that were closed.
pub(super) fn flood(socket: &Path, count: usize, full: &AtomicBool, stop: &AtomicBool) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let mut begun: Vec<Option<UnixStream>> = Vec::new();
    begun.resize_with(count, || None);
    while !stop.load(Ordering::Relaxed) {
        for stream in &mut begun {
            if !stop.load(Ordering::Relaxed) && !stream.as_ref().is_some_and(is_open) {
                *stream = begin(socket).ok();
            }
        }
        full.store(true, Ordering::Relaxed);
    }
}

fn begin(socket: &Path) -> std::io::Result<UnixStream> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&[200, 0, 0, 0, 7])?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn is_open(mut stream: &UnixStream) -> bool {
    stream.read(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}
