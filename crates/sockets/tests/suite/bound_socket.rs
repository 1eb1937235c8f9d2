//! The socket's place in the file system: what is in the way, and what is left.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};

use sockets::{BindError, BoundSocket, FileState, SocketAccess};

#[test]
fn a_new_socket_is_open_to_everybody_and_gone_in_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not/yet/there/aesm.socket");
    let (bound, _listener) = BoundSocket::listen(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    assert!(UnixStream::connect(&path).is_ok());
    drop(bound);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 0);
}

#[test]
fn the_socket_of_a_dead_service_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("aesm.socket");
    drop(UnixListener::bind(&path).unwrap());
    let (_bound, _listener) = BoundSocket::listen(&path).unwrap();
    assert!(UnixStream::connect(&path).is_ok());
}

#[test]
fn a_live_service_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("aesm.socket");
    let _listener = UnixListener::bind(&path).unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    assert!(matches!(BoundSocket::listen(&path), Err(BindError::InUse(_))));
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn a_path_that_somebody_else_has_taken_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("aesm.socket");
    let (bound, _listener) = BoundSocket::listen(&path).unwrap();
    let beside = directory.path().join("beside");
    let _other = UnixListener::bind(&beside).unwrap();
    fs::rename(&beside, &path).unwrap();
    drop(bound);
    assert!(UnixStream::connect(&path).is_ok());
}

#[test]
fn a_file_that_is_no_socket_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, "precious").unwrap();
    assert!(matches!(BoundSocket::listen(&file), Err(BindError::NotASocket(_))));
    assert!(matches!(BoundSocket::listen(directory.path()), Err(BindError::NotASocket(_))));
    assert!(matches!(BoundSocket::listen(&file.join("below")), Err(BindError::Io { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "precious");
}

#[test]
fn a_path_that_is_too_long_is_said_to_be() {
    let directory = tempfile::tempdir().unwrap();
    let room = 107 - directory.path().as_os_str().len() - 1;
    BoundSocket::listen(&directory.path().join("x".repeat(room))).unwrap();
    let path = directory.path().join("x".repeat(room + 1));
    let error = BoundSocket::listen(&path).unwrap_err();
    assert!(matches!(error, BindError::TooLong(_)), "{error}");
    assert!(error.to_string().contains("107"), "{error}");
}

#[test]
fn a_socket_tells_whether_its_file_is_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plugin.sock");
    let listen = || BoundSocket::replace(&path, SocketAccess::Owner).unwrap();
    let state = |socket: &BoundSocket| socket.file().state().unwrap();
    let (socket, _listener) = listen();
    assert_eq!(state(&socket), FileState::Unchanged);
    let (later, _listener) = listen();
    assert_eq!(state(&socket), FileState::Replaced);
    drop(socket);
    assert_eq!(state(&later), FileState::Unchanged, "the file of another socket stays");
    fs::remove_file(&path).unwrap();
    assert_eq!(state(&later), FileState::Removed);
    let (last, _listener) = listen();
    drop(last);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
