//! A log that cannot be written.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use crate::application::Library;
use crate::fault::{Fault, Outcome, check};
use crate::load::{Load, load_during};
use crate::site::started_by;
use crate::support::{KilledOnDrop, Machine, eventually};

const SERVE: &str =
    "serve --platform software --socket aesm.socket --state-dir state --log-format json";

/// Requests that cannot be answered, each a line of the log: more than wait for a reader.
const UNANSWERABLE: usize = 10_000;

#[test]
#[ignore = "just faults"]
fn faults_of_the_log() {
    let fault = Fault::new;
    check(&[
        fault(
            "the log's pipe is full and not read",
            "",
            "`quote_helper_log_lines_lost_total` counts the lost lines; the log continues once \
             the pipe is read",
            unread,
        ),
        fault(
            "the disk of the log is full",
            "",
            "the log continues once there is space",
            full_disk,
        ),
        fault("standard input, output and error are closed", "", "there is no log", closed),
    ]);
}

fn unread() -> Outcome {
    let machine = Machine::new();
    let metrics = machine.path("metrics.socket");
    let (_reader, stderr) = io::pipe().unwrap();
    let mut command = machine.command(SERVE);
    command.arg("--metrics-listen").arg(&metrics).stderr(stderr);
    let service = Service::start(&machine, &mut command);
    let load = service.tells_much();
    let lost = "\nquote_helper_log_lines_lost_total ";
    let metrics = ask(&metrics);
    assert!(metrics.contains(lost) && !metrics.contains(&format!("{lost}0")), "{metrics}");
    service.stops();
    Outcome { load, log: String::new() }
}

/// The metrics of the service.
fn ask(socket: &Path) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn full_disk() -> Outcome {
    let machine = Machine::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    without_a_log(Service::start(&machine, machine.command(SERVE).stderr(full)))
}

fn closed() -> Outcome {
    let machine = Machine::new();
    let starter = ["sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"];
    without_a_log(Service::start(&machine, &mut started_by(&starter, &machine, SERVE)))
}

fn without_a_log(service: Service) -> Outcome {
    let load = service.tells_much();
    service.stops();
    Outcome { load, log: String::new() }
}

/// A service whose log is somebody else's matter.
struct Service {
    child: KilledOnDrop,
    socket: PathBuf,
}

impl Service {
    /// Starts it, so that it logs all there is to say.
    fn start(machine: &Machine, command: &mut Command) -> Self {
        let child = KilledOnDrop(command.env("QUOTE_HELPER_LOG", "debug").spawn().unwrap());
        let service = Self { child, socket: machine.socket() };
        eventually("there is a socket", || service.socket.exists());
        service
    }

    /// Has it tell more than a pipe takes, while applications ask.
    fn tells_much(&self) -> Load {
        let (load, ()) = load_during(Library::Fortanix, &self.socket, |progress| {
            (0..UNANSWERABLE).for_each(|_| unanswerable(&self.socket));
            progress.of_quotes();
        });
        load
    }

    fn stops(mut self) {
        kill_process(self.child.pid(), Signal::TERM).unwrap();
        assert_eq!(self.child.0.wait().unwrap().code(), Some(0));
    }
}

/// Sends what is no request, and sees the connection closed.
fn unanswerable(socket: &Path) {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&[3, 0, 0, 0, 0xff, 0xff, 0xff]).unwrap();
    // End of file and errors both mean closed, unless the read timed out.
    let closed = stream.read(&mut [0]);
    assert!(!closed.is_err_and(|error| error.kind() == ErrorKind::WouldBlock), "it hangs");
}
