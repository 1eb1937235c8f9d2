//! Whom the library asks: a collateral server whose fate the test decides.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use collateral::{CollateralId, Document, Source, SourceError};
use collateral_server::SoftwareCollateral;
use parking_lot::Mutex;
use software_platform::{Deployment, MachineSecret, SoftwarePlatform, SubjectNames};
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// A platform that there has been for a month, so that what was fetched in that time holds.
pub(crate) fn software_platform() -> SoftwarePlatform {
    let created = OffsetDateTime::now_utc().checked_sub(time::Duration::days(30)).unwrap();
    let deployment = Deployment::from_seed([7; 32], SubjectNames::Software, created).unwrap();
    SoftwarePlatform::new(deployment, MachineSecret::from_bytes([9; 32])).unwrap()
}

/// A server that knows a platform.
pub(crate) struct Upstream {
    address: SocketAddr,
    source: Arc<Counted>,
    running: Option<Running>,
    hanging: Option<TcpListener>,
    /// Those who wait for it.
    calls: Mutex<Vec<TcpStream>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Upstream {
    pub(crate) fn start(platform: SoftwarePlatform) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let source = Arc::new(Counted {
            source: SoftwareCollateral::new(Arc::new(platform), OffsetDateTime::now_utc),
            asked: AtomicUsize::new(0),
            milliseconds: AtomicU64::new(0),
        });
        let address = listener.local_addr().unwrap();
        let running = Some(Running::start(listener, Arc::clone(&source)));
        Self { address, source, running, hanging: None, calls: Mutex::default() }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The number of requests.
    pub(crate) fn asked(&self) -> usize {
        self.source.asked.load(Ordering::SeqCst)
    }

    /// From now on it takes this time to answer.
    pub(crate) fn slow(&self, time: Duration) {
        let milliseconds = time.as_millis().try_into().unwrap();
        self.source.milliseconds.store(milliseconds, Ordering::SeqCst);
    }

    /// From now on it is there again.
    pub(crate) fn revive(&mut self) {
        self.die();
        let listener = TcpListener::bind(self.address).unwrap();
        self.running = Some(Running::start(listener, Arc::clone(&self.source)));
    }

    /// From now on nobody is there.
    pub(crate) fn die(&mut self) {
        self.hanging = None;
        if let Some(Running { stop, thread }) = self.running.take() {
            stop.send(()).unwrap();
            thread.join().unwrap();
        }
    }

    /// From now on it says nothing.
    pub(crate) fn hang(&mut self) {
        self.die();
        let hanging = TcpListener::bind(self.address).unwrap();
        hanging.set_nonblocking(true).unwrap();
        self.hanging = Some(hanging);
    }

    /// True if a client waits for a response.
    pub(crate) fn is_called(&self) -> bool {
        let Some(hanging) = &self.hanging else { return false };
        match hanging.accept() {
            Ok((stream, _)) => {
                self.calls.lock().push(stream);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Running {
    fn start(listener: TcpListener, source: Arc<Counted>) -> Self {
        listener.set_nonblocking(true).unwrap();
        let router = collateral_server::router(source);
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = http_server::serve(listener, router, std::future::pending()) => {}
                    _ = stopped => {}
                }
            });
            // Connections end with it.
            runtime.shutdown_background();
        });
        Self { stop, thread }
    }
}

struct Counted {
    source: SoftwareCollateral,
    asked: AtomicUsize,
    milliseconds: AtomicU64,
}

impl Source for Counted {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn fetch(&self, item: &CollateralId, deadline: Instant) -> Result<Document, SourceError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(self.milliseconds.load(Ordering::SeqCst)));
        self.source.fetch(item, deadline)
    }
}
