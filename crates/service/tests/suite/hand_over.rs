//! Sockets that go from one instance to the next, among peers that keep to the rules and others.

use std::fs;
use std::io::{IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use service::hand_over::{AcquireError, Acquired, Control, FRAME_SIZE, Message, acquire};
use service::{Metrics, SocketAccess};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A place for instances, all of which are in this process.
struct Site {
    directory: TempDir,
    runtime: Handle,
    _end: oneshot::Sender<()>,
}

impl Site {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel::<()>();
        std::thread::spawn(move || drop(runtime.block_on(ended)));
        Self { directory: tempfile::tempdir().unwrap(), runtime: handle, _end: end }
    }

    fn socket(&self) -> PathBuf {
        self.directory.path().join("aesm.socket")
    }

    fn control(&self) -> PathBuf {
        self.directory.path().join("aesm.socket.control")
    }

    fn acquire(&self, take_over: bool) -> Result<Acquired, AcquireError> {
        self.runtime.block_on(acquire(&self.socket(), SocketAccess::Everybody, take_over))
    }

    /// An instance that serves.
    fn start(&self) -> Control {
        self.settle(self.acquire(false).unwrap(), Vec::new())
    }

    fn settle(&self, acquired: Acquired, http: Vec<TcpListener>) -> Control {
        let Acquired { listener, claim, .. } = acquired;
        let metrics = Metrics::new("test");
        self.runtime.block_on(claim.settle(listener, http, &metrics)).unwrap()
    }

    /// Somebody at the control socket.
    fn peer(&self) -> UnixStream {
        let stream = UnixStream::connect(self.control()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// The reason for which a start fails.
    fn refusal(&self) -> String {
        let error = self.acquire(false).unwrap_err();
        assert!(matches!(error, AcquireError::Refused { .. }), "{error}");
        error.to_string()
    }

    /// An instance that behaves in this way when it is asked.
    fn pretend(&self, behave: impl FnOnce(UnixStream) + Send + 'static) -> Pretender {
        let socket = UnixListener::bind(self.socket()).unwrap();
        let control = UnixListener::bind(self.control()).unwrap();
        let asked = control.try_clone().unwrap();
        let behaviour = std::thread::spawn(move || behave(asked.accept().unwrap().0));
        Pretender { behaviour: Some(behaviour), _sockets: [socket, control] }
    }
}

struct Pretender {
    behaviour: Option<std::thread::JoinHandle<()>>,
    _sockets: [UnixListener; 2],
}

impl Drop for Pretender {
    fn drop(&mut self) {
        self.behaviour.take().unwrap().join().unwrap();
    }
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn read(stream: &mut UnixStream) -> Message {
    let mut frame = [0; FRAME_SIZE];
    stream.read_exact(&mut frame).unwrap();
    Message::parse(&frame).unwrap()
}

fn say(stream: &mut UnixStream, message: &Message) {
    stream.write_all(&message.to_frame()).unwrap();
}

fn say_with(stream: &UnixStream, message: &Message, descriptors: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(20))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(descriptors)));
    let frame = message.to_frame();
    sendmsg(stream, &[IoSlice::new(&frame)], &mut ancillary, SendFlags::empty()).unwrap();
}

fn expect(waiting: JoinHandle<bool>, site: &Site) {
    assert!(site.runtime.block_on(waiting).unwrap());
}

#[test]
fn the_sockets_go_over_and_their_files_stay() {
    let site = Site::new();
    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = http.local_addr().unwrap();
    let mut old = site.settle(site.acquire(false).unwrap(), vec![http]);
    let inodes = [inode(&site.socket()), inode(&site.control())];
    let mode = fs::metadata(site.control()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let acquired = site.acquire(false).unwrap();
    assert_eq!(acquired.predecessor.unwrap().pid, Some(std::process::id()));
    assert_eq!(acquired.http.first().unwrap().local_addr().unwrap(), address);
    let accepts = acquired.listener.try_clone().unwrap();
    let new = site.settle(acquired, Vec::new());
    let successor = site.runtime.block_on(old.handed_over());
    assert_eq!(successor.pid, Some(std::process::id()));
    drop(old);
    assert_eq!([inode(&site.socket()), inode(&site.control())], inodes);
    let _client = UnixStream::connect(site.socket()).unwrap();
    accepts.accept().unwrap();
    assert_eq!(fs::read_dir(site.directory.path()).unwrap().count(), 2, "no more is left");

    assert_eq!(site.runtime.block_on(new.close()), None);
    assert_eq!(fs::read_dir(site.directory.path()).unwrap().count(), 0);
}

#[test]
fn who_gets_the_sockets_and_goes_away_has_taken_nothing() {
    let site = Site::new();
    let _old = site.start();
    let inodes = [inode(&site.socket()), inode(&site.control())];
    drop(site.acquire(false).unwrap());
    let mut peer = site.peer();
    say(&mut peer, &Message::HandOver);
    assert!(matches!(read(&mut peer), Message::Sockets(_)));
    drop(peer);
    assert_eq!([inode(&site.socket()), inode(&site.control())], inodes);
    eventually_acquires(&site);
}

/// What the last one held may take a moment to be noticed.
fn eventually_acquires(site: &Site) {
    let acquired = (0..100).find_map(|_| match site.acquire(false) {
        Err(AcquireError::Refused { reason, .. }) if reason.contains("is taking over") => {
            std::thread::sleep(Duration::from_millis(10));
            None
        }
        acquired => Some(acquired.unwrap()),
    });
    drop(acquired.expect("the sockets are to be had"));
}

#[test]
fn one_successor_at_a_time() {
    let site = Site::new();
    let _old = site.start();
    let mut first = site.peer();
    say(&mut first, &Message::HandOver);
    assert!(matches!(read(&mut first), Message::Sockets(_)));
    assert!(site.refusal().contains("another instance is taking over"), "{}", site.refusal());
}

#[test]
fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let site = Site::new();
    let old = site.start();
    let mut newer = Message::HandOver.to_frame();
    newer[4] = 2;
    for (frame, reason) in [
        (&[0x55; FRAME_SIZE][..], "no message of a hand-over"),
        (&newer, "version 2"),
        (&Message::Serving.to_frame(), "makes no sense at this point"),
        (&Message::Ended.to_frame(), "makes no sense at this point"),
        (&Message::HandOver.to_frame()[..FRAME_SIZE - 1], "nothing was said for 2s"),
    ] {
        let mut peer = site.peer();
        peer.write_all(frame).unwrap();
        let Message::Refused(said) = read(&mut peer) else { panic!("{reason}") };
        assert!(said.contains(reason), "{said}");
        assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the connection is closed");
    }
    // Having got the sockets, to say anything but that one serves.
    let mut peer = site.peer();
    say(&mut peer, &Message::HandOver);
    assert!(matches!(read(&mut peer), Message::Sockets(_)));
    say(&mut peer, &Message::HandOver);
    assert!(matches!(read(&mut peer), Message::Refused(_)));
    eventually_acquires(&site);
    assert_eq!(site.runtime.block_on(old.close()), None);
}

#[test]
fn descriptors_that_nobody_asked_for_are_closed() {
    let site = Site::new();
    let _old = site.start();
    for count in [1, 8, 20] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut peer = site.peer();
        say_with(&peer, &Message::HandOver, &vec![writer.as_fd(); count]);
        assert!(matches!(read(&mut peer), Message::Refused(_)), "{count}");
        drop(writer);
        // The end of the pipe, since nobody has it open any more.
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn hundreds_that_say_nothing_only_have_a_successor_wait() {
    let site = Site::new();
    let mut old = site.start();
    let _silent: Vec<_> = (0..70).map(|_| site.peer()).collect();
    let _new = site.start();
    site.runtime.block_on(old.handed_over());
}

#[test]
fn the_end_waits_for_a_hand_over_that_is_under_way() {
    let site = Site::new();
    let old = site.start();
    let inodes = [inode(&site.socket()), inode(&site.control())];
    let acquired = site.acquire(false).unwrap();
    let waiting = site.runtime.spawn(async { old.close().await.is_some() });
    std::thread::sleep(Duration::from_millis(100));
    let _new = site.settle(acquired, Vec::new());
    expect(waiting, &site);
    assert_eq!([inode(&site.socket()), inode(&site.control())], inodes);
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let site = Site::new();
    let old = site.start();
    let _acquired = site.acquire(false).unwrap();
    assert_eq!(site.runtime.block_on(old.close()), None);
    assert!(!site.socket().exists());
    assert!(!site.control().exists());
}

#[test]
fn a_predecessor_that_dies_leaves_its_sockets() {
    let site = Site::new();
    let (socket, control) = (site.socket(), site.control());
    let old = site.start();
    let inodes = [inode(&socket), inode(&control)];
    let acquired = site.acquire(false).unwrap();
    // Who is killed removes nothing.
    std::mem::forget(old);
    let new = site.settle(acquired, Vec::new());
    assert_eq!([inode(&socket), inode(&control)], inodes);
    assert_eq!(site.runtime.block_on(new.close()), None);
    assert!(!socket.exists());
}

type Behaviour = Box<dyn FnOnce(UnixStream) + Send>;

/// Answers with sockets that are these, and with files that are nowhere.
fn gives(descriptors: Vec<OwnedFd>) -> Behaviour {
    let site = Site::new();
    let _old = site.start();
    let mut peer = site.peer();
    say(&mut peer, &Message::HandOver);
    let sockets = read(&mut peer);
    Box::new(move |mut stream| {
        read(&mut stream);
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        say_with(&stream, &sockets, &descriptors);
    })
}

fn says(bytes: Vec<u8>) -> Behaviour {
    Box::new(move |mut stream| {
        read(&mut stream);
        stream.write_all(&bytes).unwrap();
        // Until it is given up.
        let _ = stream.read(&mut [0]);
    })
}

#[test]
fn an_instance_that_does_not_keep_to_the_rules_is_left_alone() {
    let pipe = || OwnedFd::from(std::io::pipe().unwrap().0);
    let connection = || OwnedFd::from(UnixStream::pair().unwrap().0);
    let refused = Message::Refused("not today".to_owned());
    for (behave, reason) in [
        (says(vec![7; 500]), "no message of a hand-over"),
        (says(Message::Ended.to_frame().into()), "makes no sense"),
        (says(Message::Ended.to_frame()[..100].into()), "nothing was said for 5s"),
        (says(refused.to_frame().into()), "not today"),
        (Box::new(drop::<UnixStream>), "the connection was closed"),
        (gives(vec![]), "makes no sense"),
        (gives(vec![connection(), connection()]), "makes no sense"),
        (gives(vec![pipe(), pipe()]), "Socket operation on non-socket"),
        (gives((0..20).map(|_| pipe()).collect()), "too many descriptors"),
    ] {
        let site = Site::new();
        let _pretender = site.pretend(behave);
        let before = inode(&site.socket());
        let refusal = site.refusal();
        for said in [reason, &format!("process {}", std::process::id()), "--take-over"] {
            assert!(refusal.contains(said), "{said}: {refusal}");
        }
        assert_eq!(inode(&site.socket()), before);
    }
}

#[test]
fn who_is_there_gives_way_if_that_is_said() {
    let site = Site::new();
    let foreign = UnixListener::bind(site.socket()).unwrap();
    let error = site.acquire(false).unwrap_err();
    assert!(matches!(error, AcquireError::Occupied { .. }), "{error}");
    let said = format!("process {} (", std::process::id());
    assert!(error.to_string().contains(&said), "{error}");
    assert_eq!(fs::read_dir(site.directory.path()).unwrap().count(), 1);

    let new = site.settle(site.acquire(true).unwrap(), Vec::new());
    foreign.set_nonblocking(true).unwrap();
    while foreign.accept().is_ok() {}
    let _client = UnixStream::connect(site.socket()).unwrap();
    assert!(foreign.accept().is_err(), "clients find the new one");
    assert_eq!(site.runtime.block_on(new.close()), None);
}

/// Intel's aesmd, started later, removes the socket and makes its own.
#[test]
fn an_instance_whose_socket_was_replaced_is_not_asked_for_it() {
    let site = Site::new();
    let _old = site.start();
    fs::remove_file(site.socket()).unwrap();
    let foreign = UnixListener::bind(site.socket()).unwrap();
    assert!(matches!(site.acquire(false), Err(AcquireError::Occupied { .. })));
    drop(foreign);
    let _new = site.start();
    UnixStream::connect(site.socket()).unwrap();
}

#[test]
fn a_path_without_room_for_the_control_socket_is_too_long() {
    let site = Site::new();
    let room = 107 - site.directory.path().as_os_str().len() - 1 - ".control".len();
    for (length, fits) in [(room, true), (room + 1, false)] {
        let path = site.directory.path().join("x".repeat(length));
        let acquired = site.runtime.block_on(acquire(&path, SocketAccess::Everybody, false));
        assert_eq!(acquired.is_ok(), fits, "{length}");
    }
}
