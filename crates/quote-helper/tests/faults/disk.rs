//! Disks that are full or cannot be written.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::iter;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use crate::application::Library;
use crate::fault::{Fault, Needs, Outcome, check};
use crate::load::load_during;
use crate::site::{IN_RUN, Site, content};
use crate::support::{Machine, SERVE, Serve};
use crate::trouble::Trouble;

#[test]
#[ignore = "just faults"]
fn faults_of_disks() {
    let fault = |name, log, afterwards, happen| Fault {
        needs: Needs::Mounts,
        ..Fault::new(name, log, afterwards, happen)
    };
    let no_start = |name, log, happen| Fault {
        troubles: &[Trouble::Nobody],
        note: ": the service does not start, and leaves no partial files",
        ..fault(name, log, "it starts once the disk is repaired", happen)
    };
    check(&[
        fault(
            "the disk of the state directory is full, while the service runs and restarts",
            "",
            "the service writes only at its first start and when the TCB changes",
            full_state,
        ),
        fault(
            "the state directory is read-only, while the service runs and restarts",
            "",
            "the service writes only at its first start and when the TCB changes",
            read_only_state,
        ),
        no_start(
            "the disk of the state directory is full, at the first start",
            "No space left on device",
            || first_start(Disk::fill),
        ),
        no_start(
            "the state directory is read-only, at the first start",
            "Read-only file system",
            || first_start(Disk::read_only),
        ),
        fault(
            "the disk of the socket's directory is full, and a new instance starts",
            "",
            "the new instance takes over without writing there",
            full_at_a_hand_over,
        ),
        no_start(
            "the disk of the socket's directory is full, at the start",
            "cannot listen at",
            full_socket_directory,
        ),
    ]);
}

fn full_state() -> Outcome {
    with_state_on_a_disk(Disk::fill)
}

fn read_only_state() -> Outcome {
    with_state_on_a_disk(Disk::read_only)
}

fn with_state_on_a_disk(spoil: fn(&Disk)) -> Outcome {
    let machine = Machine::new();
    let disk = Disk::mount(&machine.path("state"));
    let mut site = Site::with(machine, |machine| machine.command(SERVE));
    let load = site.during(|_, progress| {
        spoil(&disk);
        progress.of_quotes();
    });
    site.end(Signal::TERM);
    site.start();
    let load = load.and(site.during(|_, progress| progress.of_quotes()));
    disk.mend();
    site.outcome(load)
}

fn full_at_a_hand_over() -> Outcome {
    let machine = Machine::new();
    let disk = Disk::mount(&machine.path("run"));
    symlink("run/aesm.socket", machine.socket()).unwrap();
    let mut site = Site::with(machine, |machine| machine.command(IN_RUN));
    let load = site.during(|site, progress| {
        disk.fill();
        site.hand_over();
        progress.of_quotes();
        disk.mend();
        site.hand_over();
        progress.of_quotes();
    });
    site.outcome(load)
}

fn first_start(spoil: fn(&Disk)) -> Outcome {
    start_in_vain("state", SERVE, spoil)
}

fn full_socket_directory() -> Outcome {
    start_in_vain("run", IN_RUN, Disk::fill)
}

/// Starts a service with this directory on a disk that is no good; and again, when that is mended.
fn start_in_vain(directory: &str, line: &'static str, spoil: fn(&Disk)) -> Outcome {
    let machine = Machine::new();
    let path = machine.path(directory);
    let disk = Disk::mount(&path);
    spoil(&disk);
    let before = content(&path);
    let (load, ended) =
        load_during(Library::Fortanix, &machine.path("run/aesm.socket"), |progress| {
            let ended = machine.run(line).with_code(1);
            progress.of_failures();
            ended
        });
    ended.says(&[directory]);
    assert_eq!(content(&path), before);
    disk.mend();
    drop(Serve::start(&mut machine.command(line)));
    Outcome { load, log: ended.stderr }
}

/// A small file system, for as long as this is there.
struct Disk(TempDir);

impl Disk {
    /// The file system is found at this path.
    fn mount(path: &Path) -> Self {
        let disk = Self(tempfile::tempdir().unwrap());
        disk.run("mount", &["-t", "tmpfs", "-o", "size=256k,nr_inodes=64,mode=700", "none"]);
        symlink(disk.0.path(), path).unwrap();
        disk
    }

    /// Takes all bytes, and all files that there can be.
    fn fill(&self) {
        let full = |error: io::Error| assert_eq!(error.kind(), ErrorKind::StorageFull);
        let file = |number: usize| File::create(self.0.path().join(format!("filler.{number}")));
        let mut first = file(0).unwrap();
        full(iter::repeat_with(|| first.write_all(&[7; 512])).find_map(Result::err).unwrap());
        full((1..).map(file).find_map(Result::err).unwrap());
    }

    fn read_only(&self) {
        self.run("mount", &["-o", "remount,ro"]);
    }

    fn mend(&self) {
        self.run("mount", &["-o", "remount,rw"]);
        for file in fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if file.file_stem() == Some("filler".as_ref()) {
                fs::remove_file(file).unwrap();
            }
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let status = Command::new(program).args(arguments).arg(self.0.path()).status();
        assert!(status.expect("it is there").success(), "{program}");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.run("umount", &["--lazy"]);
    }
}
