//! Instances of a service in temporary directories.

use std::fs;
use std::future::{pending, ready};
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sockets::handover::{HandoverCounters, Message, PrivateFiles, Secret, Successor};
use sockets::{ListeningSocket, OpenError, ServingSocket, SocketAccess, SocketEnd, SocketOptions};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::wire::ask;

/// The directories of instances, all of which are in this process.
pub(super) struct Site {
    pub(super) directory: TempDir,
    pub(super) runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl Site {
    pub(super) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        std::thread::spawn(move || drop(runtime.block_on(ended)));
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("aesmd")).unwrap();
        Self { directory, runtime: handle, _end: end }
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.directory.path().join("aesmd/aesm.socket")
    }

    pub(super) fn state_dir(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub(super) fn files(&self) -> PrivateFiles {
        PrivateFiles::open(&self.socket(), &self.state_dir()).unwrap()
    }

    pub(super) fn control(&self) -> PathBuf {
        self.files().control
    }

    /// The names in the applications' directory.
    pub(super) fn applications_see(&self) -> Vec<String> {
        let directory = self.socket().parent().unwrap().to_owned();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        fs::read_dir(directory).unwrap().map(|entry| name(entry.unwrap())).collect()
    }

    pub(super) fn open(&self, take_over: bool) -> Result<ListeningSocket, OpenError> {
        self.open_with(&self.socket(), &self.state_dir(), take_over)
    }

    pub(super) fn open_with(
        &self,
        path: &Path,
        state_dir: &Path,
        take_over: bool,
    ) -> Result<ListeningSocket, OpenError> {
        let access = SocketAccess::Everybody;
        let options = SocketOptions { path, state_dir, access, take_over };
        self.runtime.block_on(ListeningSocket::open(options))
    }

    /// An instance that serves.
    pub(super) fn start(&self) -> ServingSocket {
        self.serve(self.open(false).unwrap(), Vec::new())
    }

    pub(super) fn serve(&self, socket: ListeningSocket, http: Vec<TcpListener>) -> ServingSocket {
        let ListeningSocket { listener, source, .. } = socket;
        let counters = HandoverCounters::default();
        self.runtime.block_on(source.start_serving(listener, http, &counters)).unwrap()
    }

    /// Tells an instance to stop, which removes its files.
    pub(super) fn stop(&self, instance: ServingSocket) {
        let end = self.runtime.block_on(instance.until_end(ready(())));
        assert!(matches!(end, SocketEnd::Closed), "{end:?}");
    }

    /// Waits until an instance has handed over.
    pub(super) fn successor_of(&self, instance: ServingSocket) -> Successor {
        match self.runtime.block_on(instance.until_end(pending())) {
            SocketEnd::HandedOver(successor) => successor,
            end => panic!("{end:?}"),
        }
    }

    /// A connection to the control socket.
    pub(super) fn peer(&self) -> UnixStream {
        let stream = UnixStream::connect(self.control()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// A peer that has proved its right to the sockets, and the reply to its request.
    pub(super) fn successor(&self) -> (UnixStream, Message) {
        let mut peer = self.peer();
        let answer = ask(&mut peer, &self.files().secret);
        (peer, answer)
    }

    /// The reason for which a start fails.
    pub(super) fn refusal(&self) -> String {
        let error = self.open(false).unwrap_err();
        assert!(matches!(error, OpenError::Refused { .. }), "{error}");
        error.to_string()
    }

    /// An instance with this behaviour towards a successor.
    pub(super) fn pretend(
        &self,
        behave: impl FnOnce(UnixStream, &Secret) + Send + 'static,
    ) -> Pretender {
        let socket = UnixListener::bind(self.socket()).unwrap();
        let control = UnixListener::bind(self.control()).unwrap();
        let (asked, secret) = (control.try_clone().unwrap(), self.files().secret);
        let behaviour = std::thread::spawn(move || behave(asked.accept().unwrap().0, &secret));
        Pretender { behaviour: Some(behaviour), _sockets: [socket, control] }
    }
}

pub(super) struct Pretender {
    behaviour: Option<std::thread::JoinHandle<()>>,
    _sockets: [UnixListener; 2],
}

impl Drop for Pretender {
    fn drop(&mut self) {
        self.behaviour.take().unwrap().join().unwrap();
    }
}
