//! Sockets that go from one instance to the next, among peers that keep to the rules and others.

mod site;
mod wire;

use std::fs;
use std::future::{pending, ready};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use sockets::handover::{FRAME_SIZE, Message, Nonces, PrivateFilesError, Role, Secret, SocketLoss};
use sockets::{OpenError, SocketEnd};
use tokio::task::JoinHandle;

use site::Site;
use wire::{ask, let_ask, read, say, say_with};

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

fn expect(waiting: JoinHandle<bool>, site: &Site) {
    assert!(site.runtime.block_on(waiting).unwrap());
}

#[test]
fn the_sockets_go_over_and_their_files_stay() {
    let site = Site::new();
    let http = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = http.local_addr().unwrap();
    let old = site.serve(site.open(false).unwrap(), vec![http]);
    let before = inode(&site.socket());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&site.control()), 0o600);
    assert_eq!(mode(site.control().parent().unwrap()), 0o700);

    let opened = site.open(false).unwrap();
    assert_eq!(opened.predecessor.unwrap().pid, Some(std::process::id()));
    assert_eq!(opened.http.first().unwrap().local_addr().unwrap(), address);
    assert_eq!(site.applications_see(), ["aesm.socket"]);
    let accepts = opened.listener.try_clone().unwrap();
    let new = site.serve(opened, Vec::new());
    let successor = site.successor_of(old);
    assert_eq!(successor.peer.pid, Some(std::process::id()));
    assert_eq!(inode(&site.socket()), before);
    let _client = UnixStream::connect(site.socket()).unwrap();
    accepts.accept().unwrap();
    assert_eq!(site.applications_see(), ["aesm.socket"]);

    site.stop(new);
    assert!(site.applications_see().is_empty());
    let left = fs::read_dir(site.control().parent().unwrap()).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["secret"]);
}

#[test]
fn a_successor_that_leaves_with_the_sockets_has_taken_nothing() {
    let site = Site::new();
    let _old = site.start();
    let before = inode(&site.socket());
    drop(site.open(false).unwrap());
    let (peer, answer) = site.successor();
    assert!(matches!(answer, Message::Sockets(_)), "{answer:?}");
    drop(peer);
    assert_eq!(inode(&site.socket()), before);
    eventually_opens(&site);
}

/// Waits until the locks of the last instance are released.
fn eventually_opens(site: &Site) {
    let opened = (0..100).find_map(|_| match site.open(false) {
        Err(OpenError::Refused { reason, .. }) if reason.contains("is taking over") => {
            std::thread::sleep(Duration::from_millis(10));
            None
        }
        opened => Some(opened.unwrap()),
    });
    drop(opened.expect("the sockets are to be had"));
}

#[test]
fn one_successor_at_a_time() {
    let site = Site::new();
    let _old = site.start();
    let (_first, answer) = site.successor();
    assert!(matches!(answer, Message::Sockets(_)), "{answer:?}");
    assert!(site.refusal().contains("another instance is taking over"), "{}", site.refusal());
}

#[test]
fn unexpected_messages_are_refused_and_change_nothing() {
    let site = Site::new();
    let old = site.start();
    let mut older = Message::Serving.to_frame();
    older[4] = 1;
    for (frame, reason) in [
        (&[0x55; FRAME_SIZE][..], "not a message of a hand-over"),
        (&older, "version 1"),
        (&Message::Serving.to_frame(), "unexpected message"),
        (&Message::Ended.to_frame(), "unexpected message"),
        (&Message::HandOver([7; 32]).to_frame(), "unexpected message"),
        (&Message::Hello([7; 32]).to_frame()[..FRAME_SIZE - 1], "no message for 2s"),
    ] {
        let mut peer = site.peer();
        peer.write_all(frame).unwrap();
        let Message::Refused(said) = read(&mut peer) else { panic!("{reason}") };
        assert!(said.contains(reason), "{said}");
        assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the connection is closed");
    }
    // Having got the sockets, to say anything but that one serves.
    let (mut peer, answer) = site.successor();
    assert!(matches!(answer, Message::Sockets(_)), "{answer:?}");
    say(&mut peer, &Message::Hello([7; 32]));
    assert!(matches!(read(&mut peer), Message::Refused(_)));
    eventually_opens(&site);
    site.stop(old);
}

#[test]
fn descriptors_that_nobody_asked_for_are_closed() {
    let site = Site::new();
    let _old = site.start();
    for count in [1, 8, 20] {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut peer = site.peer();
        say_with(&peer, &Message::Hello([7; 32]), &vec![writer.as_fd(); count]);
        assert!(matches!(read(&mut peer), Message::Refused(_)), "{count}");
        drop(writer);
        // The end of the pipe, since nobody has it open any more.
        assert_eq!(reader.read(&mut [0]).unwrap(), 0);
    }
}

#[test]
fn hundreds_that_say_nothing_only_have_a_successor_wait() {
    let site = Site::new();
    let old = site.start();
    let _silent: Vec<_> = (0..70).map(|_| site.peer()).collect();
    let _new = site.start();
    site.successor_of(old);
}

#[test]
fn the_end_waits_for_a_hand_over_that_is_under_way() {
    let site = Site::new();
    let old = site.start();
    let before = inode(&site.socket());
    let opened = site.open(false).unwrap();
    let waiting = site
        .runtime
        .spawn(async { matches!(old.until_end(ready(())).await, SocketEnd::HandedOver(_)) });
    std::thread::sleep(Duration::from_millis(100));
    let _new = site.serve(opened, Vec::new());
    expect(waiting, &site);
    assert_eq!(inode(&site.socket()), before);
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let site = Site::new();
    let old = site.start();
    let _opened = site.open(false).unwrap();
    site.stop(old);
    assert!(!site.socket().exists());
    assert!(!site.control().exists());
}

#[test]
fn a_predecessor_that_dies_leaves_its_sockets() {
    let site = Site::new();
    let socket = site.socket();
    let old = site.start();
    let before = inode(&socket);
    let opened = site.open(false).unwrap();
    // A killed process removes nothing.
    std::mem::forget(old);
    let new = site.serve(opened, Vec::new());
    assert_eq!(inode(&socket), before);
    site.stop(new);
    assert!(!socket.exists());
}

type Behaviour = Box<dyn FnOnce(UnixStream, &Secret) + Send>;

/// Answers with sockets that are these, and with a file that is nowhere.
fn gives(descriptors: Vec<OwnedFd>) -> Behaviour {
    let site = Site::new();
    let _old = site.start();
    let (_peer, sockets) = site.successor();
    Box::new(move |mut stream, secret| {
        let_ask(&mut stream, secret);
        let descriptors: Vec<_> = descriptors.iter().map(AsFd::as_fd).collect();
        say_with(&stream, &sockets, &descriptors);
    })
}

fn says(bytes: Vec<u8>) -> Behaviour {
    Box::new(move |mut stream, secret| {
        let_ask(&mut stream, secret);
        stream.write_all(&bytes).unwrap();
        // Until it is given up.
        let _ = stream.read(&mut [0]);
    })
}

/// Sends sockets to whoever greets it, without the proof that it may serve.
fn gives_unasked() -> Behaviour {
    let listener = OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap());
    Box::new(move |mut stream, _| {
        read(&mut stream);
        say_with(&stream, &Message::Challenge([6; 32], [0; 32]), &[listener.as_fd()]);
        let _ = stream.read(&mut [0]);
    })
}

/// Has another secret, since its state directory is another one.
fn proves_with_another_secret() -> Behaviour {
    let other = Site::new().files().secret;
    Box::new(move |mut stream, _| {
        let Message::Hello(successor) = read(&mut stream) else { panic!("it is greeted") };
        let nonces = Nonces { predecessor: [6; 32], successor };
        let proof = other.prove(Role::Predecessor, &nonces);
        say(&mut stream, &Message::Challenge(nonces.predecessor, proof));
        assert_eq!(stream.read(&mut [0]).unwrap(), 0, "it is told nothing");
    })
}

#[test]
fn an_instance_that_does_not_keep_to_the_rules_is_left_alone() {
    let pipe = || OwnedFd::from(std::io::pipe().unwrap().0);
    let connection = || OwnedFd::from(UnixStream::pair().unwrap().0);
    let refused = Message::Refused("not today".to_owned());
    for (behave, reason) in [
        (says(vec![7; 500]), "not a message of a hand-over"),
        (says(Message::Ended.to_frame().into()), "unexpected message"),
        (says(Message::Ended.to_frame()[..100].into()), "no message for 5s"),
        (says(refused.to_frame().into()), "not today"),
        (Box::new(|stream, _| drop(stream)), "the connection was closed"),
        (gives_unasked(), "too many descriptors"),
        (proves_with_another_secret(), "different secrets"),
        (gives(vec![]), "unexpected message"),
        (gives(vec![connection(), connection()]), "unexpected message"),
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
fn a_foreign_listener_is_replaced_only_on_demand() {
    let site = Site::new();
    let foreign = UnixListener::bind(site.socket()).unwrap();
    let error = site.open(false).unwrap_err();
    assert!(matches!(error, OpenError::Occupied { .. }), "{error}");
    let said = format!("process {} (", std::process::id());
    assert!(error.to_string().contains(&said), "{error}");
    assert_eq!(site.applications_see(), ["aesm.socket"]);

    let new = site.serve(site.open(true).unwrap(), Vec::new());
    foreign.set_nonblocking(true).unwrap();
    while foreign.accept().is_ok() {}
    let _client = UnixStream::connect(site.socket()).unwrap();
    assert!(foreign.accept().is_err(), "clients find the new one");
    site.stop(new);
}

/// Intel's aesmd, started later, removes the socket and makes its own.
#[test]
fn an_instance_whose_socket_was_replaced_is_not_asked_for_it() {
    let site = Site::new();
    let _old = site.start();
    fs::remove_file(site.socket()).unwrap();
    let foreign = UnixListener::bind(site.socket()).unwrap();
    assert!(matches!(site.open(false), Err(OpenError::Occupied { .. })));
    drop(foreign);
    let _new = site.start();
    UnixStream::connect(site.socket()).unwrap();
}

#[test]
fn a_state_directory_without_room_for_the_control_socket_is_an_error() {
    let site = Site::new();
    let room = 73 - site.directory.path().as_os_str().len() - 1;
    for (length, fits) in [(room, true), (room + 1, false)] {
        let opened =
            site.open_with(&site.socket(), &site.directory.path().join("x".repeat(length)), false);
        assert_eq!(opened.is_ok(), fits, "{length}");
        let Err(error) = opened else { continue };
        assert!(error.to_string().contains("at most 73 bytes"), "{error}");
    }
}

/// The user is the same, and the path of the control socket known; that is not enough.
#[test]
fn nobody_without_the_secret_gets_a_descriptor() {
    let site = Site::new();
    let _old = site.start();
    let mut peer = site.peer();
    let answer = ask(&mut peer, &Site::new().files().secret);
    let Message::Refused(reason) = answer else { panic!("{answer:?}") };
    assert!(reason.contains("different secrets"), "{reason}");
    assert_eq!(peer.read(&mut [0]).unwrap(), 0, "the connection is closed");

    // A proof is good once: of another conversation with the same secret it proves nothing.
    let mut first = site.peer();
    say(&mut first, &Message::Hello([5; 32]));
    let Message::Challenge(predecessor, theirs) = read(&mut first) else { panic!("no challenge") };
    let nonces = Nonces { predecessor, successor: [5; 32] };
    let recorded = site.files().secret.prove(Role::Successor, &nonces);
    // Nor does the proof of the other side.
    for proof in [recorded, theirs] {
        let mut second = site.peer();
        say(&mut second, &Message::Hello([5; 32]));
        assert!(matches!(read(&mut second), Message::Challenge(..)));
        say(&mut second, &Message::HandOver(proof));
        assert!(matches!(read(&mut second), Message::Refused(_)));
    }
    eventually_opens(&site);
}

#[test]
fn an_instance_with_another_state_directory_is_like_any_other_service() {
    let site = Site::new();
    let _old = site.start();
    let error =
        site.open_with(&site.socket(), &site.directory.path().join("other"), false).unwrap_err();
    assert!(matches!(error, OpenError::Occupied { .. }), "{error}");
    assert!(error.to_string().contains("another state directory"), "{error}");
}

#[test]
fn instances_at_different_sockets_share_a_state_directory() {
    let site = Site::new();
    let _one = site.start();
    let other =
        site.open_with(&site.directory.path().join("aesmd/other.socket"), &site.state_dir(), false);
    assert_eq!(other.unwrap().predecessor, None);
}

#[test]
fn a_socket_is_the_same_by_each_of_its_names() {
    let site = Site::new();
    let _old = site.start();
    let link = site.directory.path().join("link");
    std::os::unix::fs::symlink("aesmd", &link).unwrap();
    let opened = site.open_with(&link.join("aesm.socket"), &site.state_dir(), false).unwrap();
    assert!(opened.predecessor.is_some());
}

#[test]
fn a_state_directory_that_others_can_change_is_refused() {
    let site = Site::new();
    let hand_over = site.control().parent().unwrap().to_owned();
    for directory in [site.state_dir(), hand_over.clone()] {
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).unwrap();
        let error = site.open(false).unwrap_err();
        assert!(
            matches!(error, OpenError::PrivateFiles(PrivateFilesError::NotPrivate(_))),
            "{error}"
        );
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let _old = site.start();
    let mode = fs::metadata(hand_over).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others may not look either");
}

/// It takes whoever is of the same user for its successor, so that nothing is to be had from it.
#[test]
fn an_instance_of_before_there_was_a_secret_is_not_asked() {
    let site = Site::new();
    let _old = UnixListener::bind(site.socket()).unwrap();
    let beside = site.directory.path().join("aesmd/aesm.socket.control");
    let control = UnixListener::bind(beside).unwrap();
    let error = site.open(false).unwrap_err();
    assert!(matches!(error, OpenError::Earlier { .. }), "{error}");
    assert!(error.to_string().contains("Stop it first, or replace it"), "{error}");
    site.open(true).unwrap();
    control.set_nonblocking(true).unwrap();
    assert!(control.accept().is_err(), "it was not even spoken to");
}

#[test]
fn a_listening_socket_that_is_shut_down_is_noticed() {
    let http = || vec![TcpListener::bind("127.0.0.1:0").unwrap()];
    for is_http in [false, true] {
        let site = Site::new();
        let old = site.serve(site.open(false).unwrap(), http());
        let opened = site.open(false).unwrap();
        let listener = opened.listener.as_fd();
        let socket = if is_http { opened.http.first().unwrap().as_fd() } else { listener };
        rustix::net::shutdown(socket, rustix::net::Shutdown::Read).unwrap();
        let end = site.runtime.block_on(old.until_end(pending()));
        assert!(matches!(end, SocketEnd::Lost(SocketLoss::OutOfUse)), "{end:?}");
    }
}
