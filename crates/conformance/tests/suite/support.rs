//! A quote service, and a proxy before it that changes its replies.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use aesm::{Request, Response};
use quoting::SoftwareQuoter;
use service::{Metrics, Rules};
use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};
use tempfile::TempDir;

/// The step timeout of the tests.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// A socket at which something serves until the test's process ends.
pub(crate) struct Served {
    pub(crate) socket: PathBuf,
    _directory: TempDir,
}

fn listen() -> (Served, UnixListener) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("aesm.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    (Served { socket, _directory: directory }, listener)
}

/// This project's service, on the software platform.
pub(crate) fn service() -> Served {
    let (served, listener) = listen();
    let deployment =
        Deployment::generate(SubjectNames::Software, time::OffsetDateTime::now_utc()).unwrap();
    let secret = MachineSecret::generate().unwrap();
    let quoter = SoftwareQuoter::new(Arc::new(SoftwarePlatform::new(deployment, secret).unwrap()));
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(async move {
            let rules = Rules::default().fixed();
            let (quoter, metrics) = (Arc::new(quoter), Metrics::new("test"));
            service::serve(listener, quoter, rules, metrics, std::future::pending()).await.unwrap();
        });
    });
    served
}

/// The treatment of a reply by a broken service.
pub(crate) enum Treatment {
    /// Sends this frame, in one write.
    Send(Vec<u8>),
    /// Sends these bytes in separate writes, and closes.
    Pieces(Vec<Vec<u8>>),
    /// Sends nothing more, and keeps the connection.
    Stall,
}

/// A service whose replies are those of a good one, treated by `treat`. Also returns the requests.
pub(crate) fn proxy(
    treat: impl Fn(&Request<'_>, Response) -> Treatment + Send + 'static,
) -> (Served, mpsc::Receiver<Vec<u8>>) {
    let good = service();
    let (served, listener) = listen();
    let (seen, requests) = mpsc::channel();
    thread::spawn(move || {
        // Whole: its directory is removed with it.
        let (good, mut stalled) = (good, Vec::new());
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let request = read_message(&mut client);
            let mut upstream = UnixStream::connect(&good.socket).unwrap();
            upstream.write_all(&framed(&request)).unwrap();
            let reply = Response::decode(&read_message(&mut upstream)).unwrap();
            let treatment = treat(&Request::decode(&request).unwrap(), reply);
            let _ = seen.send(request);
            // The client may have gone by now.
            match treatment {
                Treatment::Send(frame) => drop(client.write_all(&frame)),
                Treatment::Pieces(pieces) => {
                    for piece in pieces {
                        let _ = client.write_all(&piece);
                        thread::sleep(Duration::from_millis(20));
                    }
                }
                Treatment::Stall => stalled.push(client),
            }
        }
    });
    (served, requests)
}

pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_le_bytes(), message].concat()
}

fn read_message(stream: &mut UnixStream) -> Vec<u8> {
    let mut header = [0; 4];
    stream.read_exact(&mut header).unwrap();
    let mut message = vec![0; u32::from_le_bytes(header) as usize];
    stream.read_exact(&mut message).unwrap();
    message
}
